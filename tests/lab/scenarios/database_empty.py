"""Somebody empties SPIRE's tables; a dump is put back."""

from __future__ import annotations

import os

from spirelab import exposition, names
from spirelab.database import database_of
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.registry import Registry
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_EMPTY = "SPIRE's tables are emptied"


def _script(lab: Lab, watch: Watch) -> None:
    postgres = database_of(lab)
    dump = os.path.join(lab.workspace.folder("postgres", 0o700), "dump.sql")
    postgres.dump(dump)
    Registry(lab).empty()
    watch.note(_EMPTY)
    watch.watch(40)
    postgres.restore(dump)
    watch.note(NOTHING)
    watch.watch(30)


def ours(look: Look) -> str:
    """Whether it is still the database that it was, and how much is in it."""
    rows, counted = look.said.rows(), look.first(names.ENTRIES)
    changes = ", ".join(
        f"{word} {value:g}" for word in ("created", "deleted")
        if (value := look.said.value(names.ENTRY_CHANGES, change=word)) is not None)
    return (f"{look.said.condition()}, rewinds "
            f"{look.said.value('spire_datastore_rewinds_total') or 0:g}, entries "
            + ("?" if rows is None else f"~{rows:g}")
            + ("" if counted is None else f" (counted {counted:g})")
            + (f", {changes}" if changes else ""))


def other(page: exposition.Page | None) -> str:
    """Its estimate of the rows is the server's own, as ours is."""
    if page is None:
        return "no page"
    rows = [one.value for one in page.named("pg_stat_user_tables_n_live_tup")
            if one.labels.get("relname") == "registered_entries"]
    return f"up {page.total('pg_up') or 0:g}" + (f", entries ~{rows[0]:g}" if rows else "")


_IT = WatchPlay(_script, lambda lab: Registry(lab).truth(), ours, other,
                prepare=lambda lab: Registry(lab).populate())

SCENARIO = Scenario(
    name="database-empty",
    summary="SPIRE's tables are emptied under it; 40 s later a dump is put back",
    run=_IT.run,
    expectations=(
        _IT.well_before("nothing is said of it", lambda look: look.said.condition() == "normal"
                        and (look.said.rows() or 0) > 0),
        _IT.says(_EMPTY, "called emptied", lambda look: look.said.condition() == "emptied"),
        # The server has no estimate of a table that was truncated until it is analyzed.
        _IT.says(_EMPTY, "no entries are estimated", lambda look: not look.said.rows()),
        _IT.one_connection_each,
        _IT.well_in_the_end("not called emptied", lambda look: look.said.condition()
                            in ("normal", "restored") and (look.said.rows() or 0) > 0),
    ),
)
