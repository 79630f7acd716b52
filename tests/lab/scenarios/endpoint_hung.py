"""A SPIRE server stops answering while its ports stay open; the sidecar must not hang with it."""

from __future__ import annotations

import signal

from spirelab import expect
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line

_VICTIM = "server-1"
_HUNG_SECONDS = 10.0
_PAGE_SECONDS = 1.0
_MEASURED = "page seconds"


def run(lab: Lab, timeline: Timeline) -> None:
    member = lab.plan.member(_VICTIM)
    process = lab.spire(member)
    process.signal(signal.SIGSTOP)
    timeline.add("broken", f"SIGSTOP to {_VICTIM}")

    def ask() -> bool:
        timeline.measure(_MEASURED, expect.page_seconds(lab, _VICTIM))
        return False

    timeline.until(ask, _HUNG_SECONDS)
    process.signal(signal.SIGCONT)
    timeline.add("mended", "SIGCONT")
    lab.wait_spire(member)
    # A loss is sure once it has outlasted six reports of the client, ten seconds apart.
    timeline.watch(90)


def pages_answered(lab: Lab, timeline: Timeline) -> Line:
    """The sidecar served every page within its second while SPIRE hung."""
    del lab
    took = timeline.measured(_MEASURED)
    worst = max(took, default=float("inf"))
    return Line(worst <= _PAGE_SECONDS, f"a page within {_PAGE_SECONDS:g} s while SPIRE hangs",
                f"{len(took)} pages, slowest {worst * 1000:.1f} ms")


SCENARIO = Scenario(
    name="endpoint-hung",
    summary="SIGSTOP of a SPIRE server for 10 s; its sidecar goes on answering and says so",
    run=run,
    expectations=(pages_answered, expect.all_up, expect.collectors_recovered,
                  expect.lines_flow(_VICTIM), expect.ledger_closed(_VICTIM),
                  expect.counters_never_fell(_VICTIM)),
)
