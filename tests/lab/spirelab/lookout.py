"""What all watches share: they look now and then, know what is broken since when, and leave a table.

A watch says what a look is and what its table is; when to look and for how long is said here.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Callable, Generic, TypeVar

from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.wait import Clock, poll_until, try_until

NOTHING = "nothing"

L = TypeVar("L")
S = TypeVar("S", bound="Lookout")


class Lookout(ABC, Generic[L]):
    """One scenario's looks. As a context it writes the table, however the scenario ends."""

    every: float  # seconds from look to look

    def __init__(self, lab: Lab, timeline: Timeline, clock: Clock = time.monotonic) -> None:
        self.lab = lab
        self.timeline = timeline
        self.broken = NOTHING
        self._clock = clock
        self._zero = self._changed = clock()

    @abstractmethod
    def look(self) -> L:
        """Asks everybody now, and keeps what they say."""

    @abstractmethod
    def table(self) -> str:
        """All looks as Markdown."""

    def note(self, broken: str) -> None:
        """What is broken from now on."""
        self.begin(broken)
        self.timeline.add("mended" if broken == NOTHING else "broken", broken)

    def begin(self, broken: str) -> None:
        """As `note`, and the timeline is not told."""
        self.broken = broken
        self._changed = self._clock()

    def moment(self) -> tuple[float, str, float]:
        """Seconds since the watch began, what is broken, seconds since it is: so a look begins."""
        return self._clock() - self._zero, self.broken, self.since()

    def since(self) -> float:
        """Seconds since the last `note`."""
        return self._clock() - self._changed

    def tell(self, cells: list[str]) -> None:
        """A row of the table to the timeline, which knows by itself when it is and what is broken."""
        self.timeline.add("metric", " | ".join(cells[2:]))

    def watch(self, seconds: float) -> None:
        """Looks now and then, and on at the rest in between."""
        try_until(lambda: self.look() and None, seconds, self.every, rest=self.timeline.watch,
                  clock=self._clock)

    def until(self, condition: Callable[[L], bool], seconds: float, what: str,
              every: float | None = None) -> None:
        """Looks on until a look is as wanted; LabError when none is."""
        poll_until(lambda: condition(self.look()), seconds, what, every or self.every,
                   rest=self.timeline.watch, clock=self._clock)

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.lab.table_file:
            return
        with open(self.lab.table_file, "w", encoding="utf-8") as file:
            file.write(self.table())
        self.timeline.add("note", f"the table is in {self.lab.table_file}")
