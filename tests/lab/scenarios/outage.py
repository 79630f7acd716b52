"""All SPIRE servers are gone, with their pods and sidecars: how long have workloads got?"""

from __future__ import annotations

from spirelab import names
from spirelab.breaking import kill_server, start_servers
from spirelab.expect_outage import OutagePlay, until_ended, until_whole
from spirelab.outage_watch import OutageWatch
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_GONE = "all servers are gone, with their sidecars"
_BACK = "servers are back, with the same keys"


def _script(lab: Lab, watch: OutageWatch) -> None:
    until_whole(watch)
    watch.watch(20)
    for member in lab.plan.servers():
        kill_server(lab, member)
    watch.note(_GONE)
    until_ended(watch)
    start_servers(lab)
    watch.note(_BACK)
    watch.watch(60)


_IT = OutagePlay(_script)

SCENARIO = Scenario(
    name="outage",
    summary="all servers die with their sidecars; the announced first expiries against the true "
            "ones, on both clocks",
    run=_IT.run,
    expectations=(
        _IT.announced(_GONE, "workload", "ledger"),
        _IT.announced(_GONE, "agent", "cache"),
        _IT.bound_never_late(_GONE),
        _IT.agents_say(_GONE, "nothing is issued", names.ISSUING, "no"),
        _IT.agents_say(_GONE, "the servers are not reached", names.REACH_VERDICT, "tls_broken"),
        _IT.agents_say(_BACK, "the servers are reached", names.REACH_VERDICT, "all_serving"),
    ),
    alerts=frozenset({"SpireExporterDown", "SpireExporterCollectorFailing"}),
)
