"""The tables of what was seen, as Markdown, and what stands alike in the cells of several."""

from __future__ import annotations

from typing import Iterable, Sequence


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A cell cannot break the table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def said_once(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """The second cell, what is broken, where it begins alone."""
    found: list[list[str]] = []
    before = ""
    for first, broken, *rest in rows:
        found.append([first, "" if broken == before else broken, *rest])
        before = broken
    return found


def together(values: Sequence[str]) -> str:
    """What each of several says, in their order; once if they agree."""
    return f"all {values[0]}" if len(set(values)) == 1 else ", ".join(values)


def left(end: float | None, now: float) -> str:
    """How long it is until then."""
    return "-" if end is None else f"{end - now:.0f} s"
