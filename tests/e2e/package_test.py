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


class PackageTest(unittest.TestCase):
    def test_the_example_builds_against_the_installed_package_and_runs(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pt-", dir="/tmp") as name:
            folder = pathlib.Path(name)
            run("cmake", "--install", BUILD, "--prefix", folder / "usr", "--component", "metrics")
            headers = [str(path.relative_to(folder)) for path in (folder / "usr/include").rglob("*.h")]
            self.assertIn("usr/include/exporter/metrics/histogram.h", headers)
            self.assertEqual([path for path in headers if "test" in path], [])
            # Nothing of the build must be needed: only the prefix is named.
            run("cmake", "-S", SOURCE / "exporter/expose/example", "-B", folder / "build",
                f"-DCMAKE_PREFIX_PATH={folder / 'usr'}", "-DCMAKE_BUILD_TYPE=Debug")  # fmt: skip
            run("cmake", "--build", folder / "build")
            self.assertEqual(
                run(folder / "build/histogram_example"),
                "1000 observations, 500.5 seconds in all\nup to 0.01 s: 10\nup to 0.1 s: 100\nup to 1 s: 1000\n"
                "median 0.50 s\n",
            )
            pages = run(folder / "build/bridge_example")
            theirs, ours = pages.split("# TYPE shop_orders counter")
            self.assertIn('shop_call_duration_seconds_bucket{method="buy",le="1"} 2', theirs)
            self.assertIn('shop_orders_total{kind="book"} 3\n', ours)
            self.assertIn('shop_call_duration_seconds_bucket{method="buy",le="1.0"} 2', pages)
            self.assertTrue(ours.rstrip().endswith("# EOF"))


if __name__ == "__main__":
    unittest.main()
