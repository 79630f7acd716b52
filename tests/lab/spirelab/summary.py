"""The live summary: what is up, the loss ledger, rates and latencies per RPC."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass

from spirelab import names, web
from spirelab.monitoring import JOB
from spirelab.prometheus_api import Sample
from spirelab.stage import Lab

_SPAN = "30s"
_ROWS = 16


@dataclass(frozen=True)
class RpcRow:
    """One line of the table of RPCs."""

    component: str
    name: str
    rate: float
    p50: float
    p99: float


def rpc_rows(rates: list[Sample], p50: list[Sample], p99: list[Sample]) -> list[RpcRow]:
    """Joins the three answers, busiest first."""
    def key(sample: Sample) -> tuple[str, str, str]:
        return sample.label("component"), sample.label("service"), sample.label("method")

    middle = {key(one): one.value for one in p50}
    high = {key(one): one.value for one in p99}
    rows = [RpcRow(one.label("component"), f"{one.label('service')}/{one.label('method')}",
                   one.value, middle.get(key(one), math.nan), high.get(key(one), math.nan))
            for one in rates if one.value > 0]
    return sorted(rows, key=lambda row: (-row.rate, row.name))


def milliseconds(seconds: float) -> str:
    """`-` where there is no answer."""
    return f"{seconds * 1000:.2f} ms" if math.isfinite(seconds) else "-"


def render_rpcs(rows: list[RpcRow]) -> list[str]:
    out = [f"{'RPC':54}{'rate':>9}{'p50':>12}{'p99':>12}"]
    for row in rows[:_ROWS]:
        name = f"{row.component} {row.name}"
        out.append(f"{name[:53]:54}{row.rate:7.2f}/s{milliseconds(row.p50):>12}"
                   f"{milliseconds(row.p99):>12}")
    if len(rows) > _ROWS:
        out.append(f"... and {len(rows) - _ROWS} more")
    return out


def _by_instance(samples: list[Sample]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in samples:
        found[one.label("instance")] = found.get(one.label("instance"), 0.0) + one.value
    return found


def _number(values: dict[str, float], name: str) -> str:
    return f"{values[name]:.0f}" if name in values else "-"


def render(lab: Lab) -> list[str]:
    """All lines of the summary; what does not answer shows as such."""
    try:
        return _render(lab)
    except web.WebError as error:
        return [f"Prometheus does not answer: {error}"]


def _render(lab: Lab) -> list[str]:
    ask = lab.prometheus.query
    up = _by_instance(ask(f'up{{job="{JOB}"}}'))
    lines = _by_instance(ask(names.LINES))
    sent = _by_instance(ask(names.CLIENT_SENT))
    missing = _by_instance(ask(names.MISSING))
    rejected = _by_instance(ask(names.REJECTED))
    dropped = _by_instance(ask(names.KERNEL_DROPS))
    out = [f"{lab.heading}",
           f"Prometheus http://127.0.0.1:{lab.plan.prometheus_port}/  Alertmanager "
           f"http://127.0.0.1:{lab.plan.alertmanager_port}/  (Ctrl-C ends it)", "",
           f"{'beside':12}{'sidecar':>8}{'SPIRE':>7}{'received':>11}{'handed':>11}{'missing':>9}"
           f"{'rejected':>10}{'dropped':>9}{'memory':>10}  page"]
    for member in lab.plan.members:
        name = member.name
        size = lab.sidecar(member).resident_bytes()
        memory = f"{size / 1048576:.1f} MiB" if size else "-"
        ready = web.status(f"http://127.0.0.1:{member.health_port}/ready", 0.5)
        out.append(f"{name:12}{'up' if up.get(name) == 1 else 'DOWN':>8}"
                   f"{'ready' if ready == 200 else str(ready or 'down'):>7}"
                   f"{_number(lines, name):>11}{_number(sent, name):>11}"
                   f"{_number(missing, name):>9}{_number(rejected, name):>10}"
                   f"{_number(dropped, name):>9}{memory:>10}  {member.page_url}")
    if lab.postgres is not None:
        out.append(f"standby: {lab.postgres.replication_state()}")
    if lab.real is not None:
        for name, state in sorted(lab.real.workloads().items()):
            out.append(f"fleet {name}: {state['x509_held']:g} X.509-SVIDs held, "
                       f"{state['jwt_ok']:g} JWT-SVIDs, {state['jwt_failed']:g} failed")
    by = "component, service, method"
    out.append("")
    out += render_rpcs(rpc_rows(
        ask(f"sum by ({by}) (rate({names.RPC}_count[{_SPAN}]))"),
        ask(f"histogram_quantile(0.5, sum by ({by}, le) (rate({names.RPC}_bucket[{_SPAN}])))"),
        ask(f"histogram_quantile(0.99, sum by ({by}, le) (rate({names.RPC}_bucket[{_SPAN}])))")))
    firing = [alert for alert in lab.prometheus.alerts() if alert.get("state") == "firing"]
    out.append("")
    out.append("alerts: " + (", ".join(
        f"{alert['labels'].get('alertname')}@{alert['labels'].get('instance', '-')}"
        for alert in firing) or "none"))
    return out


class Screen:
    """Repaints in place on a terminal; elsewhere prints each summary below the last."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, lines: list[str]) -> None:
        if self._terminal:
            size = os.get_terminal_size()
            shown = [line[:size.columns - 1] for line in lines[:size.lines - 1]]
            sys.stdout.write("\x1b[H\x1b[2J" + "\n".join(shown) + "\n")
        else:
            sys.stdout.write("\n".join(lines) + "\n\n")
        sys.stdout.flush()

    @property
    def terminal(self) -> bool:
        return self._terminal
