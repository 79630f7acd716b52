"""What is expected of an upgrade: each expectation passes, and fails for the right reason."""

import unittest

from spirelab import exposition, names
from spirelab import expect_roll as expect
from spirelab.roll_watch import RollLook, table
from spirelab.said import Said
from spirelab.simulated_tables import schema_of

_SERVERS = ("server-0", "server-1")


def server_page(version: str, roll: str = "settled", state: str = "supported", apart: float = 0,
                fits: float | None = None) -> Said:
    lines = [f'{names.VERSION_SEEN}{{whose="server",version="{version}"}} 1',
             f'{names.ROLL_STATE}{{state="{roll}"}} 1',
             f'{names.SKEW_STATE}{{pair="server_server",state="{state}"}} 1',
             f'{names.SKEW}{{pair="schema_code"}} {apart:g}']
    if fits is not None:
        lines += [f'{names.AGENTS_BY_FIT}{{fit="{fit}"}} {fits if fit == "fits" else 0:g}'
                  for fit in ("fits", "newer", "too_old", "unknown")]
        lines += [f'{names.VERSION_SEEN}{{whose="{whose}",version="{version}"}} 1'
                  for whose in ("oldest_agent", "newest_agent")]
    return Said(exposition.parse_page("\n".join(lines) + "\n"))


def agent_page(issuing: int, last: float) -> Said:
    return Said(exposition.parse_page(
        f'{names.CANARY_ISSUING} {issuing}\n'
        f'{names.CANARY_LAST_SUCCESS}{{operation="jwt"}} {last:g}\n'))


def look(first: Said, second: Said, agent: Said | None = None, step: str = "one",
         since: float = 50) -> RollLook:
    return RollLook(at=10, now=1000, step=step, since=since,
                    servers=dict(zip(_SERVERS, (first, second))),
                    agents={"agent-0": agent or agent_page(1, 995)})


class ExpectRollTest(unittest.TestCase):
    def test_unsupported_pairs_are_named(self) -> None:
        good = look(server_page("1.15.3"), server_page("1.14.7", "rolling"))
        self.assertEqual(expect.supported(good), [])
        bad = look(server_page("1.15.3"), server_page("1.13.3", "rolling", "unsupported"))
        self.assertEqual(expect.supported(bad), ["server-1 server_server"])

    def test_a_roll_is_no_fault_and_a_rollback_is_one(self) -> None:
        self.assertEqual(expect.no_fault(
            look(server_page("1.15.3"), server_page("1.14.7", "rolling"))), [])
        self.assertEqual(expect.no_fault(
            look(server_page("1.14.7", "rolled_back"), server_page("1.14.7", "lingering"))),
            ["server-0 rolled_back", "server-1 lingering"])

    def test_settled_wants_every_server_and_every_agent(self) -> None:
        whole = look(server_page("1.15.3", fits=2), server_page("1.15.3"))
        self.assertTrue(expect.settled(whole, "1.15.3", 2))
        self.assertFalse(expect.settled(whole, "1.15.3", 3))
        self.assertFalse(expect.settled(whole, "1.14.7", 2))
        self.assertFalse(expect.settled(
            look(server_page("1.15.3", fits=2), server_page("1.15.3", apart=1)), "1.15.3", 2))

    def test_without_looks_nothing_is_shown(self) -> None:
        self.assertFalse(expect.never([], "a", expect.supported).passed)
        self.assertFalse(expect.sometime([], "a", lambda _: True).passed)
        self.assertFalse(expect.tokens_flow([]).passed)
        self.assertFalse(expect.issuing_in_the_end([]).passed)

    def test_old_tokens_and_no_tokens_fail(self) -> None:
        page = server_page("1.15.3")
        self.assertTrue(expect.tokens_flow([look(page, page)]).passed)
        self.assertFalse(expect.tokens_flow([look(page, page, agent_page(0, 970))]).passed)
        self.assertFalse(expect.issuing_in_the_end([look(page, page, agent_page(0, 999))]).passed)

    def test_looks_are_chosen_by_step_and_age(self) -> None:
        page = server_page("1.15.3")
        looks = [look(page, page, step="one: a", since=5), look(page, page, step="one: b"),
                 look(page, page, step="two")]
        self.assertEqual(len(expect.during(looks, "one")), 2)
        self.assertEqual(expect.during(looks, "one", 10), [looks[1]])

    def test_a_stretch_without_change_is_two_rows(self) -> None:
        page = server_page("1.15.3", fits=2)
        self.assertEqual(len(table([look(page, page)] * 9).splitlines()), 2 + 2)


class SchemaTest(unittest.TestCase):
    def test_as_migration_go_has_it(self) -> None:
        self.assertEqual([schema_of(one) for one in ("1.8.0", "1.13.3", "1.14.7", "1.15.3")],
                         [23, 23, 24, 25])


if __name__ == "__main__":
    unittest.main()
