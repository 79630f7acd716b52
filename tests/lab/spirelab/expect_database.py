"""Expectations about what was said of the standby, and the frame of the scenarios that break it."""

from __future__ import annotations

import math
from typing import Callable

from spirelab.database import SLACK_SECONDS, Comparison, Row
from spirelab.errors import LabError
from spirelab.scenario import Expectation
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, brief

# Two intervals of the replication's readings and one of the table's.
_SAID_WITHIN = 7.0


class DatabasePlay:
    """Runs a script with a comparison at hand and keeps it for the expectations."""

    def __init__(self, script: Callable[[Lab, Comparison], None]) -> None:
        self._script = script
        self._comparison: Comparison | None = None

    def run(self, lab: Lab, timeline: Timeline) -> None:
        with Comparison(lab, timeline) as self._comparison:
            self._comparison.watch(10)
            self._script(lab, self._comparison)

    def rows(self, broken: str = "") -> list[Row]:
        if self._comparison is None:
            raise LabError("the scenario has not run")
        return [row for row in self._comparison.rows if not broken or row.broken == broken]

    def lag_is_true(self, lab: Lab, timeline: Timeline) -> Line:
        """Wherever a lag was given, it was the true one; the two others are counted beside it."""
        del lab, timeline
        # A page is as old as its last reading: what has just been mended or broken is not on it yet.
        judged = [row for row in self.rows() if row.lag is not None and row.truth is not None
                  and row.since > SLACK_SECONDS]
        wrong = [f"{row.lag:.1f} s for {row.truth:.1f} s at {row.at:.0f}" for row in judged
                 if row.lag is not None and row.truth is not None
                 and abs(row.lag - row.truth) > SLACK_SECONDS]
        worst = max((abs((row.lag or 0) - (row.truth or 0)) for row in judged), default=0)
        return Line(bool(judged) and not wrong, f"the lag is true to {SLACK_SECONDS:g} s",
                    brief(wrong) or f"{len(judged)} readings, worst off by {worst:.1f} s")

    def never_fine(self, broken: str) -> Expectation:
        """While it is broken, nobody is told that the standby is in step, after a first moment."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            rows = self.rows(broken)
            late = [row for row in rows if row.since > _SAID_WITHIN]
            fine = [f"{row.ours} at {row.at:.0f}" for row in late
                    if row.state == "in_sync" or (row.lag is not None and row.lag < 1)]
            return Line(bool(late) and not fine, f"{broken}: not called in step",
                        brief(fine) or f"{len(late)} readings")
        return judge

    def says(self, broken: str, *states: str, within: float = math.inf) -> Expectation:
        """While it is broken, one of these states is named after so many seconds, and in the end."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            rows = self.rows(broken)
            last = rows[-1].ours if rows else "nothing"
            first = next((row.since for row in rows
                          if any(word in row.ours for word in states)), None)
            good = (any(word in last for word in states) and first is not None
                    and first <= within)
            return Line(good, f"{broken}: named",
                        f"{last}" + ("" if first is None else f", first after {first:.0f} s"))
        return judge

    def well_in_the_end(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        last = self.rows()[-1]
        return Line("in_sync" in last.ours and last.lag is not None and last.lag < SLACK_SECONDS,
                    "the standby is in step in the end", last.ours)
