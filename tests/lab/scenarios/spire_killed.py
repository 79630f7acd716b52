"""A SPIRE server dies without a word and comes back."""

from __future__ import annotations

from spirelab import expect
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.timeline import Timeline

_VICTIM = "server-1"
_AWAY_SECONDS = 12.0


def run(lab: Lab, timeline: Timeline) -> None:
    member = lab.plan.member(_VICTIM)
    process = lab.spire(member)
    process.kill()
    timeline.add("broken", f"SIGKILL to {_VICTIM}")
    timeline.watch(_AWAY_SECONDS)
    process.start()
    timeline.add("mended", f"{_VICTIM} started again")
    lab.wait_spire(member)
    timeline.add("note", f"{_VICTIM} is ready")
    # Two reports of the new client close its ledger.
    timeline.watch(35)


SCENARIO = Scenario(
    name="spire-killed",
    summary="SIGKILL of a SPIRE server, restart after 12 s; counters go on, the ledger starts anew",
    run=run,
    expectations=(expect.all_up, expect.collectors_recovered, expect.lines_flow(_VICTIM),
                  expect.ledger_closed(_VICTIM), expect.counters_never_fell(_VICTIM)),
)
