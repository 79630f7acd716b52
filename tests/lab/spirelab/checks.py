"""Holds a running lab against what it should be, over one window of time."""

from __future__ import annotations

import math
import os
import subprocess
import time
from dataclasses import dataclass

from spirelab import judge, names, web
from spirelab.errors import LabError
from spirelab.exposition import Page, PageError, parse_page
from spirelab.monitoring import JOB, SCRAPE_SECONDS, find_program
from spirelab.plan import Member
from spirelab.prometheus_api import Sample
from spirelab.stage import Lab
from spirelab.truth import Timing, read_record, read_truth, rpc_timings
from spirelab.verdict import Verdict, brief
from spirelab.wait import poll_until

# Alerts that may fire in a healthy lab. Empty: a healthy lab is quiet.
_EXPECTED_ALERTS: frozenset[str] = frozenset()
_QUANTILES = (0.5, 0.9, 0.99)
_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass(frozen=True)
class Window:
    """The time that is judged, in seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> int:
        """Whole seconds inside, as Prometheus wants them."""
        return max(1, int(self.end - self.start))


def judge_lab(lab: Lab, window: Window) -> Verdict:
    """The whole verdict; a source that does not answer is a failed line, not an exception."""
    verdict = Verdict(f"verdict over {window.seconds} s with {lab.heading}")
    for part in (_sources, _ledgers, _latencies, _truth, _pages, _alerts):
        try:
            part(lab, window, verdict)
        except (web.WebError, LabError, PageError) as error:
            verdict.add(False, part.__name__.strip("_") + " can be judged", str(error))
    return verdict


def _sources(lab: Lab, window: Window, verdict: Verdict) -> None:
    instances = [member.name for member in lab.plan.members]
    query = lab.prometheus
    least = max(1, int(window.seconds / SCRAPE_SECONDS) - 1)
    verdict.lines.append(judge.judge_up(
        query.raw(f'up{{job="{JOB}"}}', window.seconds, window.end), instances, least))
    verdict.lines.append(judge.judge_everywhere(
        "collectors succeed", query.query(names.COLLECTOR_SUCCESS, window.end), instances, 1))
    dead = [process.name for process in lab.supervisor.all() if not process.running()]
    verdict.add(not dead, "every program still runs", brief(dead) or
                f"{len(lab.supervisor.all())} processes")
    assert lab.postgres is not None
    verdict.add(lab.postgres.streaming(), "the standby streams", lab.postgres.replication_state())
    if lab.real is not None:
        _identities(lab, verdict)
    behind = query.query(names.AGENTS_BEHIND, window.end)
    changed = query.query(names.LAST_CHANGE, window.end)
    verdict.lines.append(judge.judge_taken(
        behind[0].value if behind else None,
        window.end - changed[0].value if changed else window.seconds, len(lab.plan.agents())))
    limits = {member.name: judge.AGENT_SERIES if member.role == "agent" else judge.SERVER_SERIES
              for member in lab.plan.members}
    verdict.lines.append(judge.judge_series(query.query(
        f'scrape_samples_post_metric_relabeling{{job="{JOB}"}}', window.end), limits))
    for role, members in (("server", lab.plan.servers()), ("agent", lab.plan.agents())):
        verdict.lines.append(judge.judge_memory(
            role, {member.name: lab.sidecar(member).resident_bytes() for member in members}))


def _identities(lab: Lab, verdict: Verdict) -> None:
    assert lab.real is not None
    evidence = [f"{member.name}: {lab.real.fetch_svid(member)}" for member in lab.plan.agents()]
    verdict.add(True, "agents serve SVIDs", "\n".join(evidence))
    now, lines, wrong = time.time(), [], []
    for name, state in sorted(lab.real.workloads().items()):
        lines.append(f"{name}: {state['x509_held']:g} X.509-SVIDs, {state['jwt_ok']:g} JWT calls")
        if not state["x509_held"] or now - state["jwt_at"] > 10:
            wrong.append(f"{name}: {state['last_error'] or 'holds nothing'}")
    expected = 2 * len(lab.plan.agents())
    verdict.add(not wrong and len(lines) == expected, "both fleets hold X.509- and JWT-SVIDs",
                brief(wrong) or "\n".join(lines) or "no workload has reported")


def _ledgers(lab: Lab, window: Window, verdict: Verdict) -> None:
    instances = [member.name for member in lab.plan.members]
    query = lab.prometheus
    rates = {name: 0.0 for name in instances}
    for one in query.query(f"sum by (instance) (rate({names.LINES}[{window.seconds}s]))",
                           window.end):
        rates[one.label("instance")] = one.value
    # The last three reports of the client; a loss that happened before is in them as well.
    seconds = min(window.seconds, 35)
    verdict.lines.append(judge.judge_ledger(
        query.raw(names.MISSING, seconds, window.end), _ledger_states(lab, window.end), rates,
        window.seconds))
    verdict.lines.append(judge.judge_nothing(
        "no line rejected", query.query(names.REJECTED, window.end)))
    verdict.lines.append(judge.judge_nothing(
        "no datagram dropped by the kernel", query.query(names.KERNEL_DROPS, window.end),
        instances))
    silent = [f"{name}: silent" for name, rate in rates.items() if not rate > 0]
    verdict.add(not silent, "telemetry lines arrive", brief(silent)
                or brief([f"{name} {rate:.1f}/s" for name, rate in rates.items()]))
    verdict.lines.append(judge.judge_nothing(
        "no key of SPIRE is unknown", query.query(
            f'{{__name__=~"{names.UNMAPPED_PREFIX}.+",job="{JOB}"}}', window.end)))


def _latencies(lab: Lab, window: Window, verdict: Verdict) -> None:
    instances = [member.name for member in lab.plan.members]
    span = f"[{window.seconds}s]"
    increases = lab.prometheus.query(
        f"sum by (instance) (increase({names.RPC}_count{span}))", window.end)
    quantiles = lab.prometheus.query(
        f"histogram_quantile(0.99, sum by (instance, method, le) "
        f"(rate({names.RPC}_bucket{span})))", window.end)
    finite = [one for one in quantiles if math.isfinite(one.value)]
    verdict.lines.append(judge.judge_latencies(increases, finite, instances))


def _ledger_states(lab: Lab, at: float) -> dict[str, str]:
    """The state that is 1, of each sidecar; the worst of several listeners comes last."""
    found = {}
    for one in lab.prometheus.query(f"{names.LEDGER_STATE} == 1", at):
        state = one.label("state") or one.label(names.LEDGER_STATE)
        if found.get(one.label("instance"), "balanced") == "balanced":
            found[one.label("instance")] = state
    return found


def _truth(lab: Lab, window: Window, verdict: Verdict) -> None:
    """Quantiles by Prometheus against what really was sent: raw datagrams, or the simulator's
    record."""
    for member in lab.plan.members:
        if member.tee_ports is not None:
            with open(member.tee_record, "rb") as file:
                timings = list(rpc_timings(read_record(file.read())))
            source = "raw datagrams"
        elif lab.real is None:
            timings, source = _simulated(member, window), "the simulator's record"
        else:
            continue
        bounds = _bounds(parse_page(web.get(member.page_url)[0]))
        calls: dict[tuple[str, str, str], list[Timing]] = {}
        for one in timings:
            calls.setdefault(one.series, []).append(one)
        compared = _compare(lab, member, window, "all RPCs", "", timings, bounds)
        for (service, method, status), mine in calls.items():
            if len(mine) >= judge.LEAST_OBSERVATIONS:
                compared += _compare(
                    lab, member, window, f"{method} {status}",
                    f',service="{service}",method="{method}",status="{status}"', mine, bounds)
        verdict.lines.append(judge.judge_quantiles(member.name, source, compared))


def _simulated(member: Member, window: Window) -> list[Timing]:
    """The simulator's record up to the end of the window; it is written with some delay."""
    def whole() -> list[Timing] | None:
        with open(member.truth_file, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")[:-1]
        last = lines[-1].split("\t", 1)[0] if lines else "0"
        return read_truth(lines) if float(last) > window.end else None

    return poll_until(whole, 30, f"the record of {member.name} reaches the end of the window")


def _compare(lab: Lab, member: Member, window: Window, title: str, matchers: str,
             timings: list[Timing], bounds: list[float]) -> list[judge.Compared]:
    selector = f'instance="{member.name}"{matchers}'
    windows = {}
    for track in lab.prometheus.raw(f"{names.RPC}_count{{{selector}}}", window.seconds,
                                    window.end):
        labels = track.labels
        series = (labels.get("service", ""), labels.get("method", ""), labels.get("status", ""))
        windows[series] = (track.points[0][0], track.points[-1][0])
    found = []
    for quantile in _QUANTILES:
        answer = _first(lab.prometheus.query(
            f"histogram_quantile({quantile}, sum by (le) (increase("
            f"{names.RPC}_bucket{{{selector}}}[{window.seconds}s])))", window.end))
        compared = judge.compare_quantile(title, quantile, answer, timings,
                                          windows, bounds)
        if compared is not None:
            found.append(compared)
    return found


def _first(samples: list[Sample]) -> float:
    return samples[0].value if samples else math.nan


def _bounds(page: Page) -> list[float]:
    found = {float(one.labels["le"]) for one in page.named(f"{names.RPC}_bucket")
             if "le" in one.labels}
    return sorted(bound for bound in found if math.isfinite(bound))


def _pages(lab: Lab, window: Window, verdict: Verdict) -> None:
    del window
    promtool = find_program(("promtool",), "prometheus")
    unclean, unread, series = [], [], 0
    for member in lab.plan.members:
        text, _ = web.get(member.page_url)
        page = parse_page(text)
        series += len(page.series)
        try:
            linted = subprocess.run([promtool, "check", "metrics"], input=text, timeout=20,
                                    capture_output=True, text=True, check=False)
            complaints = judge.lint_that_counts(
                (linted.stdout + linted.stderr).strip().splitlines(), page.types)
        except subprocess.TimeoutExpired:
            complaints = ["promtool hung"]
        if complaints:
            unclean.append(f"{member.name}: {brief(complaints)}")
        other, kind = web.get(member.page_url, headers={"Accept": _OPENMETRICS})
        if not kind.startswith("application/openmetrics-text"):
            unread.append(f"{member.name}: {kind}")
        elif not other.endswith("\n# EOF\n"):
            unread.append(f"{member.name}: no # EOF at the end")
    count = len(lab.plan.members)
    verdict.add(not unclean, "promtool check metrics is clean",
                brief(unclean) or f"{count} pages, {series} samples")
    verdict.add(not unread, "OpenMetrics pages end with # EOF", brief(unread) or f"{count} pages")


def _alerts(lab: Lab, window: Window, verdict: Verdict) -> None:
    del window
    verdict.lines.append(judge.judge_rules(lab.prometheus.rule_groups()))
    verdict.lines.append(judge.judge_alerts(lab.prometheus.alerts(), _EXPECTED_ALERTS))
    assert lab.receiver is not None
    pages = [f"{page.name}@{page.instance or '-'}" for page in lab.receiver.pages()
             if page.status == "firing" and page.name not in _EXPECTED_ALERTS]
    verdict.add(not pages, "the receiver got no page", brief(pages) or "none")


def log_problems(lab: Lab) -> list[str]:
    """Error lines in the sidecars' logs, for the end of a failed run."""
    found = []
    for member in lab.plan.members:
        path = os.path.join(member.directory, "exporter.log")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                bad = [line.strip() for line in file if "level=error" in line]
        except OSError:
            continue
        found += [f"{member.name}: {line}" for line in bad[-3:]]
    return found
