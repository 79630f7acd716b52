"""Another application takes every session that the primary has to give."""

from __future__ import annotations

from spirelab import exposition, names
from spirelab.database import database_of
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.postgres import WATCHER, Postgres
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.wait import poll_until

_TAKEN = "another application takes all sessions"
_OURS_TOO = "the watchers' sessions are ended and taken as well"
_HOARD = "hoard"


def _script(lab: Lab, watch: Watch) -> None:
    postgres = database_of(lab)
    lab.supervisor.start(postgres.hoard(_HOARD, "batch"))
    watch.note(_TAKEN)
    watch.watch(30)
    race = _Race(postgres)
    poll_until(race.lost, 60, "the watchers have lost the race for a session")
    watch.note(_OURS_TOO)
    watch.watch(25)
    lab.supervisor.find(_HOARD).kill()
    watch.note(NOTHING)
    watch.watch(25)


class _Race:
    """Ends the watchers' sessions until none comes back: they are quick, and win a race or two."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._quiet = 0

    def lost(self) -> bool:
        ended = self._postgres.ask(
            self._postgres.primary, "SELECT count(pg_terminate_backend(pid)) FROM "
            f"pg_stat_activity WHERE usename = '{WATCHER}'")
        self._quiet = self._quiet + 1 if ended == "0" else 0
        return self._quiet >= 10


def _truth(lab: Lab) -> str:
    postgres = database_of(lab)
    used = postgres.ask(postgres.primary,
                        "SELECT count(*) || ' of ' || current_setting('max_connections') FROM "
                        "pg_stat_activity WHERE backend_type = 'client backend' "
                        "AND pid <> pg_backend_pid()")
    login = postgres.try_login(postgres.primary, "spire", "spire")
    return f"{used or 'no answer:'} sessions, SPIRE's role: {login}"


def _ours(look: Look) -> str:
    left = look.said.value(names.PG_CONNECTIONS_AVAILABLE, node="rw/0")
    return (f"{look.said.nodes()}, " + ("left: not known" if left is None else f"{left:g} left")
            + f"; connections_exhausted on {_named(look)} of {len(look.every)} sidecars")


def _named(look: Look) -> int:
    return sum(said.node("rw/0") == "connections_exhausted" for said in look.every)


def _losers_name_it(look: Look) -> bool:
    """Every sidecar without a session says why."""
    return (look.sessions is not None and look.sessions < len(look.every)
            and _named(look) == len(look.every) - look.sessions)


def _other(page: exposition.Page | None) -> str:
    if page is None:
        return "no page"
    used, limit = page.total("pg_stat_activity_count"), page.total("pg_settings_max_connections")
    up = page.total("pg_up")
    return f"up {up or 0:g}" + ("" if used is None or limit is None
                                else f", {used:g} of {limit:g} sessions")


def _none_left(look: Look) -> bool:
    left = look.said.value(names.PG_CONNECTIONS_AVAILABLE, node="rw/0")
    return left is not None and left <= 0


_IT = WatchPlay(_script, _truth, _ours, _other)

SCENARIO = Scenario(
    name="connections-exhausted",
    summary="another application takes every session; then ours are ended and taken, too",
    run=_IT.run,
    expectations=(
        _IT.well_before("sessions are left", lambda look: not _none_left(look)
                        and look.said.node("rw/0") == "primary"),
        _IT.says(_TAKEN, "none is left", _none_left),
        _IT.never(_TAKEN, "lost", lambda look: look.said.node("rw/0") != "primary", after=0),
        _IT.says(_OURS_TOO, "named by each sidecar without a session", _losers_name_it, within=5),
        _IT.never(_OURS_TOO, "the standby lost", lambda look:
                  look.said.node("ro/0") != "standby", after=5),
        _IT.one_connection_each,
        _IT.well_in_the_end("sessions are left again", lambda look: not _none_left(look)
                            and look.said.node("rw/0") == "primary"),
    ),
)
