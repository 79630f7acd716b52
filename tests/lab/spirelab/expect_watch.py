"""Expectations about what was said of the database, and the frame of scenarios that break it."""

from __future__ import annotations

from typing import Callable

from spirelab import exposition
from spirelab.database_watch import Look, Watch
from spirelab.errors import LabError
from spirelab.lookout import NOTHING
from spirelab.scenario import Expectation
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, brief

# Two intervals of 5 s of the slower readings, and what two looks are apart.
SAID_WITHIN = 14.0
_SIDECARS = 3
# A page may take as long as a busy machine makes every page take.
PAGE_SECONDS = 0.020

Holds = Callable[[Look], bool]


class WatchPlay:
    """Runs a script with a watch at hand and keeps its looks for the expectations."""

    def __init__(self, script: Callable[[Lab, Watch], None], truth: Callable[[Lab], str],
                 ours: Callable[[Look], str],
                 other: Callable[[exposition.Page | None], str] | None = None,
                 prepare: Callable[[Lab], None] | None = None) -> None:
        self._script = script
        self._truth, self._ours, self._other = truth, ours, other
        self._prepare = prepare
        self._watch: Watch | None = None

    def run(self, lab: Lab, timeline: Timeline) -> None:
        if self._prepare is not None:
            self._prepare(lab)
        with Watch(lab, timeline, self._truth, self._ours, self._other) as self._watch:
            # The other exporters come up, and ours has seen what was prepared.
            timeline.watch(8)
            self._watch.watch(8)
            self._script(lab, self._watch)

    def looks(self, broken: str = "") -> list[Look]:
        if self._watch is None:
            raise LabError("the scenario has not run")
        return [look for look in self._watch.looks if not broken or look.broken == broken]

    def says(self, broken: str, what: str, holds: Holds, within: float = SAID_WITHIN,
             stays: bool = True) -> Expectation:
        """While it is broken our page says so: soon, and (unless told otherwise) to the end."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            return judge_said(self.looks(broken), f"{broken}: {what}", holds, within, stays)
        return judge

    def never(self, broken: str, what: str, holds: Holds, after: float = SAID_WITHIN
              ) -> Expectation:
        """While it is broken our page never says this, but for a first moment."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            looks = [look for look in self.looks(broken) if look.since >= after]
            wrong = [f"{look.ours} at {look.at:.0f}" for look in looks if holds(look)]
            return Line(bool(looks) and not wrong, f"{broken}: never {what}",
                        brief(wrong) or f"{len(looks)} looks")
        return judge

    def well_before(self, what: str, holds: Holds) -> Expectation:
        """Before anything was broken, so that what is said afterwards is worth something."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            looks = self.looks()
            good = bool(looks) and looks[0].broken == NOTHING and holds(looks[0])
            return Line(good, f"at first: {what}", looks[0].ours if looks else "no look")
        return judge

    def well_in_the_end(self, what: str, holds: Holds) -> Expectation:
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            last = self.looks()[-1]
            return Line(holds(last), f"in the end: {what}", last.ours)
        return judge

    def said_within(self, name: str, seconds: float) -> Expectation:
        """What `Watch.time_said` timed under this name."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab
            took = timeline.measured(name)
            return Line(bool(took) and max(took) <= seconds, f"{name}: said within {seconds:g} s",
                        f"after {took[0]:.1f} s" if took else "never")
        return judge

    def one_connection_each(self, lab: Lab, timeline: Timeline) -> Line:
        """The sidecars never have more than one session each, also when they come back."""
        del lab, timeline
        known = [look for look in self.looks() if look.sessions is not None]
        wrong = [f"{look.sessions} at {look.at:.0f}" for look in known
                 if (look.sessions or 0) > _SIDECARS]
        return Line(bool(known) and not wrong, "one connection a node and sidecar",
                    brief(wrong) or f"at most {max((one.sessions or 0) for one in known)} of "
                    f"{_SIDECARS} sidecars on the primary, {len(known)} looks"
                    if known else "the primary never answered")

    def pages_as_fast(self, well: str, broken: str) -> Expectation:
        """Pages take no longer than the limit; what they take when nothing is broken is told."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab
            return judge_pages(timeline.measured(well), timeline.measured(broken))
        return judge


def judge_said(looks: list[Look], title: str, holds: Holds, within: float, stays: bool) -> Line:
    """Soon and to the end; a look that was made before anybody could know does not count."""
    first = next((look for look in looks if holds(look)), None)
    if first is None:
        return Line(False, title, f"never: {looks[-1].ours}" if looks else "no look")
    left = [look for look in looks if look.since > first.since and not holds(look)]
    good = first.since <= within and not (stays and left)
    words = f"{first.ours}, first after {first.since:.0f} s"
    if stays and left:
        words += f"; not so after {left[0].since:.0f} s: {left[0].ours}"
    return Line(good, title, words)


def judge_pages(well: list[float], broken: list[float]) -> Line:
    """The 99th percentiles beside each other."""
    title = f"pages answer within {PAGE_SECONDS * 1000:g} ms (p99)"
    if not well or not broken:
        return Line(False, title, "no page was timed")
    before, then = percentile(well, 0.99), percentile(broken, 0.99)
    return Line(then <= PAGE_SECONDS, title,
                f"{then * 1000:.1f} ms of {len(broken)}, with nothing broken "
                f"{before * 1000:.1f} ms of {len(well)}")


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000 * len(ordered)) // 1000) - 1)]
