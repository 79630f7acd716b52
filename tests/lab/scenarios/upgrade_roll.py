"""A planned upgrade: servers one after the other, then agents. Nobody is to be woken."""

from __future__ import annotations

from spirelab import expect_roll as expect
from spirelab.expect import all_up, collectors_recovered
from spirelab.roll_watch import RollLook, RollWatch
from spirelab.scenario import Scenario
from spirelab.simulated_tables import schema_of
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.upgrade import upgrade
from spirelab.verdict import Line

_OLD = "1.14.7"
_SERVERS = "servers: "
_AGENTS = "agents: "
_DONE = "done"


class _Play:
    """Runs it and keeps the looks for the expectations."""

    def __init__(self) -> None:
        self._watch: RollWatch | None = None

    def run(self, lab: Lab, timeline: Timeline) -> None:
        with RollWatch(lab, timeline) as self._watch:
            self._script(lab, self._watch)

    @staticmethod
    def _script(lab: Lab, watch: RollWatch) -> None:
        agents = len(lab.plan.agents())
        watch.until(lambda look: expect.settled(look, _OLD, agents), 150,
                    f"everything is told to be {_OLD}")
        for kind, members in ((_SERVERS, lab.plan.servers()), (_AGENTS, lab.plan.agents())):
            for member in members:
                watch.note(f"{kind}{member.name} goes to {lab.newest}")
                upgrade(lab, member, lab.newest)
                watch.watch(30)
        watch.note(_DONE)
        watch.until(lambda look: expect.settled(look, lab.newest, agents), 150,
                    f"everything is told to be {lab.newest}")
        watch.watch(10)

    def looks(self, step: str = "") -> expect.Looks:
        return expect.during(self._watch.looks, step) if self._watch else []

    def nothing_unsupported(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.never(self.looks(), "no pair is ever called unsupported", expect.supported)

    def no_worse_than_a_roll(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.never(self.looks(), "never called rolled back, lingering or unrecorded",
                            expect.no_fault)

    def told_as_a_roll(self, lab: Lab, timeline: Timeline) -> Line:
        """By the last server's sidecar, from the first server's upgrade on."""
        del timeline
        last = lab.plan.servers()[-1].name

        def rolling(look: RollLook) -> bool:
            return (look.version(last) == _OLD and look.roll(last) == "rolling"
                    and look.apart(last, "server_server") == 1
                    and look.apart(last, "schema_code")
                    == schema_of(lab.newest) - schema_of(_OLD))
        return expect.sometime(self.looks(_SERVERS), f"{last} says rolling, one minor apart, the "
                               "schema ahead", rolling)

    def agents_behind(self, lab: Lab, timeline: Timeline) -> Line:
        """All servers are new, all agents old: they fit, and both versions are told."""
        del timeline
        return expect.sometime(
            self.looks(_AGENTS), "old agents fit beside new servers",
            lambda look: look.counted().get("fits") == len(lab.plan.agents())
            and look.agent_versions().startswith(_OLD))

    def settled_in_the_end(self, lab: Lab, timeline: Timeline) -> Line:
        del timeline
        return expect.sometime(
            self.looks(_DONE)[-1:], f"in the end everything is {lab.newest} and settled",
            lambda look: expect.settled(look, lab.newest, len(lab.plan.agents())))

    def tokens(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.tokens_flow(self.looks())

    def issuing(self, lab: Lab, timeline: Timeline) -> Line:
        del lab, timeline
        return expect.issuing_in_the_end(self.looks())


_IT = _Play()

SCENARIO = Scenario(
    name="upgrade-roll",
    summary="servers, then agents go up by one minor version: a roll, and no fault",
    run=_IT.run,
    expectations=(
        _IT.nothing_unsupported,
        _IT.no_worse_than_a_roll,
        _IT.told_as_a_roll,
        _IT.agents_behind,
        _IT.settled_in_the_end,
        _IT.tokens,
        _IT.issuing,
        all_up,
        collectors_recovered,
    ),
    versions=(_OLD,),
)
