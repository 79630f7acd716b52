#!/usr/bin/env python3
"""Builds a small project with the repository's own CMake functions and plants what `header_check` is for.

    header_check_test.py CMAKE_FOLDER C++_COMPILER
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMAKE_FOLDER = Path(sys.argv[1]).resolve()
COMPILER = sys.argv[2]

TOP = """\
cmake_minimum_required(VERSION 3.25)
project(planted LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
list(APPEND CMAKE_MODULE_PATH "{cmake}")
include(House)
add_subdirectory(exporter/base)
add_subdirectory(exporter/metrics)
"""
FILES = {
    "exporter/base/CMakeLists.txt": "house_library(base FOLDER exporter/base SOURCES a.cc)\n",
    "exporter/base/a.cc": '#include "exporter/base/a.h"\n',
    "exporter/base/a.h": "#include <string>\nstd::string A();\n",
    "exporter/metrics/CMakeLists.txt": (
        "house_library(metrics FOLDER exporter/metrics SOURCES m.cc LINKS base)\n"
    ),
    "exporter/metrics/m.cc": '#include "exporter/metrics/m.h"\n',
    "exporter/metrics/m.h": '#include "exporter/base/a.h"\nstd::string M();\n',
}


class HeaderCheckTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.write("CMakeLists.txt", TOP.format(cmake=CMAKE_FOLDER))
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def check(self):
        """Configures and builds `header_check`; (whether it passed, its output)."""
        build = self.root / "build"
        configure = ["cmake", "-G", "Ninja", "-S", str(self.root), "-B", str(build)]
        configure += [f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DSPIRE_EXPORTER_DEVELOPER=ON"]
        subprocess.run(configure, check=True, capture_output=True)
        command = ["cmake", "--build", str(build), "--target", "header_check", "--", "-k0"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    def test_headers_that_stand_alone_pass(self):
        passed, output = self.check()
        self.assertTrue(passed, output)

    def test_a_header_that_leans_on_its_includer_fails(self):
        # Its own source gives it <string>, so that nothing else would notice.
        self.write("exporter/base/a.h", "std::string A();\n")
        self.write("exporter/base/a.cc", '#include <string>\n#include "exporter/base/a.h"\n')
        self.write("exporter/metrics/m.h", "#include <string>\nstd::string M();\n")
        passed, output = self.check()
        self.assertFalse(passed)
        self.assertIn("exporter/base/a.h:1", output)
        self.assertNotIn("exporter/metrics/m.h:", output)

    def test_an_include_against_the_direction_fails(self):
        self.write("exporter/base/b.h", '#include "exporter/metrics/m.h"\n')
        passed, output = self.check()
        self.assertFalse(passed)
        self.assertIn("exporter/metrics/m.h: No such file", output)

    def test_a_header_that_is_new_is_seen(self):
        self.assertTrue(self.check()[0])
        self.write("exporter/metrics/new.h", "std::string N();\n")
        passed, output = self.check()
        self.assertFalse(passed)
        self.assertIn("exporter/metrics/new.h:1", output)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], buffer=True)
