"""The primary is down, then both nodes are, then the standby alone."""

from __future__ import annotations

from spirelab import database, names
from spirelab.database import database_of
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.said import Said
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_PRIMARY = "the primary is down"
_BOTH = "both are down"
_STANDBY = "the standby alone is down"
_UNKNOWN = "the primary is down: the lag is unknown"
_PAGES = 300
_GONE = ("unreachable", "refused", "gone")


def _script(lab: Lab, watch: Watch) -> None:
    postgres = database_of(lab)
    watch.time_pages("well", _PAGES)
    database.stop(lab, postgres.primary)
    watch.note(_PRIMARY)
    watch.time_said(_UNKNOWN, lag_is_unknown)
    watch.time_pages("refused", _PAGES)
    watch.watch(40)
    database.stop(lab, postgres.standby)
    watch.note(_BOTH)
    watch.watch(20)
    database.start(lab, postgres.primary)
    watch.note(_STANDBY)
    watch.watch(25)
    database.start(lab, postgres.standby)
    watch.note(NOTHING)
    watch.watch(40)


def truth(lab: Lab) -> str:
    """What a client of either node meets."""
    postgres = database_of(lab)
    return (f"rw {postgres.try_login(postgres.primary, 'spire', 'spire')}, "
            f"ro {postgres.try_login(postgres.standby, 'spire', 'spire')}")


def ours(look: Look) -> str:
    lag = look.said.value(names.PG_LAG, node="ro/0")
    part = look.said.state(names.LOOK_STATE, part="entries")
    return (f"{look.said.nodes()}, "
            + ("lag " + look.said.state(names.PG_LAG_STATE, node="ro/0")
               if lag is None else f"lag {lag:.1f} s") + f", entries {part}")


def lag_is_unknown(said: Said) -> bool:
    return (said.page is not None and said.value(names.PG_LAG, node="ro/0") is None
            and said.state(names.PG_LAG_STATE, node="ro/0") == "primary_unreachable")


def _is(node: str, *states: str) -> bool:
    return node in states


_IT = WatchPlay(_script, truth, ours)

SCENARIO = Scenario(
    name="database-stopped",
    summary="the primary stops, then the standby as well; they come back one by one",
    run=_IT.run,
    expectations=(
        _IT.well_before("both nodes are as named", lambda look: look.said.nodes()
                        == "rw primary, ro standby, healthy"),
        _IT.says(_PRIMARY, "the primary is gone, the standby is not", lambda look:
                 _is(look.said.node("rw/0"), *_GONE) and look.said.up("rw/0") == 0
                 and look.said.node("ro/0") == "standby", within=7),
        _IT.never(_PRIMARY, "a lag of 0", lambda look: look.said.value(
            names.PG_LAG, node="ro/0") == 0, after=7),
        _IT.says(_BOTH, "both are gone", lambda look: _is(look.said.node("rw/0"), *_GONE)
                 and _is(look.said.node("ro/0"), *_GONE), within=7),
        _IT.says(_STANDBY, "the standby is gone, the primary is back", lambda look:
                 look.said.node("rw/0") == "primary" and _is(look.said.node("ro/0"), *_GONE),
                 within=10),
        _IT.said_within(_UNKNOWN, 2.0),
        _IT.pages_as_fast("well", "refused"),
        _IT.one_connection_each,
        _IT.well_in_the_end("both nodes are as named", lambda look: look.said.nodes()
                            == "rw primary, ro standby, healthy"),
    ),
)
