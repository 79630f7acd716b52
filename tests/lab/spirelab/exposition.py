"""Reads pages in the text format 0.0.4, strictly enough to be a second opinion."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \S+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class PageError(Exception):
    """The page is not what its format promises."""


@dataclass(frozen=True)
class Series:
    """One sample line."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass
class Page:
    """All samples of a page and the type of each family."""

    series: list[Series] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)

    def named(self, name: str) -> list[Series]:
        return [one for one in self.series if one.name == name]

    def total(self, name: str) -> float | None:
        """Sum over all series of the name; None when there is none."""
        found = self.named(name)
        return sum(one.value for one in found) if found else None


def parse_page(text: str) -> Page:
    """PageError names the first line that cannot be read."""
    page = Page()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line == "# EOF":
            continue
        if line.startswith("#"):
            words = line.split(" ", 3)
            if len(words) == 4 and words[1] == "TYPE":
                page.types[words[2]] = words[3]
            continue
        match = _SAMPLE.fullmatch(line)
        if match is None:
            raise PageError(f"line {number}: {line[:120]}")
        page.series.append(Series(match.group(1), _labels(match.group(2) or "", number),
                                  _value(match.group(3), number)))
    return page


def _labels(text: str, number: int) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            raise PageError(f"line {number}: labels {text[at:at + 80]}")
        labels[match.group(1)] = re.sub(r'\\[\\"n]', lambda found: _ESCAPES[found.group()],
                                        match.group(2))
        at = match.end()
    return labels


def _value(text: str, number: int) -> float:
    if text in ("+Inf", "-Inf"):
        return math.inf if text[0] == "+" else -math.inf
    try:
        return float(text)
    except ValueError as error:
        raise PageError(f"line {number}: value {text[:40]}") from error
