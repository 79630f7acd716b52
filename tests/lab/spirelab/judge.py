"""Pure judgements over what Prometheus and the sidecars answered; each gives one verdict line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spirelab import truth as true
from spirelab.prometheus_api import Sample, Track
from spirelab.truth import Timing
from spirelab.verdict import Line, brief

AGENT_SERIES = 400
SERVER_SERIES = 1500
# By what a sidecar has to do: an agent's reads telemetry, a server's watches the database as well.
MEMORY_GOAL = {"agent": 13 << 20, "server": 18 << 20}
# With gRPC, TLS and the database in use: the goals are those of the design. Measured: 12.6 and 15.2.
MEMORY_LIMIT = {"agent": 15 << 20, "server": 18 << 20}
# A server reads changes every five seconds and an agent asks every five; then come the readings and the scrape.
TAKEN_SECONDS = 30
# Fewer observations say nothing about a quantile.
LEAST_OBSERVATIONS = 30
# A ledger is judged by the client's reports, which come every ten seconds, after two of them.
LEDGER_SECONDS = 30
# A ledger knows what is missing to within the lines that the client was handed and still holds in
# its buffers when it reports: a dozen that fall on the same second as the report, and what comes in
# the 100 ms between two flushes. Their number can be the same at every report.
_LEDGER_DOZEN = 12
_FLUSH_SECONDS = 0.1
# A scrape and the tee's clock disagree by less than this about which side a datagram belongs to.
_EDGE_SECONDS = 0.5


def judge_up(tracks: list[Track], instances: list[str], least: int) -> Line:
    """Every sidecar was scraped with success, at every scrape of the window."""
    what = "every sidecar is up, all the time"
    found = {track.labels.get("instance", ""): track.points for track in tracks}
    wrong = []
    for name in instances:
        values = [value for _, value in found.get(name, [])]
        if len(values) < least:
            wrong.append(f"{name}: {len(values)} scrapes, {least} expected")
        elif min(values) < 1:
            wrong.append(f"{name}: {sum(1 for value in values if value < 1)} of "
                         f"{len(values)} scrapes failed")
    if wrong:
        return Line(False, what, brief(wrong))
    fewest = min(len(found[name]) for name in instances)
    return Line(True, what, f"{len(instances)} sidecars, at least {fewest} scrapes each")


def judge_taken(behind: float | None, age: float, agents: int) -> Line:
    """Every agent has synchronised since the database's last change of entries, once there was time to."""
    what = "agents have taken the last change of entries"
    evidence = (f"{behind:g} of {agents} have not, {age:.0f} s after it" if behind is not None
                else "not known: no age of a change, or no synchronisation")
    return Line(behind == 0 if age > TAKEN_SECONDS else None, what, evidence)


def judge_everywhere(what: str, samples: list[Sample], instances: list[str], good: float) -> Line:
    """Every instance has the metric and every series of it has the good value."""
    wrong = []
    for name in instances:
        mine = [one for one in samples if one.label("instance") == name]
        if not mine:
            wrong.append(f"{name}: absent")
        wrong += [f"{name}: {one.value:g}" + _of(one) for one in mine if one.value != good]
    return Line(not wrong, what, brief(wrong) or f"{good:g} on {len(instances)} sidecars")


def judge_nothing(what: str, samples: list[Sample], instances: list[str] | None = None) -> Line:
    """No series is above zero; with `instances`, each of them must have the metric at all."""
    wrong = [f"{one.label('instance')}: {one.value:g}" + _of(one) for one in samples
             if one.value != 0]
    seen = {one.label("instance") for one in samples}
    wrong += [f"{name}: absent" for name in instances or [] if name not in seen]
    return Line(not wrong, what, brief(wrong) or "none")


def _of(sample: Sample) -> str:
    words = [f"{name}={value}" for name, value in sorted(sample.labels.items())
             if name not in ("__name__", "instance", "job", "spire_role")]
    return f" ({' '.join(words)})" if words else ""


def ledger_tolerance(rate: float) -> float:
    """Lines that may seem to be missing at so many lines a second."""
    return _LEDGER_DOZEN + math.ceil(rate * _FLUSH_SECONDS)


def judge_ledger(tracks: list[Track], states: dict[str, str], rates: dict[str, float],
                 window: float) -> Line:
    """Missing lines return to the tolerance: the difference swings between two reports, lost lines
    shift it for good. `states` is what each ledger says of itself, `rates` the lines a second of
    every sidecar there should be."""
    what = "loss ledger balanced, to within lines under way"
    wrong, shown = [], []
    for name, rate in rates.items():
        values = [value for track in tracks if track.labels.get("instance") == name
                  for _, value in track.points]
        state = states.get(name, "absent")
        if not values or state == "waiting":
            wrong.append(f"{name}: not judged" + (
                f" ({window:.0f} s are too short, two reports take {LEDGER_SECONDS} s)"
                if window < LEDGER_SECONDS else ""))
            continue
        limit = ledger_tolerance(rate)
        if not min(values) <= limit or math.isnan(values[-1]):
            wrong.append(f"{name}: {values[-1]:g} lines missing, {limit:g} may be under way")
        elif state not in ("balanced", "missing"):
            wrong.append(f"{name}: {state}")
        shown.append(f"{name} {min(values):g}/{limit:g}")
    return Line(not wrong, what, brief(wrong) or brief(shown))


