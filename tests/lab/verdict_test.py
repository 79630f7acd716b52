"""The arithmetic of the verdict: each judgement passes, and fails for the right reason."""

import math
import unittest
from pathlib import Path

from spirelab import judge, names
from spirelab.prometheus_api import Sample, Track, parse_value
from spirelab.scenario import judge_alerts, load_all
from spirelab.summary import milliseconds, rpc_rows
from spirelab.truth import Timing
from spirelab.verdict import Verdict, brief

_NAMES = ["server-0", "agent-0"]


def track(instance: str, *values: float) -> Track:
    return Track({"instance": instance}, [(5.0 * at, value) for at, value in enumerate(values)])


def sample(instance: str, value: float, **labels: str) -> Sample:
    return Sample({"instance": instance, **labels}, value)


class VerdictTest(unittest.TestCase):
    def test_passes_only_when_something_was_judged_and_all_of_it_holds(self) -> None:
        verdict = Verdict("with SPIRE 1")
        self.assertFalse(verdict.passed())
        verdict.add(None, "memory", "5 MiB")
        self.assertFalse(verdict.passed())
        verdict.add(True, "up", "5")
        self.assertTrue(verdict.passed())
        verdict.add(False, "quiet", "server-0: 1")
        self.assertFalse(verdict.passed())

    def test_text_starts_with_the_heading_and_counts(self) -> None:
        verdict = Verdict("with SPIRE 1")
        verdict.add(True, "up", "5\nand more")
        verdict.add(False, "quiet", "no")
        rows = verdict.render().split("\n")
        self.assertEqual(rows[0], "with SPIRE 1")
        self.assertEqual(rows[1], "  pass  up     5")
        self.assertEqual(rows[2].strip(), "and more")
        self.assertEqual(rows[3], "  FAIL  quiet  no")
        self.assertEqual(rows[-1], "1 of 2 expectations hold")

    def test_long_lists_are_cut_with_a_count(self) -> None:
        self.assertEqual(brief(["a", "b", "c"], 2), "a, b and 1 more")
        self.assertEqual(brief([]), "")


