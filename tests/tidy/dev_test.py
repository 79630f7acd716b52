#!/usr/bin/env python3
"""./dev as its user meets it, on a machine whose apt, sudo and clang are stand-ins."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DEV = TOP / "dev"
PACKAGES = [
    line.split(None, 2)
    for line in (TOP / "cmake/packages.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


class DevTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.bin = Path(directory.name)
        self.calls = self.bin / "calls"
        self.stand_in("id", "echo 1000")
        self.stand_in("clang-format", "echo clang-format version 3.0.0")
        self.stand_in("apt-get", f'echo "apt-get $*" >>{self.calls}')
        self.stand_in("sudo", f'echo "sudo $*" >>{self.calls}')
        self.installed(name for _, name, _ in PACKAGES)

    def stand_in(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def installed(self, names):
        # As the real one: prints what it knows, fails when one name is not known.
        lines = "".join(f"installed {name}\\n" for name in names)
        self.stand_in("dpkg-query", f"printf '{lines}'; printf 'not-installed gone\\n'; exit 1")

    def run_dev(self, *arguments):
        environment = dict(os.environ, PATH=f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin")
        return subprocess.run(
            [str(DEV), *arguments], capture_output=True, text=True, env=environment, timeout=60
        )

    def asked(self):
        return self.calls.read_text() if self.calls.exists() else ""

    def test_help_lists_every_command(self):
        shown = self.run_dev("help")
        self.assertEqual(shown.returncode, 0)
        self.assertEqual(self.run_dev().stdout, shown.stdout)
        cases = DEV.read_text().partition("case $command in")[2].partition("\nesac")[0]
        commands = set(re.findall(r"[a-z]+", " ".join(re.findall(r"^  ([a-z| -]+)\)", cases, re.M))))
        self.assertIn("test", commands)
        for command in commands - {"h"}:
            self.assertRegex(shown.stdout, rf"(?m)^  {command}  ")

    def test_wrong_usage_is_one_line_and_exit_code_2(self):
        for arguments in (
            ("nonsense",),
            ("build", "x"),
            ("lint", "x"),
            ("bench", "x"),
            ("test", "--only", "nothing"),
            ("test", "--only"),
            ("test", "x"),
            ("fuzz", "--for", "0"),
            ("fuzz", "--for"),
            ("fuzz", "no-such-fuzzer"),
        ):
            done = self.run_dev(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertRegex(done.stderr, r"\Adev: [^\n]+\n\Z", arguments)
        self.assertEqual(self.asked(), "")

    def test_asks_apt_for_nothing_when_all_is_there(self):
        done = self.run_dev("format")
        self.assertIn("clang-format 14", done.stderr)  # it came past the packages
        self.assertEqual(self.asked(), "")

    def test_installs_exactly_what_is_missing_and_says_so(self):
        self.installed(name for _, name, _ in PACKAGES if name not in ("clang-format", "shellcheck"))
        done = self.run_dev("format")
        self.assertIn("dev: installing 2 Debian packages: clang-format shellcheck\n", done.stdout)
        self.assertEqual(
            self.asked(), "sudo bash cmake/packages_install.sh clang-format shellcheck\n"
        )

    def test_an_installation_that_fails_ends_in_one_line(self):
        self.installed(())
        self.stand_in("sudo", "exit 1")
        done = self.run_dev("format")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Adev: the packages could not be installed: [^\n]+\n\Z")

    def test_the_list_of_packages_gives_a_group_and_a_reason(self):
        groups = set(re.findall(r"[a-z]+", " ".join(re.findall(r"need ([a-z ]+)", DEV.read_text()))))
        for entry in PACKAGES:
            self.assertEqual(len(entry), 3, entry)
        self.assertLessEqual(groups, {group for group, _, _ in PACKAGES})
        self.assertEqual(len(PACKAGES), len({(group, name) for group, name, _ in PACKAGES}))


if __name__ == "__main__":
    unittest.main()
