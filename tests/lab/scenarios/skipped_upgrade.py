"""A server is upgraded past a minor version; its neighbours then cannot even be restarted."""

from __future__ import annotations

from spirelab import expect_roll as expect
from spirelab.expect import all_up, collectors_recovered
from spirelab.roll_watch import RollLook, RollWatch
from spirelab.scenario import Expectation, Scenario
from spirelab.simulated_tables import schema_of
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.upgrade import refused, upgrade
from spirelab.verdict import Line

_OLD = "1.13.3"
_BETWEEN = "1.14.7"
_SKIPPED = "skipped: "
_RESTARTED = "restarted: "
_MENDING = "mending: "
_MENDED = "mended: all that runs is at most one minor version apart"
_DONE = "done"


class _Play:
    """Runs it and keeps the looks for the expectations."""

    def __init__(self) -> None:
        self._watch: RollWatch | None = None
        self._refusal = ""

    def run(self, lab: Lab, timeline: Timeline) -> None:
        self._refusal = ""
        with RollWatch(lab, timeline) as self._watch:
            self._script(lab, self._watch)

    def _script(self, lab: Lab, watch: RollWatch) -> None:
        first, second, *others = lab.plan.servers()
        agents = lab.plan.agents()
        watch.until(lambda look: all(look.version(server) == _OLD and look.roll(server) == "settled"
                                     for server in look.servers), 120,
                    f"every server is told to be {_OLD}")
        watch.watch(10)
        watch.note(f"{_SKIPPED}{first.name} goes from {_OLD} straight to {lab.newest}")
        upgrade(lab, first, lab.newest)
        # What a migration adds is not yet granted to the sidecars.
        lab.grant()
        watch.watch(60)
        watch.note(f"{_RESTARTED}{second.name} is started again as it was")
        self._refusal = refused(lab, second, _OLD)
        watch.timeline.add("note", f"{second.name}: {self._refusal or 'runs'}")
        watch.watch(20)
        for member in (second, *others, *agents):
            watch.note(f"{_MENDING}{member.name} goes to {_BETWEEN}")
            upgrade(lab, member, _BETWEEN)
            watch.watch(20)
        watch.note(_MENDED)
        watch.until(lambda look: look.counted().get("fits") == len(agents), 90,
                    "the agents' versions are told")
        watch.watch(20)
        for member in (second, *others, *agents):
            watch.note(f"to the end: {member.name} goes to {lab.newest}")
            upgrade(lab, member, lab.newest)
            watch.watch(10)
        watch.note(_DONE)
        watch.until(lambda look: expect.settled(look, lab.newest, len(agents)), 150,
                    f"everything is told to be {lab.newest}")

    def looks(self, step: str = "", after: float = 0.0) -> expect.Looks:
        return expect.during(self._watch.looks, step, after) if self._watch else []

    def named(self, pair: str, apart: int | None) -> Expectation:
        """On the pages of all servers that stayed behind, until one of them is touched."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del timeline
            behind = [member.name for member in lab.plan.servers()[1:]]
            wanted = schema_of(lab.newest) - schema_of(_OLD) if apart is None else apart

            def wrong(look: RollLook) -> list[str]:
                return [f"{server} {look.pair(server, pair)} {look.apart(server, pair)}"
                        for server in behind if look.pair(server, pair) != "unsupported"
                        or look.apart(server, pair) != wanted]
            return expect.never(self.looks(_SKIPPED, expect.SEEN_WITHIN),
                                f"{pair} is unsupported by {wanted} on those left behind", wrong)
        return judge

    def refuses(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return Line(bool(self._refusal), "a server left behind does not start again",
                    self._refusal.strip() or "it runs")

    def mended(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.never(self.looks(_MENDED, 20),
                            "mended: nothing is called unsupported", expect.supported)

    def agents_fit(self, lab: Lab, timeline: Timeline) -> Line:
        del timeline
        return expect.sometime(
            self.looks(_MENDED), f"mended: the agents are told to be {_BETWEEN}, and fit",
            lambda look: look.counted().get("fits") == len(lab.plan.agents())
            and look.agent_versions() == _BETWEEN)

    def settled_in_the_end(self, lab: Lab, timeline: Timeline) -> Line:
        del timeline
        return expect.sometime(
            self.looks(_DONE)[-1:], f"in the end everything is {lab.newest} and settled",
            lambda look: expect.settled(look, lab.newest, len(lab.plan.agents())))

    def issuing(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.issuing_in_the_end(self.looks())


_IT = _Play()

SCENARIO = Scenario(
    name="skipped-upgrade",
    summary="one server skips a minor version: who may run beside whom, and the way out",
    run=_IT.run,
    expectations=(
        _IT.named("server_server", 2),
        _IT.named("schema_code", None),
        _IT.refuses,
        _IT.mended,
        _IT.agents_fit,
        _IT.settled_in_the_end,
        _IT.issuing,
        all_up,
        collectors_recovered,
    ),
    versions=(_OLD, _BETWEEN),
)