def judge_series(samples: list[Sample], limits: dict[str, int]) -> Line:
    """Pages stay within their budget."""
    wrong, shown = [], []
    for name, limit in limits.items():
        values = [one.value for one in samples if one.label("instance") == name]
        if not values:
            wrong.append(f"{name}: absent")
        elif max(values) > limit:
            wrong.append(f"{name}: {max(values):g} of {limit}")
        else:
            shown.append(f"{name} {max(values):g}/{limit}")
    return Line(not wrong, "series per page within the budget", brief(wrong) or brief(shown))


def judge_memory(role: str, resident: dict[str, int | None]) -> Line:
    """Fails above the limit of the role; above the goal the line says so."""
    goal, limit = MEMORY_GOAL[role], MEMORY_LIMIT[role]
    gone = [name for name, size in resident.items() if size is None]
    sizes = {name: size for name, size in resident.items() if size is not None}
    shown = brief([f"{name} {size / 1048576:.1f} MiB" for name, size in sizes.items()])
    most = max(sizes.values(), default=0)
    if most > goal:
        shown += f"\ngoal of {goal >> 20} MiB missed"
    return Line(not gone and bool(sizes) and most <= limit,
                f"resident memory of a {role}'s sidecar at most {limit >> 20} MiB",
                f"gone: {brief(gone)}" if gone else shown)


def lint_that_counts(complaints: list[str], types: dict[str, str]) -> list[str]:
    """What promtool says, but for the buckets of gauge histograms: text 0.0.4 has no such type, and
    each of their sample names is a gauge there."""
    def by_design(line: str) -> bool:
        name, _, rest = line.partition(" ")
        return (rest in ('non-histogram metrics should not have "le" label',
                         'non-histogram metrics should not have "_bucket" suffix')
                and name.endswith("_bucket") and types.get(name) == "gauge")
    return [line for line in complaints if line and not by_design(line)]


def judge_latencies(increases: list[Sample], quantiles: list[Sample],
                    instances: list[str]) -> Line:
    """Histograms count and histogram_quantile answers with numbers, on every sidecar."""
    wrong, total = [], 0.0
    for name in instances:
        grown = sum(one.value for one in increases if one.label("instance") == name)
        answers = [one.value for one in quantiles if one.label("instance") == name]
        total += grown
        if not grown > 0:
            wrong.append(f"{name}: no RPC counted")
        elif not any(math.isfinite(value) for value in answers):
            wrong.append(f"{name}: histogram_quantile gives no number")
    return Line(not wrong, "RPC latencies as histograms", brief(wrong)
                or f"{total:.0f} calls, {len(quantiles)} methods with a p99")


def judge_alerts(alerts: list[dict[str, Any]], expected: frozenset[str]) -> Line:
    """No alert fires but those that are meant to."""
    firing = sorted({f"{alert['labels'].get('alertname')}@{alert['labels'].get('instance', '-')}"
                     for alert in alerts if alert.get("state") == "firing"
                     and alert["labels"].get("alertname") not in expected})
    return Line(not firing, "no unexpected alert fires", brief(firing) or "none")


def judge_rules(groups: list[dict[str, Any]]) -> Line:
    """Rules are loaded and none of them fails to evaluate."""
    rules = [rule for group in groups for rule in group.get("rules", [])]
    wrong = [f"{rule.get('name')}: {rule.get('lastError') or rule.get('health')}"
             for rule in rules if rule.get("health") not in ("ok", "unknown")]
    return Line(bool(rules) and not wrong, "alert rules loaded and healthy",
                brief(wrong) or f"{len(rules)} rules in {len(groups)} groups")


@dataclass(frozen=True)
class Compared:
    """One histogram_quantile beside the truth of the same window."""

    title: str
    good: bool
    answer: float
    exact: float
    calls: int

    def words(self) -> str:
        return (f"{self.title}: histogram {self.answer * 1000:.3f} ms, truth "
                f"{self.exact * 1000:.3f} ms of {self.calls} calls")


Windows = dict[tuple[str, str, str], tuple[float, float]]


def compare_quantile(title: str, quantile: float, answer: float, timings: list[Timing],
                     windows: Windows, bounds: list[float]) -> Compared | None:
    """None when too few calls were seen.

    `windows` has the first and last scrape of each series: increase() sees what came between them.
    """
    values, slack = [], 0
    for one in timings:
        start, end = windows.get(one.series, (math.inf, -math.inf))
        if start <= one.at <= end:
            values.append(one.seconds)
        if min(abs(one.at - start), abs(one.at - end)) <= _EDGE_SECONDS:
            slack += 1
    if len(values) < LEAST_OBSERVATIONS or not bounds:
        return None
    return Compared(f"{title} p{quantile * 100:g}",
                    true.within_one_bucket(answer, true.quantile_range(values, quantile, slack),
                                           bounds),
                    answer, true.quantile_range(values, quantile, 0)[0], len(values))


def judge_quantiles(name: str, source: str, compared: list[Compared]) -> Line:
    """All comparisons of one sidecar; those that fail are shown, else the widest apart."""
    what = f"{name}: histogram_quantile within one bucket of the truth"
    if not compared:
        return Line(False, what, f"no method was called {LEAST_OBSERVATIONS} times")
    wrong = [one.words() for one in compared if not one.good]
    if wrong:
        return Line(False, what, "\n".join(wrong))
    widest = max(compared, key=lambda one: abs(math.log((one.answer + 1e-9) / (one.exact + 1e-9))))
    return Line(True, what, f"{len(compared)} quantiles held against {source}\n"
                f"widest apart: {widest.words()}")
