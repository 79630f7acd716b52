"""Waiting is asking for a condition again and again until a deadline."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

from spirelab.errors import LabError

T = TypeVar("T")

Clock = Callable[[], float]
Rest = Callable[[float], None]


class Deadline:
    """A point on the monotonic clock."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self._clock())

    def passed(self) -> bool:
        return self.remaining() <= 0.0


def poll_until(
    condition: Callable[[], T | None],
    seconds: float,
    what: str,
    interval: float = 0.1,
    watch: Callable[[], None] | None = None,
    rest: Rest = time.sleep,
    clock: Clock = time.monotonic,
) -> T:
    """Returns the first true answer of `condition`; raises LabError with `what` at the deadline.

    `watch` is called between two tries and may raise: the place to notice that the process that
    is waited for has died, so that nobody waits for a corpse. `rest` passes the time in between.
    """
    answer = try_until(condition, seconds, interval, watch, rest, clock)
    if answer is None:
        raise LabError(f"{what}: not so after {seconds:g} s")
    return answer


def try_until(
    condition: Callable[[], T | None],
    seconds: float,
    interval: float = 0.2,
    watch: Callable[[], None] | None = None,
    rest: Rest = time.sleep,
    clock: Clock = time.monotonic,
) -> T | None:
    """Like poll_until, but a deadline that passes is an answer (None) and no error."""
    deadline = Deadline(seconds, clock)
    while True:
        answer = condition()
        if answer:
            return answer
        if watch is not None:
            watch()
        if deadline.passed():
            return None
        rest(min(interval, deadline.remaining()))
