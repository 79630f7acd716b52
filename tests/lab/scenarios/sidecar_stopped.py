"""A sidecar that stands still for two seconds, as under a CPU limit or a live migration."""

from __future__ import annotations

import signal

from spirelab import expect
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.timeline import Timeline

_VICTIMS = ("server-0", "server-1")  # one by unixgram, one by UDP
_PAUSE_SECONDS = 2.0


def run(lab: Lab, timeline: Timeline) -> None:
    sidecars = [lab.sidecar(lab.plan.member(name)) for name in _VICTIMS]
    for process in sidecars:
        process.signal(signal.SIGSTOP)
    timeline.add("broken", f"SIGSTOP to the sidecars of {' and '.join(_VICTIMS)}")
    timeline.watch(_PAUSE_SECONDS)
    for process in sidecars:
        process.signal(signal.SIGCONT)
    timeline.add("mended", "SIGCONT")
    # A loss is sure once it has outlasted six reports of the client, ten seconds apart.
    timeline.watch(90)


SCENARIO = Scenario(
    name="sidecar-stopped",
    summary="two sidecars stand still for two seconds; no line is lost unnoticed",
    run=run,
    expectations=(expect.all_up, expect.collectors_recovered,
                  *(expect.ledger_closed(name) for name in _VICTIMS),
                  *(expect.counters_never_fell(name) for name in _VICTIMS)),
)
