"""The standby is away for too long: its slot loses the log that it needs, and it never comes back."""

from __future__ import annotations

import signal

from spirelab import database
from spirelab.database import Comparison, database_of
from spirelab.expect_database import DatabasePlay
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_AWAY = "the standby is away and the log grows"
_LOST = "the slot is lost, the line is back"


def _script(lab: Lab, compare: Comparison) -> None:
    postgres = database_of(lab)
    database.relay(lab, signal.SIGKILL)
    compare.note(_AWAY)
    for _ in range(8):
        postgres.run_sql("INSERT INTO ballast SELECT repeat('x', 1000) FROM "
                         "generate_series(1, 16000); SELECT pg_switch_wal(); CHECKPOINT;", "lab")
        compare.watch(5)
    database.mend_relay(lab)
    compare.note(_LOST)
    compare.watch(40)


_IT = DatabasePlay(_script)

SCENARIO = Scenario(
    name="replica-lost-slot",
    summary="the standby's slot is lost; it answers for ever with what it had",
    run=_IT.run,
    expectations=(_IT.lag_is_true, _IT.never_fine(_AWAY), _IT.never_fine(_LOST),
                  # That it is away, and that it must be built anew, are two things.
                  _IT.says(_AWAY, "receiver_missing"), _IT.says(_LOST, database.LOST_SLOT)),
)
