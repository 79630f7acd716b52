"""Somebody pauses replay on the standby and forgets it."""

from __future__ import annotations

from spirelab.database import Comparison, database_of
from spirelab.expect_database import DatabasePlay
from spirelab.lookout import NOTHING
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_PAUSED = "replay is paused"


def _script(lab: Lab, compare: Comparison) -> None:
    postgres = database_of(lab)
    postgres.run_sql("SELECT pg_wal_replay_pause();", node=postgres.standby)
    compare.note(_PAUSED)
    compare.watch(40)
    postgres.run_sql("SELECT pg_wal_replay_resume();", node=postgres.standby)
    compare.note(NOTHING)
    compare.watch(20)


_IT = DatabasePlay(_script)

SCENARIO = Scenario(
    name="replica-paused",
    summary="replay paused on the standby for 40 s",
    run=_IT.run,
    expectations=(_IT.lag_is_true, _IT.never_fine(_PAUSED), _IT.says(_PAUSED, "paused"),
                  _IT.well_in_the_end),
)
