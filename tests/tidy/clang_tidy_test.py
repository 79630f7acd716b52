#!/usr/bin/env python3
"""clang_tidy.py with stand-ins of clang-tidy and ninja: what they are given, and what is not passed over."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "clang_tidy.py"


class ClangTidyTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name).resolve()
        self.build = self.root / "build"
        for name in ("a.cc", "b.cc", "main.cc", "test_helper.cc", "exporter/expose/example/e.cc"):
            self.write(name, "\n")
        unit = self.write(
            "build/x.dir/Unity/unity_0_cxx.cxx",
            f'/* made */\n\n#include "{self.root}/a.cc"\n\n#include "{self.root}/b.cc"\n',
        )
        files = [unit, *(self.root / name for name in ("main.cc", "test_helper.cc", "test_helper.cc"))]
        commands = [{"directory": str(self.build), "file": str(file), "command": ""} for file in files]
        self.write("build/compile_commands.json", json.dumps(commands))
        self.stand_in("ninja", f'echo "$*" >>{self.root}/ninja; [ "$3" != -t ] || echo "p/x.pb.h: CUSTOM_COMMAND"')
        self.stand_in("clang-tidy", f'echo "$*" >>{self.root}/tidy; echo; echo "3 warnings generated."')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def stand_in(self, name, script):
        self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n").chmod(0o755)

    def run_script(self, *sources):
        return subprocess.run(
            [sys.executable, "-B", str(SCRIPT), str(self.build)],
            input="".join(f"{source}\n" for source in sources),
            capture_output=True,
            text=True,
            cwd=self.root,
            env=dict(os.environ, PATH=f"{self.root}/bin:/usr/bin:/bin"),
        )

    def given(self):
        return sorted(line.split()[-1] for line in (self.root / "tidy").read_text().splitlines())

    def test_each_unit_is_given_once(self):
        done = self.run_script("a.cc", "b.cc", "main.cc", "test_helper.cc")
        self.assertEqual((done.returncode, done.stdout), (0, "4 sources in 3 units\n"), done.stderr)
        unit = f"{self.build}/x.dir/Unity/unity_0_cxx.cxx"
        self.assertEqual(self.given(), [unit, f"{self.root}/main.cc", f"{self.root}/test_helper.cc"])

    def test_headers_that_are_generated_are_made_first(self):
        self.run_script("a.cc")
        self.assertIn("p/x.pb.h", (self.root / "ninja").read_text().splitlines()[-1])

    def test_a_source_that_nothing_builds_is_named(self):
        self.write("forgotten.cc", "\n")
        done = self.run_script("a.cc", "forgotten.cc")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.root}/forgotten.cc:1: error: not in", done.stdout)

    def test_no_sources_are_no_success(self):
        self.assertEqual(self.run_script().returncode, 1)

    def test_what_has_a_project_of_its_own_is_given_by_itself(self):
        self.assertEqual(self.run_script("exporter/expose/example/e.cc").returncode, 0)
        self.assertEqual(self.given(), [f"{self.root}/exporter/expose/example/e.cc"])

    def test_what_clang_tidy_finds_is_shown_and_fails(self):
        self.stand_in("clang-tidy", 'echo "a.cc:7: error: bad"; exit 1')
        done = self.run_script("a.cc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a.cc:7: error: bad\n", done.stdout)


if __name__ == "__main__":
    unittest.main()
