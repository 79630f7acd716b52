"""What is seen of a broken database: looks, their table, and how they are judged."""

import os
import re
import unittest
from dataclasses import replace

from scenarios.connections_exhausted import SCENARIO as EXHAUSTED
from scenarios.database_empty import ours
from spirelab import names
from spirelab.database_watch import Look, table
from spirelab.expect_watch import (PAGE_SECONDS, WatchPlay, judge_pages, judge_said, percentile)
from spirelab.exposition import parse_page
from spirelab.lookout import NOTHING
from spirelab.options import REPOSITORY
from spirelab.other_exporter import up_words
from spirelab.postgres import login_words
from spirelab.said import Said
from spirelab.scenario import load_all

_PAGE = """# TYPE spire_postgres_node_state gauge
spire_postgres_node_state{node="rw/0",state="primary"} 0
spire_postgres_node_state{node="rw/0",state="hung"} 1
spire_postgres_node_state{node="ro/0",state="standby"} 1
spire_postgres_up{node="rw/0"} 0
spire_datastore_condition{condition="restored"} 1
spire_datastore_rewinds_total 1
spire_datastore_rows{table="registered_entries"} 11
spire_entry_changes_total{change="created"} 20
spire_entry_changes_total{change="deleted"} 3
"""


def _look(**changed: object) -> Look:
    said = Said(parse_page(_PAGE))
    return replace(Look(at=12.4, broken="it is frozen", since=2.0, truth="no answer",
                        spire="3 of 3 ready", plain="1.0", other="up 1", ours="hung", said=said,
                        every=(said,)), **changed)


class SaidTest(unittest.TestCase):
    def test_reads_the_state_that_is_on(self) -> None:
        said = Said(parse_page(_PAGE))
        self.assertEqual(said.nodes(), "rw hung, ro standby, -")
        self.assertEqual(said.up("rw/0"), 0)
        self.assertEqual(said.condition(), "restored")

    def test_what_is_absent_or_not_one_series_is_not_known(self) -> None:
        said = Said(parse_page(_PAGE))
        self.assertIsNone(said.up("ro/0"))
        self.assertIsNone(said.value("spire_entry_changes_total"))
        self.assertEqual(said.state("spire_postgres_cluster_state"), "-")
        self.assertEqual(said.label("spire_postgres_up", "node"), "rw/0")
        self.assertEqual(said.label("spire_postgres_up", "node", node="ro/0"), "-")

    def test_without_a_page_nothing_is_known(self) -> None:
        said = Said(None)
        self.assertIsNone(said.rows())
        self.assertEqual(said.node("rw/0"), "no page")
        self.assertEqual(said.series("spire_postgres_up"), [])

    def test_the_words_of_a_look_come_from_its_page(self) -> None:
        self.assertEqual(ours(_look()), "restored, rewinds 1, entries ~11, created 20, deleted 3")
        self.assertEqual(ours(_look(said=Said(None), every=())), "no page, rewinds 0, entries ?")

    def test_the_elected_reader_is_found_among_all(self) -> None:
        elected = Said(parse_page("spire_entries 10\n"))
        self.assertEqual(_look(every=(Said(None), elected)).first("spire_entries"), 10)
        self.assertIsNone(_look(every=(Said(None),)).first("spire_entries"))


class OtherTest(unittest.TestCase):
    def test_up_and_lag_under_either_name(self) -> None:
        self.assertEqual(up_words(parse_page("pg_up 1\npg_replication_lag 0\n")), "up 1, lag 0.0")
        self.assertEqual(up_words(parse_page("pg_up 1\npg_replication_lag_seconds 2.5\n")),
                         "up 1, lag 2.5")
        self.assertEqual(up_words(parse_page("pg_up 0\n")), "up 0")
        self.assertEqual(up_words(None), "no page")

    def test_words_of_a_failed_login(self) -> None:
        psql = "psql failed (exit 2): psql: error: connection to server at x failed: "
        self.assertEqual(login_words(psql + "FATAL:  sorry, too many clients already"),
                         "too many clients")
        self.assertEqual(login_words(psql + "Connection refused / \tIs it running?"), "refused")
        self.assertEqual(login_words("psql ['-XAtqw'] hung for 3 s"), "no answer")
        self.assertEqual(login_words(psql + 'FATAL:  role "x" does not exist'),
                         'role "x" does not exist')


