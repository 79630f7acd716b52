"""Somebody's transaction locks SPIRE's table of agents and idles; others queue up behind it."""

from __future__ import annotations

from spirelab import exposition, names
from spirelab.database import database_of
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.postgres import Postgres
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.wait import poll_until

_LOCKED = "ACCESS EXCLUSIVE on the table of agents"
_TABLE = "attested_node_entries"
_ROOT, _MIDDLE, _LEAVES = "lock-root", "lock-middle", ("lock-leaf-1", "lock-leaf-2")
# The tree: the root idles in its transaction, the middle waits for it and is waited for by two.
_OURS = 1 + len(_LEAVES)
_PAGES = 300
_ADVISORY = 5150
# A wait is read every 5 s; a look is that old at most, and has taken a moment itself.
_SLACK_SECONDS = 7.0
_WAITS = ("SELECT count(DISTINCT pid) || ' wait, longest ' || coalesce(round(max(extract(epoch FROM "
          "clock_timestamp() - waitstart))::numeric, 1)::text, '0') || ' s' "
          "FROM pg_locks WHERE NOT granted")


def _script(lab: Lab, watch: Watch) -> None:
    postgres = database_of(lab)
    watch.time_pages("well", _PAGES)
    _queue(lab, postgres, _ROOT, f"BEGIN; LOCK TABLE {_TABLE} IN ACCESS EXCLUSIVE MODE;",
           "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND "
           f"relation = '{_TABLE}'::regclass", 1)
    watch.note(_LOCKED)
    _queue(lab, postgres, _MIDDLE, f"SELECT pg_advisory_lock({_ADVISORY}); "
           f"SELECT count(*) FROM {_TABLE};", _held("NOT granted AND locktype = 'relation'"), 1)
    for number, leaf in enumerate(_LEAVES, start=1):
        _queue(lab, postgres, leaf, f"SELECT pg_advisory_lock({_ADVISORY});",
               _held("NOT granted AND locktype = 'advisory'"), number)
    watch.watch(25)
    watch.time_pages("locked", _PAGES)
    watch.watch(10)
    for name in (_ROOT, _MIDDLE, *_LEAVES):
        lab.supervisor.find(name).kill()
    postgres.run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                     "application_name LIKE 'lock-%';")
    watch.note(NOTHING)
    watch.watch(25)


def _queue(lab: Lab, postgres: Postgres, name: str, statement: str, seen: str, least: int) -> None:
    """A session that does this and stays; returns when the server shows it."""
    script = f"echo \"SET application_name = '{name}'; {statement}\"; exec sleep 600"
    lab.supervisor.start(postgres.session(name, script, user="lab"))
    poll_until(lambda: int(postgres.ask(postgres.primary, seen, "spire") or 0) >= least, 10,
               f"{name} is where it should be")


def _held(condition: str) -> str:
    return ("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE "
            f"application_name LIKE 'lock-%' AND {condition}")


def _truth(lab: Lab) -> str:
    postgres = database_of(lab)
    return postgres.ask(postgres.primary, _WAITS) or "no answer"


def _ours(look: Look) -> str:
    said = look.said
    waits = said.value(names.PG_LONGEST_WAIT, node="rw/0")
    roots = said.value(names.PG_ROOTS, node="rw/0")
    spires = said.value(names.PG_SPIRE_WAITING, node="rw/0")
    if waits is None or roots is None or spires is None:
        return "not known"
    if roots == 0:
        return f"nobody is blocked, agents {_agents(look)}"
    return (f"{_blocked(look):g} blocked ({spires:g} of SPIRE's), longest {waits:.1f} s, root "
            f"{said.state('spire_postgres_blocking_root_state', node='rw/0')}, "
            f"agents {_agents(look)}")


def _other(page: exposition.Page | None) -> str:
    if page is None:
        return "no page"
    held = [one.value for one in page.named("pg_locks_count")
            if one.labels.get("mode") == "accessexclusivelock"
            and one.labels.get("datname") == "spire"]
    return f"up {page.total('pg_up') or 0:g}" + (
        f", {sum(held):g} exclusive locks, held or not" if held else "")


def _agents(look: Look) -> str:
    return look.said.state(names.LOOK_STATE, part="agents")


def _blocked(look: Look) -> float:
    return look.said.value(names.PG_BLOCKED, node="rw/0") or 0


def _shape(look: Look) -> bool:
    return (_blocked(look) >= _OURS
            and look.said.value(names.PG_ROOTS, node="rw/0") == 1
            and look.said.state(names.PG_ROOT_STATE, node="rw/0")
            == "idle_in_transaction")


def _wait_is_true(look: Look) -> bool:
    said = look.said.value(names.PG_LONGEST_WAIT, node="rw/0")
    words = look.truth.split("longest ")
    return (said is not None and said > 0 and len(words) == 2
            and abs(said - float(words[1].split()[0])) <= _SLACK_SECONDS)


_IT = WatchPlay(_script, _truth, _ours, _other)

SCENARIO = Scenario(
    name="lock-storm",
    summary="an idle transaction holds ACCESS EXCLUSIVE on SPIRE's agents; a tree grows behind it",
    run=_IT.run,
    expectations=(
        _IT.well_before("nobody is blocked", lambda look: _blocked(look) == 0
                        and _agents(look) == "ok"),
        _IT.says(_LOCKED, f"at least {_OURS} are behind one root that idles", _shape, within=10),
        _IT.says(_LOCKED, f"the longest wait is true to {_SLACK_SECONDS:g} s", _wait_is_true,
                 within=10),
        _IT.says(_LOCKED, "the table is named as locked", lambda look:
                 _agents(look) == "locked", within=12),
        _IT.pages_as_fast("well", "locked"),
        _IT.one_connection_each,
        _IT.well_in_the_end("nobody is blocked", lambda look: _blocked(look) == 0
                            and _agents(look) == "ok"),
    ),
)
