#!/usr/bin/env python3
"""The gate on instruction counts says no when it should."""

import pathlib
import tempfile
import unittest

import instructions


class JudgeTest(unittest.TestCase):
    def test_takes_what_is_within_the_slack(self):
        self.assertEqual(instructions.judge("a", 103.0, 200, {"a": 100.0}), "")

    def test_refuses_what_is_beyond_the_slack(self):
        self.assertIn("instructions.txt", instructions.judge("a", 103.1, 200, {"a": 100.0}))

    def test_refuses_what_is_beyond_its_limit_whatever_is_committed(self):
        self.assertIn("limit", instructions.judge("a", 201.0, 200, {"a": 300.0}))

    def test_refuses_what_nobody_committed(self):
        self.assertIn("not in", instructions.judge("a", 1.0, 200, {}))

    def test_lets_anchors_be(self):
        self.assertEqual(instructions.judge("anchor", 1e9, 0, {}), "")


class FiguresTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "instructions.txt")

    def test_round_trip(self):
        instructions.write_figures(self.path, {"b": 2.0, "a": 1.5})
        self.assertEqual(instructions.read_figures(self.path), {"a": 1.5, "b": 2.0})

    def test_name_the_line_that_is_none(self):
        self.path.write_text("# head\na 1\nb two\n")
        with self.assertRaisesRegex(RuntimeError, "instructions.txt:3"):
            instructions.read_figures(self.path)


if __name__ == "__main__":
    unittest.main()
