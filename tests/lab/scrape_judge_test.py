"""The judge of histograms from SPIRE's page: each judgement passes, and fails for the right reason."""

import unittest

from scenarios import scrape_only
from spirelab import names
from spirelab.scrape_judge import judge_ranks, judge_share

_BOUNDS = ["0.001", "0.01", "0.1"]


class ShareTest(unittest.TestCase):
    def test_serving_has_the_limit_that_is_promised(self) -> None:
        told = {"exact": 30.0, "estimated": 70.0, "unplaced": 0.0}
        good = judge_share("server-0", told, 0.005, 0.001)
        self.assertTrue(good.passed)
        self.assertIn("100: 30.0% exact, 70.0% estimated", good.evidence)
        self.assertFalse(judge_share("server-0", told, 0.0051, 0.001).passed)

    def test_a_page_that_told_nothing_fails(self) -> None:
        self.assertFalse(judge_share("server-0", {"exact": 0.0}, 0.001, 0.001).passed)


class RanksTest(unittest.TestCase):
    def test_ranks_may_differ_by_the_limit(self) -> None:
        truth, told = [10.0, 50.0, 100.0], [10.0, 59.0, 100.0]
        self.assertTrue(judge_ranks("a", "f", _BOUNDS, truth, told, 0.1).passed)
        bad = judge_ranks("a", "f", _BOUNDS, truth, told, 0.08)
        self.assertFalse(bad.passed)
        self.assertIn("differ by 0.090 at most (limit 0.08), at 0.01 s", bad.evidence)

    def test_numbers_need_not_be_the_same(self) -> None:
        self.assertTrue(judge_ranks("a", "f", _BOUNDS, [10, 50, 100], [9, 45, 90], 0.001).passed)

    def test_nothing_observed_is_no_agreement(self) -> None:
        for bounds, truth, told in (([], [], []), (_BOUNDS, [0, 0, 0], [0, 0, 0])):
            line = judge_ranks("a", "f", bounds, truth, told, 1)
            self.assertFalse(line.passed)
            self.assertIn("nothing was observed", line.evidence)

    def test_what_is_not_placed_agrees_with_nothing(self) -> None:
        for told in ([0, 0, 0], [4, 20, 40]):
            self.assertFalse(judge_ranks("a", "f", _BOUNDS, [10, 50, 100], told, 1).passed)


class LimitsTest(unittest.TestCase):
    def test_each_family_has_a_limit_of_its_own_beside_those_that_tell_it(self) -> None:
        limits = scrape_only.RANK_MAX
        self.assertNotIn(names.DATASTORE, limits["agent-0"])
        for name in limits:
            self.assertIn(names.RPC, limits[name])
        self.assertEqual(len(scrape_only.SCENARIO.expectations),
                         len(limits) + sum(len(families) for families in limits.values()))


if __name__ == "__main__":
    unittest.main()
