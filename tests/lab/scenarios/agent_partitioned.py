"""The network of one agent's node is cut: its clocks run, the others' do not."""

from __future__ import annotations

from spirelab import names
from spirelab.breaking import connect_again, cut_off
from spirelab.expect_outage import OutagePlay, until_ended, until_whole
from spirelab.outage_watch import OutageWatch
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_CUT = "the node of agent-0 is cut off"
_BACK = "it is connected again"
_ONE, _OTHER = ("agent-0",), ("agent-1",)


def _script(lab: Lab, watch: OutageWatch) -> None:
    until_whole(watch)
    watch.watch(20)
    cut_off(lab, lab.plan.member("agent-0"))
    watch.note(_CUT)
    until_ended(watch, "agent-0")
    connect_again(lab, lab.plan.member("agent-0"))
    watch.note(_BACK)
    watch.watch(70)


_IT = OutagePlay(_script)

SCENARIO = Scenario(
    name="agent-partitioned",
    summary="the node of one agent reaches no server until its first SVID has ended; the other "
            "agent must not notice",
    run=_IT.run,
    expectations=(
        _IT.announced(_CUT, "workload", "ledger", _ONE),
        _IT.announced(_CUT, "agent", "cache", _ONE),
        _IT.bound_never_late(_CUT, _ONE),
        _IT.agents_say(_CUT, "nothing is issued there", names.ISSUING, "no", members=_ONE),
        _IT.agents_say(_CUT, "no server is reached from there", names.REACH_VERDICT,
                       "unreachable", members=_ONE),
        _IT.agents_say(_CUT, "it would not return", names.COMEBACK, "no", members=_ONE),
        _IT.agents_say(_CUT, "the other agent is served", names.ISSUING, "yes", members=_OTHER),
        _IT.agents_say(_CUT, "the other reaches all servers", names.REACH_VERDICT, "all_serving",
                       members=_OTHER),
        _IT.one_trust_view(_CUT),
        _IT.servers_say(_CUT, "the servers are healthy", names.SERVER_STATE, "healthy"),
        _IT.agents_say(_BACK, "all servers serve", names.REACH_VERDICT, "all_serving"),
        _IT.agents_say(_BACK, "identities are issued", names.ISSUING, "yes"),
    ),
    alerts=frozenset({"SpireExporterCollectorFailing"}),
)
