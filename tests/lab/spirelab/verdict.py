"""The verdict: one line per expectation, with the evidence it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """`passed` is None for a line that only reports."""

    passed: bool | None
    what: str
    evidence: str

    def word(self) -> str:
        return "info" if self.passed is None else "pass" if self.passed else "FAIL"


@dataclass
class Verdict:
    """Lines in the order they were judged, under a first line that names what was watched."""

    heading: str
    lines: list[Line] = field(default_factory=list)

    def add(self, passed: bool | None, what: str, evidence: str) -> None:
        self.lines.append(Line(passed, what, evidence))

    def passed(self) -> bool:
        """A verdict without a judged line is none: it has not passed."""
        judged = [line for line in self.lines if line.passed is not None]
        return bool(judged) and all(line.passed for line in judged)

    def render(self) -> str:
        width = max((len(line.what) for line in self.lines), default=0)
        rows = [self.heading]
        for line in self.lines:
            first, *more = line.evidence.split("\n")
            rows.append(f"  {line.word():4}  {line.what:{width}}  {first}".rstrip())
            rows += [" " * (width + 10) + row for row in more]
        failed = sum(1 for line in self.lines if line.passed is False)
        judged = sum(1 for line in self.lines if line.passed is not None)
        rows.append(f"{judged - failed} of {judged} expectations hold" if failed
                    else f"all {judged} expectations hold" if judged else "nothing was judged")
        return "\n".join(rows)


def brief(words: list[str], limit: int = 6) -> str:
    """The first few of a list, and how many more there are."""
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"
