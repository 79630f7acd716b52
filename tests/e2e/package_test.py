"""The libraries as another project gets them: installed, found by CMake, built against and run."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["SPIRE_EXPORTER_BUILD"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def run(*command: str | pathlib.Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


LATENCIES = """1000 observations, 500.5 seconds in all
up to 0.01 s: 10
up to 0.1 s: 100
up to 1 s: 1000
median 0.50 s, 99th percentile 0.99 s
"""

EMBEDDING = f"""cmake_minimum_required(VERSION 3.25)
project(embedding LANGUAGES C CXX)
add_subdirectory({SOURCE} spire_exporter EXCLUDE_FROM_ALL)
add_executable(histogram_example {SOURCE}/exporter/expose/example/histogram_example.cc)
target_link_libraries(histogram_example spire_exporter::metrics)
if(NOT TARGET spire_exporter::expose OR TARGET spire-exporter)
  message(FATAL_ERROR "more or less than the libraries")
endif()
install(TARGETS histogram_example)
"""

# As on a machine without prometheus-cpp: no library has such a name.
LACKING = """cmake_minimum_required(VERSION 3.25)
project(lacking LANGUAGES CXX)
set(CMAKE_FIND_LIBRARY_SUFFIXES .none)
foreach(component metrics expose others)
  find_package(spire_exporter COMPONENTS ${component})
  if(spire_exporter_FOUND)
    message(STATUS "${component} found")
  else()
    message(STATUS "${component} not found: ${spire_exporter_NOT_FOUND_MESSAGE}")
  endif()
endforeach()
"""


class InstalledPackageTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="pt-", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # Built under one prefix and used under another, as a package is.
        run("cmake", "--install", BUILD, "--prefix", self.folder / "made", "--component", "metrics")
        self.prefix = self.folder / "used"
        (self.folder / "made").rename(self.prefix)

    def test_the_example_builds_against_the_installed_package_and_runs(self) -> None:
        # Nothing of the build must be needed: only the prefix is named.
        run("cmake", "-S", SOURCE / "exporter/expose/example", "-B", self.folder / "build",
            f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Debug")  # fmt: skip
        run("cmake", "--build", self.folder / "build")
        self.assertEqual(run(self.folder / "build/histogram_example"), LATENCIES)
        pages = run(self.folder / "build/bridge_example")
        theirs, ours = pages.split("# TYPE shop_orders counter")
        self.assertIn('shop_call_duration_seconds_bucket{method="buy",le="1"} 2', theirs)
        self.assertIn('shop_orders_total{kind="book"} 3\n', ours)
        self.assertIn('shop_call_duration_seconds_bucket{method="buy",le="1.0"} 2', pages)
        self.assertTrue(ours.rstrip().endswith("# EOF"))

    def test_installed_headers_include_nothing_that_is_not_installed(self) -> None:
        root = self.prefix / "include/spire_exporter"
        headers = sorted(str(path.relative_to(root)) for path in root.rglob("*.h"))
        self.assertIn("exporter/metrics/histogram.h", headers)
        self.assertEqual([path for path in headers if "test" in path or "strict_reader" in path], [])
        (self.folder / "all.cc").write_text("".join(f'#include "{path}"\n' for path in headers))
        run("c++", "-std=c++20", "-fsyntax-only", f"-I{root}", self.folder / "all.cc")

    def test_the_package_names_no_path_of_the_build_and_none_of_where_it_was_made(self) -> None:
        for path in self.prefix.rglob("*.cmake"):
            for foreign in (str(BUILD), str(SOURCE), str(self.folder / "made"), "/usr/include", "/usr/lib"):
                self.assertNotIn(foreign, path.read_text(), path)

    def test_metrics_are_found_without_prometheus_cpp_and_expose_says_what_it_lacks(self) -> None:
        (self.folder / "CMakeLists.txt").write_text(LACKING)
        said = run("cmake", "-S", self.folder, "-B", self.folder / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertIn("-- metrics found\n", said)
        self.assertRegex(said, "-- expose not found: .*needs prometheus-cpp-core")
        self.assertRegex(said, "-- others not found: .*no component others")


class EmbeddedTest(unittest.TestCase):
    def test_a_project_that_adds_the_folder_gets_the_libraries_and_installs_its_own_alone(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pt-", dir="/tmp") as name:
            folder = pathlib.Path(name)
            (folder / "CMakeLists.txt").write_text(EMBEDDING)
            run("cmake", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Debug",
                "-DCMAKE_CXX_FLAGS_DEBUG=-O0")  # fmt: skip
            run("cmake", "--build", folder / "build", "--parallel", "2")
            run("cmake", "--install", folder / "build", "--prefix", folder / "usr")
            installed = [path for path in (folder / "usr").rglob("*") if path.is_file()]
            self.assertEqual(installed, [folder / "usr/bin/histogram_example"])
            self.assertEqual(run(installed[0]), LATENCIES)


if __name__ == "__main__":
    unittest.main()
