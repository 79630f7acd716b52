"""The standby is cut off from its primary: first the line hangs, then it is cut."""

from __future__ import annotations

import signal

from spirelab import database
from spirelab.database import Comparison
from spirelab.expect_database import DatabasePlay
from spirelab.lookout import NOTHING
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_HUNG = "the line to the primary hangs"
_CUT = "the line to the primary is cut"


def _script(lab: Lab, compare: Comparison) -> None:
    compare.write_off()
    compare.note("nothing, and the primary is idle")
    lab_idle_seconds = 20
    compare.watch(lab_idle_seconds)
    compare.write_on()
    database.relay(lab, signal.SIGSTOP)
    compare.note(_HUNG)
    compare.watch(50)
    database.relay(lab, signal.SIGKILL)
    compare.note(_CUT)
    compare.watch(30)
    database.mend_relay(lab)
    compare.note(NOTHING)
    compare.watch(30)


_IT = DatabasePlay(_script)

SCENARIO = Scenario(
    name="replica-cut-off",
    summary="the standby's line hangs and is cut; its data grows old while it answers",
    run=_IT.run,
    expectations=(_IT.lag_is_true, _IT.never_fine(_HUNG), _IT.never_fine(_CUT),
                  _IT.says(_HUNG, "receiver_silent", "receiver_missing", "upstream_lost"),
                  _IT.says(_CUT, "receiver_missing", "upstream_lost"), _IT.well_in_the_end),
)
