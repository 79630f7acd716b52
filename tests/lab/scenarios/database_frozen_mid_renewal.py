"""The primary hangs while SVIDs are due, as a dead disk makes it hang."""

from __future__ import annotations

from spirelab import names
from spirelab.breaking import freeze_database, thaw_database
from spirelab.expect_outage import OutagePlay, until_ended, until_whole
from spirelab.outage_watch import OutageWatch
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_FROZEN = "the primary is frozen"
_BACK = "it goes on"


def _script(lab: Lab, watch: OutageWatch) -> None:
    until_whole(watch)
    watch.watch(20)
    freeze_database(lab)
    watch.note(_FROZEN)
    until_ended(watch)
    thaw_database(lab)
    watch.note(_BACK)
    watch.watch(80)


_IT = OutagePlay(_script)

SCENARIO = Scenario(
    name="database-frozen-mid-renewal",
    summary="the primary hangs (SIGSTOP) until the first SVID that it kept from being renewed has "
            "ended",
    run=_IT.run,
    expectations=(
        _IT.announced(_FROZEN, "workload", "ledger"),
        _IT.announced(_FROZEN, "agent", "cache"),
        _IT.bound_never_late(_FROZEN),
        _IT.agents_say(_FROZEN, "nothing is issued", names.ISSUING, "no"),
        _IT.agents_say(_FROZEN, "the servers' database is at fault", names.REACH_VERDICT,
                       "database"),
        _IT.servers_say(_FROZEN, "the database, not the server", names.SERVER_STATE, "database"),
        _IT.agents_say(_BACK, "all servers serve", names.REACH_VERDICT, "all_serving"),
        _IT.agents_say(_BACK, "identities are issued", names.ISSUING, "yes"),
    ),
    alerts=frozenset({"SpireExporterCollectorFailing"}),
)
