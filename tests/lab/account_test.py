"""Which user runs what, and what it can reach."""

import os
import stat
import tempfile
import unittest

from spirelab.account import Account, fleet_account


class AccountTest(unittest.TestCase):
    def test_prefix_switches_the_user_before_the_death_signal_is_lost(self) -> None:
        words = Account("x", 1234, 2345, switch=True).prefix("QUIT")
        self.assertEqual(words, ["setpriv", "--pdeathsig", "QUIT", "--reuid", "1234", "--regid",
                                 "2345", "--clear-groups", "--inh-caps=-all", "--"])

    def test_prefix_without_switch_only_asks_for_the_death_signal(self) -> None:
        self.assertEqual(Account("me", 1, 1, switch=False).prefix(),
                         ["setpriv", "--pdeathsig", "KILL", "--"])

    def test_fleets_get_users_of_their_own_only_where_we_may_choose(self) -> None:
        root = Account("postgres", 101, 104, switch=True)
        self.assertNotEqual(fleet_account(root, 0).uid, fleet_account(root, 1).uid)
        self.assertNotEqual(fleet_account(root, 0).uid, root.uid)
        me = Account("me", 1000, 1000, switch=False)
        self.assertEqual(fleet_account(me, 1), me)

    def test_a_program_behind_a_closed_folder_cannot_be_reached(self) -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = os.path.join(folder, "program")
            with open(path, "w", encoding="ascii") as file:
                file.write("#!/bin/sh\n")
            os.chmod(path, 0o755)
            stranger = Account("stranger", 64999, 64999, switch=True)
            os.chmod(folder, 0o755)
            self.assertTrue(stranger.can_reach(path))
            os.chmod(folder, stat.S_IRWXU)
            self.assertFalse(stranger.can_reach(path))
            os.chmod(folder, 0o755)
            os.chmod(path, 0o700)
            self.assertFalse(stranger.can_reach(path))


if __name__ == "__main__":
    unittest.main()