class JudgeTest(unittest.TestCase):
    def test_up_needs_every_scrape_of_every_sidecar(self) -> None:
        good = [track("server-0", 1, 1, 1), track("agent-0", 1, 1, 1)]
        self.assertTrue(judge.judge_up(good, _NAMES, 3).passed)
        for bad in ([good[0]], [good[0], track("agent-0", 1, 0, 1)],
                    [good[0], track("agent-0", 1)]):
            self.assertFalse(judge.judge_up(bad, _NAMES, 3).passed)

    def test_a_change_is_taken_by_every_agent_once_there_was_time(self) -> None:
        self.assertTrue(judge.judge_taken(0, 40, 2).passed)
        late = judge.judge_taken(1, 40, 2)
        self.assertFalse(late.passed)
        self.assertIn("1 of 2 have not, 40 s after it", late.evidence)
        self.assertIsNone(judge.judge_taken(1, 10, 2).passed)
        unknown = judge.judge_taken(None, 40, 2)
        self.assertIs(unknown.passed, False)
        self.assertIn("not known", unknown.evidence)
        self.assertIsNone(judge.judge_taken(None, 10, 2).passed)

    def test_the_how_to_has_the_query_that_is_judged(self) -> None:
        text = (Path(__file__).parents[2] / "docs/how-to/watch-the-database.md").read_text("utf-8")
        for query in (names.LAST_CHANGE, names.AGENTS_BEHIND):
            self.assertIn(f"\n{query}\n", text)

    def test_everywhere_misses_absent_instances_and_wrong_values(self) -> None:
        both = [sample("server-0", 1), sample("agent-0", 1)]
        self.assertTrue(judge.judge_everywhere("x", both, _NAMES, 1).passed)
        self.assertFalse(judge.judge_everywhere("x", both[:1], _NAMES, 1).passed)
        more = both + [sample("agent-0", 0, target="scrape")]
        line = judge.judge_everywhere("x", more, _NAMES, 1)
        self.assertFalse(line.passed)
        self.assertIn("target=scrape", line.evidence)

    def test_nothing_means_zero_and_present_where_asked(self) -> None:
        self.assertTrue(judge.judge_nothing("x", []).passed)
        self.assertFalse(judge.judge_nothing("x", [], _NAMES).passed)
        self.assertFalse(judge.judge_nothing("x", [sample("server-0", 2, reason="empty")]).passed)
        self.assertFalse(judge.judge_nothing("x", [sample("server-0", math.nan)]).passed)

    def test_ledger_may_swing_but_must_come_back(self) -> None:
        swing = [track("server-0", 1, 31, 1), track("agent-0", 0, 0, 12)]
        states = {name: "balanced" for name in _NAMES}
        rates = {name: 20.0 for name in _NAMES}
        self.assertEqual(judge.ledger_tolerance(20.0), 14)
        self.assertTrue(judge.judge_ledger(swing, states, rates, 60).passed)
        lost = [track("server-0", 15, 25, 15), track("agent-0", 0)]
        self.assertFalse(judge.judge_ledger(lost, states, rates, 60).passed)
        unprovable = states | {"agent-0": "unprovable"}
        self.assertFalse(judge.judge_ledger(swing, unprovable, rates, 60).passed)

    def test_a_ledger_that_was_never_judged_is_not_balanced(self) -> None:
        rates = {name: 20.0 for name in _NAMES}
        waiting = {"server-0": "waiting", "agent-0": "balanced"}
        self.assertFalse(judge.judge_ledger(
            [track("server-0", 0), track("agent-0", 0)], waiting, rates, 60).passed)
        line = judge.judge_ledger([track("server-0", 0)], waiting, rates, 10)
        self.assertFalse(line.passed)
        self.assertIn("too short", line.evidence)

    def test_series_budget(self) -> None:
        limits = {"server-0": 1500, "agent-0": 400}
        self.assertTrue(judge.judge_series(
            [sample("server-0", 1500), sample("agent-0", 400)], limits).passed)
        self.assertFalse(judge.judge_series(
            [sample("server-0", 10), sample("agent-0", 401)], limits).passed)
        self.assertFalse(judge.judge_series([sample("server-0", 10)], limits).passed)

    def test_memory_above_the_goal_is_said_above_the_limit_fails(self) -> None:
        mib = 1 << 20
        self.assertTrue(judge.judge_memory("agent", {"a": 8 * mib}).passed)
        between = judge.judge_memory("agent", {"a": 27 * mib // 2})
        self.assertTrue(between.passed)
        self.assertIn("missed", between.evidence)
        self.assertFalse(judge.judge_memory("agent", {"a": 23 * mib}).passed)
        self.assertFalse(judge.judge_memory("agent", {"a": 8 * mib, "b": None}).passed)
        self.assertFalse(judge.judge_memory("agent", {}).passed)
        self.assertTrue(judge.judge_memory("server", {"a": 15 * mib}).passed)
        self.assertFalse(judge.judge_memory("server", {"a": 27 * mib}).passed)

    def test_lint_passes_over_the_buckets_of_gauge_histograms_alone(self) -> None:
        le = ' non-histogram metrics should not have "le" label'
        types = {"ages_bucket": "gauge", "calls_bucket": "histogram"}
        self.assertEqual(judge.lint_that_counts(["ages_bucket" + le, ""], types), [])
        for line in ("calls_bucket" + le, "ages" + le, "ages_bucket no help text"):
            self.assertEqual(judge.lint_that_counts([line], types), [line])

    def test_latencies_need_counts_and_numbers(self) -> None:
        counts = [sample("server-0", 5), sample("agent-0", 5)]
        answers = [sample("server-0", 0.1), sample("agent-0", 0.1)]
        self.assertTrue(judge.judge_latencies(counts, answers, _NAMES).passed)
        self.assertFalse(judge.judge_latencies(counts[:1], answers, _NAMES).passed)
        self.assertFalse(judge.judge_latencies(
            counts, [answers[0], sample("agent-0", math.nan)], _NAMES).passed)

    def test_alerts_and_rules(self) -> None:
        firing = {"state": "firing", "labels": {"alertname": "A", "instance": "i"}}
        pending = {"state": "pending", "labels": {"alertname": "B"}}
        self.assertTrue(judge.judge_alerts([pending], frozenset()).passed)
        self.assertFalse(judge.judge_alerts([firing], frozenset()).passed)
        self.assertTrue(judge.judge_alerts([firing], frozenset({"A"})).passed)
        self.assertFalse(judge.judge_rules([]).passed)
        self.assertTrue(judge.judge_rules([{"rules": [{"name": "A", "health": "ok"}]}]).passed)
        self.assertFalse(judge.judge_rules(
            [{"rules": [{"name": "A", "health": "err", "lastError": "no"}]}]).passed)

    def test_quantile_against_the_truth(self) -> None:
        timings = [Timing(10 + at * 0.1, "s", "m", "OK", 0.001 * at) for at in range(1, 101)]
        bounds = [0.01, 0.05, 0.1, 0.5, 1.0]

        def compared(answer: float) -> judge.Compared:
            found = judge.compare_quantile("m", 0.5, answer, timings,
                                           {("s", "m", "OK"): (10.0, 20.5)}, bounds)
            assert found is not None
            return found

        self.assertTrue(compared(0.05).good)
        self.assertTrue(compared(0.09).good)
        self.assertFalse(compared(0.7).good)
        self.assertFalse(compared(math.nan).good)
        self.assertAlmostEqual(compared(0.05).exact, 0.05)
        good = judge.judge_quantiles("server-0", "raw datagrams", [compared(0.05), compared(0.09)])
        self.assertTrue(good.passed)
        self.assertIn("90.000 ms", good.evidence)
        self.assertFalse(judge.judge_quantiles("x", "y", [compared(0.05), compared(0.7)]).passed)
        self.assertFalse(judge.judge_quantiles("x", "y", []).passed)

    def test_too_few_calls_are_no_judgement(self) -> None:
        few = [Timing(1.0, "s", "m", "OK", 0.1)] * (judge.LEAST_OBSERVATIONS - 1)
        window = {("s", "m", "OK"): (0.0, 2.0)}
        self.assertIsNone(judge.compare_quantile("m", 0.5, 0.1, few, window, [0.1]))
        enough = few + few[:1]
        self.assertIsNotNone(judge.compare_quantile("m", 0.5, 0.1, enough, window, [0.1]))
        self.assertIsNone(judge.compare_quantile("m", 0.5, 0.1, enough, {}, [0.1]))


class ScenarioTest(unittest.TestCase):
    def test_declared_alerts_are_both_needed_and_enough(self) -> None:
        self.assertTrue(judge_alerts(set(), frozenset()).passed)
        self.assertTrue(judge_alerts({"A"}, frozenset({"A"})).passed)
        self.assertFalse(judge_alerts(set(), frozenset({"A"})).passed)
        self.assertFalse(judge_alerts({"A", "B"}, frozenset({"A"})).passed)

    def test_every_scenario_is_declared_in_full(self) -> None:
        scenarios = load_all()
        self.assertGreaterEqual(set(scenarios), {"sidecar-stopped", "spire-killed",
                                                 "sidecar-killed", "endpoint-hung"})
        for name, scenario in scenarios.items():
            self.assertTrue(scenario.summary and scenario.expectations, name)


class SummaryTest(unittest.TestCase):
    def test_rows_are_joined_and_sorted_by_rate(self) -> None:
        labels = {"component": "server", "service": "s.v1"}
        rates = [Sample({**labels, "method": "slow"}, 1.0),
                 Sample({**labels, "method": "busy"}, 9.0),
                 Sample({**labels, "method": "idle"}, 0.0)]
        rows = rpc_rows(rates, [Sample({**labels, "method": "busy"}, 0.002)], [])
        self.assertEqual([row.name for row in rows], ["s.v1/busy", "s.v1/slow"])
        self.assertEqual(milliseconds(rows[0].p50), "2.00 ms")
        self.assertEqual(milliseconds(rows[0].p99), "-")

    def test_values_of_prometheus(self) -> None:
        self.assertTrue(math.isnan(parse_value("NaN")))
        self.assertEqual(parse_value("+Inf"), math.inf)


if __name__ == "__main__":
    unittest.main()
