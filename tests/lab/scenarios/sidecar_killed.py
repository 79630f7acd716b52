"""A sidecar dies and leaves its socket file behind; somebody is told; it starts again."""

from __future__ import annotations

import os

from spirelab import expect
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line

_VICTIM = "server-0"  # listens on a unix socket
_ALERT = "SpireExporterDown"
_ALERT_SECONDS = 120.0


def run(lab: Lab, timeline: Timeline) -> None:
    member = lab.plan.member(_VICTIM)
    process = lab.sidecar(member)
    process.kill()
    left = os.path.exists(member.stream_listen.removeprefix("unixgram://"))
    timeline.add("broken", f"SIGKILL to the sidecar of {_VICTIM}, its socket file is "
                           f"{'left behind' if left else 'gone'}")
    timeline.until(lambda: _ALERT in timeline.alert_names(), _ALERT_SECONDS, f"{_ALERT} comes")
    process.start()
    timeline.add("mended", "the sidecar started again")
    lab.wait_sidecar(member)
    timeline.add("note", "the sidecar is healthy")
    timeline.until(lambda: expect.flowing(lab, _VICTIM), 30, "lines arrive again")
    timeline.until(lambda: any(event.kind == "alert" and "resolved" in event.text
                               for event in timeline.events()), 60, "the alert resolves")
    # Two reports of the client after the new sidecar's start.
    timeline.watch(25)


def spire_unharmed(lab: Lab, timeline: Timeline) -> Line:
    """SPIRE does not care whether its sidecar lives."""
    del timeline
    process = lab.spire(lab.plan.member(_VICTIM))
    return Line(process.running() and process.starts == 1, "SPIRE went on by itself",
                f"pid {process.pid}, started {process.starts} time(s)")


SCENARIO = Scenario(
    name="sidecar-killed",
    summary="SIGKILL of a sidecar, its socket left behind; the alert comes, the next start works",
    run=run,
    expectations=(expect.all_up, expect.collectors_recovered, expect.lines_flow(_VICTIM),
                  spire_unharmed),
    alerts=frozenset({_ALERT}),
)
