"""Expectations that several scenarios share."""

from __future__ import annotations

import time

from spirelab import names, web
from spirelab.judge import ledger_tolerance
from spirelab.monitoring import JOB, SCRAPE_SECONDS
from spirelab.scenario import Expectation
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, brief


def all_up(lab: Lab, timeline: Timeline) -> Line:
    """In the end every sidecar is scraped with success."""
    del timeline
    down = [one.label("instance") for one in lab.prometheus.query(f'up{{job="{JOB}"}} == 0')]
    return Line(not down, "every sidecar is up in the end", brief(down) or "all")


def collectors_recovered(lab: Lab, timeline: Timeline) -> Line:
    """In the end every collector succeeds, without a restart of the sidecar."""
    del timeline
    wrong = [f"{one.label('instance')} {one.label('target')}"
             for one in lab.prometheus.query(f"{names.COLLECTOR_SUCCESS} != 1")]
    return Line(not wrong, "every collector succeeds in the end", brief(wrong) or "all")


def counters_never_fell(instance: str) -> Expectation:
    """Counters of the sidecar did not go back, whatever happened to SPIRE."""
    def judge(lab: Lab, timeline: Timeline) -> Line:
        span = f'{{instance="{instance}"}}[{timeline.elapsed}s]'
        fell = []
        for name in (names.LINES, f"{names.RPC}_count", f"{names.DATASTORE}_count"):
            fell += [f"{name} {one.label('method')}".strip()
                     for one in lab.prometheus.query(f"resets({name}{span}) > 0")]
        return Line(not fell, f"{instance}: counters never fall", brief(fell) or "0 resets")
    return judge


def ledger_closed(instance: str) -> Expectation:
    """received + missing = handed: what SPIRE's client dropped is missing, and else nothing is.

    Judged by the low water of the last reports: between two of them the difference swings.
    """
    def judge(lab: Lab, timeline: Timeline) -> Line:
        ask, where = lab.prometheus.query, f'{{instance="{instance}"}}'
        # From before the first event: its drops may be on the first page that is scraped after it.
        span = f"[{timeline.elapsed + 3 * SCRAPE_SECONDS:g}s]"
        rate = sum(one.value for one in ask(f"rate({names.LINES}{where}[30s])"))
        missing = sum(one.value for one in ask(f"min_over_time({names.MISSING}{where}[25s])"))
        # The difference of the ends: increase() would extrapolate.
        drops = sum(one.value for one in ask(
            f"max_over_time({names.KERNEL_DROPS}{where}{span}) "
            f"- min_over_time({names.KERNEL_DROPS}{where}{span})"))
        client = sum(one.value for one in ask(
            f"max_over_time({names.CLIENT_DROPS}{where}{span}) "
            f"- min_over_time({names.CLIENT_DROPS}{where}{span})"))
        tolerance = ledger_tolerance(rate)
        # A datagram holds one line or more.
        lost = client + drops
        good = missing <= tolerance if lost == 0 else missing >= lost - tolerance
        return Line(good, f"{instance}: the ledger is closed",
                    f"{missing:g} lines missing (to within {tolerance:g}), {drops:g} datagrams "
                    f"dropped by the kernel, {client:g} packets by the client")
    return judge


def lines_flow(instance: str) -> Expectation:
    """Lines arrive again at the end."""
    def judge(lab: Lab, timeline: Timeline) -> Line:
        del timeline
        rate = sum(one.value for one in lab.prometheus.query(
            f'rate({names.LINES}{{instance="{instance}"}}[20s])'))
        return Line(rate > 0, f"{instance}: telemetry lines arrive in the end", f"{rate:.1f}/s")
    return judge


def flowing(lab: Lab, instance: str) -> bool:
    """Whether lines arrived within the last twenty seconds."""
    rate = lab.prometheus.query(f'rate({names.LINES}{{instance="{instance}"}}[20s])')
    return sum(one.value for one in rate) > 0


def page_seconds(lab: Lab, instance: str) -> float:
    """How long one page takes right now; infinite without an answer."""
    began = time.monotonic()
    try:
        web.get(lab.plan.member(instance).page_url, 5.0)
    except web.WebError:
        return float("inf")
    return time.monotonic() - began
