"""One of three servers dies, with its sidecar: agents go to the others, and nothing runs out."""

from __future__ import annotations

from spirelab import names
from spirelab.breaking import kill_server, start_servers
from spirelab.expect_outage import OutagePlay, until_whole
from spirelab.outage_watch import OutageWatch
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_DOWN = "one server of three is gone, with its sidecar"
_BACK = "it is back"


def _script(lab: Lab, watch: OutageWatch) -> None:
    until_whole(watch)
    watch.watch(20)
    kill_server(lab, lab.plan.servers()[-1])
    watch.note(_DOWN)
    watch.watch(90)
    start_servers(lab, lab.plan.servers()[-1])
    watch.note(_BACK)
    watch.watch(50)


_IT = OutagePlay(_script)

SCENARIO = Scenario(
    name="one-server-down",
    summary="one server of three dies with its sidecar for 90 s; agents must go on, and say that "
            "some servers serve",
    run=_IT.run,
    expectations=(
        _IT.agents_say(_DOWN, "some servers serve", names.REACH_VERDICT, "some_serving"),
        _IT.agents_say(_DOWN, "identities are issued", names.ISSUING, "yes"),
        _IT.ledger_follows(_DOWN, ("agent-0",)),
        _IT.agents_say(_DOWN, "an agent would return", names.COMEBACK, "yes"),
        _IT.agents_show(_DOWN, "the canary gets its tokens", lambda look: look.said.state(
            names.CANARY_OUTCOME, "outcome", operation="jwt"), lambda shown: shown == "ok"),
        _IT.servers_say(_DOWN, "the others are healthy", names.SERVER_STATE, "healthy"),
        _IT.agents_say(_BACK, "all servers serve", names.REACH_VERDICT, "all_serving"),
        _IT.agents_say(_BACK, "identities are issued", names.ISSUING, "yes"),
    ),
    alerts=frozenset({"SpireExporterDown"}),
)
