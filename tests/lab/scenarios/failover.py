"""The primary dies, the standby is promoted, and then the old primary comes back."""

from __future__ import annotations

from spirelab import database
from spirelab.database import Comparison, database_of
from spirelab.expect_database import DatabasePlay
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_DEAD = "the primary is dead"
_PROMOTED = "the standby is promoted"
_BOTH = "the old primary is back beside it"
# The longest wait before a node that was gone is tried again, a reading, and a look of ours.
_SAID_SECONDS = 12.0


def _script(lab: Lab, compare: Comparison) -> None:
    postgres = database_of(lab)
    database.stop(lab, postgres.primary)
    compare.note(_DEAD)
    compare.watch(20)
    postgres.run_sql("SELECT pg_promote(true, 30);", node=postgres.standby)
    compare.note(_PROMOTED)
    compare.watch(20)
    database.start(lab, postgres.primary)
    compare.note(_BOTH)
    compare.watch(20)


_IT = DatabasePlay(_script)

SCENARIO = Scenario(
    name="failover",
    summary="the primary dies, the standby is promoted, the old primary comes back writable",
    run=_IT.run,
    expectations=(_IT.never_fine(_DEAD), _IT.says(_DEAD, "primary_unreachable"),
                  _IT.says(_PROMOTED, "ro primary"),
                  _IT.says(_BOTH, "split_brain", within=_SAID_SECONDS)),
)