class TableTest(unittest.TestCase):
    def test_what_is_broken_is_said_once(self) -> None:
        text = table([_look(broken=NOTHING), _look(), _look(at=15.0)]).splitlines()
        self.assertEqual(len(text), 5)
        self.assertEqual(text[3], "| 12 | it is frozen | no answer | 3 of 3 ready | 1.0 | up 1 "
                                  "| hung |")
        self.assertEqual(text[4].split(" | ")[1], "")

    def test_of_a_stretch_without_news_the_ends_are_kept(self) -> None:
        looks = [_look(at=float(at), ours="well" if at == 6 else "hung", plain=str(at))
                 for at in range(8)]
        self.assertEqual([row.split(" | ")[0] for row in table(looks).splitlines()[2:]],
                         ["| 0", "| 5", "| 6", "| 7"])

    def test_a_cell_cannot_break_the_table(self) -> None:
        row = table([_look(truth="a | b")]).splitlines()[2]
        self.assertEqual(row.count("|"), 8)


class JudgeTest(unittest.TestCase):
    def _judge(self, *looks: Look, stays: bool = True) -> bool:
        return judge_said(list(looks), "said", lambda look: look.ours == "hung", 7, stays).passed

    def test_soon_and_to_the_end(self) -> None:
        self.assertTrue(self._judge(_look(since=1, ours="well"), _look(since=4), _look(since=9)))

    def test_too_late_never_or_without_a_look(self) -> None:
        self.assertFalse(self._judge(_look(since=6, ours="well"), _look(since=9)))
        self.assertFalse(self._judge(_look(ours="well")))
        self.assertFalse(self._judge())

    def test_what_is_taken_back_fails_unless_it_may_be(self) -> None:
        looks = (_look(since=4), _look(since=9, ours="well"))
        self.assertFalse(self._judge(*looks))
        self.assertTrue(self._judge(*looks, stays=False))

    def test_pages_are_held_against_the_limit_and_the_machine(self) -> None:
        limit = PAGE_SECONDS
        self.assertTrue(judge_pages([0.001] * 100, [limit] * 100).passed)
        self.assertFalse(judge_pages([limit] * 100, [2 * limit] * 100).passed)
        self.assertFalse(judge_pages([0.001] * 100, [limit + 0.001] * 100).passed)
        self.assertFalse(judge_pages([0.001] * 100, [0.001] * 98 + [float("inf")] * 2).passed)
        self.assertFalse(judge_pages([0.001], []).passed)

    def test_percentiles_are_values_that_came(self) -> None:
        values = [float(number) for number in range(1, 101)]
        self.assertEqual(percentile(values, 0.99), 99)
        self.assertEqual(percentile(values, 0.5), 50)
        self.assertEqual(percentile([3.0], 0.99), 3)


class NamesTest(unittest.TestCase):
    def test_names_of_the_database_are_in_the_reference(self) -> None:
        path = os.path.join(REPOSITORY, "docs", "reference", "metrics.md")
        with open(path, encoding="utf-8") as file:
            reference = set(re.findall(r"^### `(\w+)`", file.read(), re.MULTILINE))
        known = [value for value in vars(names).values() if isinstance(value, str)
                 and value.startswith(("spire_postgres_", "spire_datastore_", "spire_ent"))]
        self.assertGreater(len(known), 15)
        self.assertEqual([name for name in known if name not in reference], [])


class ScenarioTest(unittest.TestCase):
    def test_every_scenario_of_the_database_is_found_and_expects_something(self) -> None:
        found = load_all()
        for name in ("lock-storm", "connections-exhausted", "database-stopped", "database-frozen",
                     "database-empty", "database-restored", "mass-delete"):
            self.assertGreater(len(found[name].expectations), 3, name)

    def test_a_play_that_has_not_run_has_no_verdict(self) -> None:
        play = WatchPlay(lambda lab, watch: None, lambda lab: "", lambda look: "")
        with self.assertRaises(Exception):
            play.looks()
        self.assertTrue(EXHAUSTED.summary)


if __name__ == "__main__":
    unittest.main()
