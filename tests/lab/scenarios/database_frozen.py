"""The primary hangs as a dead disk makes it hang: it takes connections and answers nothing."""

from __future__ import annotations

from spirelab import database, names
from spirelab.database import database_of
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from scenarios.database_stopped import lag_is_unknown, ours, truth

_PRIMARY = "the primary is frozen"
_STANDBY = "the standby is frozen"
_UNKNOWN = "the primary is frozen: the lag is unknown"
_HUNG = "the standby is frozen: named as hung"
# Two rounds of the replication's readings, and what it takes to read a page that says so.
_SAID_SECONDS = 2.5
_PAGES = 300


def _script(lab: Lab, watch: Watch) -> None:
    postgres = database_of(lab)
    watch.time_pages("well", _PAGES)
    database.freeze(lab, postgres.primary)
    watch.note(_PRIMARY)
    watch.time_said(_UNKNOWN, lag_is_unknown)
    watch.watch(25)
    watch.time_pages("frozen", _PAGES)
    watch.watch(15)
    database.thaw(lab, postgres.primary)
    watch.note(NOTHING)
    watch.watch(25)
    database.freeze(lab, postgres.standby)
    watch.note(_STANDBY)
    watch.time_said(_HUNG, lambda said: said.node("ro/0") == "hung")
    watch.watch(30)
    database.thaw(lab, postgres.standby)
    watch.note(NOTHING)
    watch.watch(25)


def _says(node: str, state: str, other: str, other_state: str, look: Look) -> bool:
    return look.said.node(node) == state and look.said.node(other) == other_state


_IT = WatchPlay(_script, truth, ours)

SCENARIO = Scenario(
    name="database-frozen",
    summary="the primary hangs (SIGSTOP) for 45 s, then the standby; pages answer all the while",
    run=_IT.run,
    expectations=(
        _IT.well_before("both nodes are as named", lambda look: look.said.nodes()
                        == "rw primary, ro standby, healthy"),
        _IT.says(_PRIMARY, "the primary hangs, the standby does not", lambda look:
                 _says("rw/0", "hung", "ro/0", "standby", look)),
        _IT.never(_PRIMARY, "a lag of 0", lambda look: look.said.value(
            names.PG_LAG, node="ro/0") == 0, after=7),
        _IT.says(_STANDBY, "the standby hangs, the primary does not", lambda look:
                 _says("ro/0", "hung", "rw/0", "primary", look)),
        _IT.said_within(_UNKNOWN, _SAID_SECONDS),
        _IT.said_within(_HUNG, _SAID_SECONDS),
        _IT.pages_as_fast("well", "frozen"),
        _IT.one_connection_each,
        _IT.well_in_the_end("both nodes are as named", lambda look: look.said.nodes()
                            == "rw primary, ro standby, healthy"),
    ),
)
