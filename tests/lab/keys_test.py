"""What is expected of servers that do not sign: each expectation passes, and fails for the right
reason."""

import unittest
from types import SimpleNamespace
from typing import cast

from scenarios import slow_key_manager as play
from spirelab import exposition, names
from spirelab.keys_watch import KeysLook, table
from spirelab.outage_watch import Ends
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.timeline import Timeline

_MEMBERS = [SimpleNamespace(name="agent-0"), SimpleNamespace(name="agent-1")]
_LAB = cast(Lab, SimpleNamespace(plan=SimpleNamespace(agents=lambda: _MEMBERS)))
_TIMELINE = cast(Timeline, None)


def look(member: str, ledger: float | None, token: str = "server_path",
         took: float | None = None, since: float = 60) -> KeysLook:
    text = f'{names.ISSUING}{{state="{"yes" if token == "ok" else "no"}"}} 1\n'
    if ledger is not None:
        text += f'{names.FIRST_EXPIRY}{{clock="workload",source="ledger"}} {ledger:g}\n'
    broken = "every signature takes 3 s" if token == "ok" else "every signature is denied"
    return KeysLook(Ends(at=70, now=1000, broken=broken, since=since, member=member,
                         true_workload=1100, true_agent=None,
                         said=Said(exposition.parse_page(text))),
                    token, took, (("healthy", "failing"),) * 3)


class SlowKeyManagerTest(unittest.TestCase):
    def play_of(self, *looks: KeysLook) -> play._Play:
        found = play._Play()
        found._watch = SimpleNamespace(signing=list(looks))  # type: ignore[assignment]
        return found

    def test_an_announcement_is_held_against_the_truth(self) -> None:
        def passed(*looks: KeysLook) -> bool | None:
            judge = self.play_of(*looks).announced("workload", "ledger")
            return judge(_LAB, _TIMELINE).passed

        self.assertTrue(passed(look("agent-0", 1100), look("agent-1", 1092)))
        self.assertFalse(passed(look("agent-0", 1100), look("agent-1", 1111)))
        self.assertFalse(passed(look("agent-0", 1100), look("agent-1", None)), "says nothing")
        self.assertFalse(passed(look("agent-0", 1100)), "one agent alone")
        self.assertFalse(passed())

    def test_slow_tokens_must_be_told_as_slow(self) -> None:
        def passed(*looks: KeysLook) -> bool | None:
            return self.play_of(*looks).slow_is_measured(_LAB, _TIMELINE).passed

        slow = [look(one.name, 1100, "ok", 3.01) for one in _MEMBERS]
        self.assertTrue(passed(*slow))
        self.assertFalse(passed(slow[0], look("agent-1", 1100, "ok", 0.003)))
        self.assertFalse(passed(slow[0]))
        self.assertFalse(passed())

    def test_looks_are_judged_once_everybody_can_have_seen_it(self) -> None:
        judge = self.play_of(look("agent-0", 1100, since=5), look("agent-1", 1100, since=5)).says(
            "every signature is denied", "no server signs", lambda one: one.token,
            "server_path".__eq__)
        self.assertFalse(judge(_LAB, _TIMELINE).passed)

    def test_the_table_says_once_what_the_keys_do(self) -> None:
        rows = table([look("agent-0", 1100), look("agent-1", None)]).splitlines()[2:]
        self.assertIn("| every signature is denied | agent-0 | 100 s | 100 s |", rows[0])
        self.assertIn("|  | agent-1 | 100 s | - |", rows[1])
        self.assertIn("all healthy (failing)", rows[1])


if __name__ == "__main__":
    unittest.main()
