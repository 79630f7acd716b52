"""When a watch looks and for how long, by a clock that only rests and looks move; what it leaves."""

import os
import tempfile
import unittest
from types import SimpleNamespace
from typing import cast

from spirelab.errors import LabError
from spirelab.lookout import NOTHING, Lookout
from spirelab.stage import Lab
from spirelab.table import left, markdown, said_once, together
from spirelab.timeline import Timeline


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Script:
    """A timeline that rests as long as it is told to and keeps what it is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[str, str]] = []

    def watch(self, seconds: float) -> None:
        self._clock.now += seconds

    def add(self, kind: str, text: str) -> None:
        self.events.append((kind, text))


class Moments(Lookout[float]):
    """A look is when it is, and takes its time."""

    every = 10.0

    def __init__(self, takes: float = 0.0, table_file: str = "") -> None:
        self.clock = Clock()
        self.script = Script(self.clock)
        super().__init__(cast(Lab, SimpleNamespace(table_file=table_file)),
                         cast(Timeline, self.script), self.clock)
        self.looks: list[tuple[float, str, float]] = []
        self._takes = takes

    def look(self) -> float:
        self.looks.append(self.moment())
        self.tell([f"{self.looks[-1][0]:g}", self.broken, "a", "b"])
        self.clock.now += self._takes
        return self.looks[-1][0]

    def table(self) -> str:
        return f"{len(self.looks)} looks\n"

    def times(self) -> list[float]:
        return [at for at, _, _ in self.looks]


class WatchTest(unittest.TestCase):
    def test_looks_at_once_by_its_interval_and_at_the_end(self) -> None:
        watch = Moments()
        watch.watch(25)
        self.assertEqual(watch.times(), [0, 10, 20, 25])

    def test_a_slow_look_is_part_of_the_time(self) -> None:
        watch = Moments(takes=7)
        watch.watch(25)
        self.assertEqual(watch.times(), [0, 17, 25])

    def test_no_time_is_one_look(self) -> None:
        watch = Moments()
        watch.watch(0)
        self.assertEqual(watch.times(), [0])


class UntilTest(unittest.TestCase):
    def test_ends_with_the_look_that_is_as_wanted(self) -> None:
        watch = Moments()
        watch.until(lambda at: at >= 15, 100, "late enough")
        self.assertEqual(watch.times(), [0, 10, 20])

    def test_an_interval_of_its_own(self) -> None:
        watch = Moments()
        watch.until(lambda at: at >= 15, 100, "late enough", every=4)
        self.assertEqual(watch.times(), [0, 4, 8, 12, 16])

    def test_says_what_was_not_so_by_the_deadline(self) -> None:
        watch = Moments()
        with self.assertRaisesRegex(LabError, "^late enough: not so after 25 s$"):
            watch.until(lambda at: at >= 26, 25, "late enough")
        self.assertEqual(watch.times(), [0, 10, 20, 25])


class NoteTest(unittest.TestCase):
    def test_a_look_knows_what_is_broken_and_since_when(self) -> None:
        watch = Moments()
        watch.watch(10)
        watch.note("it is frozen")
        watch.watch(5)
        watch.note(NOTHING)
        watch.look()
        self.assertEqual(watch.looks, [(0, NOTHING, 0), (10, NOTHING, 10), (10, "it is frozen", 0),
                                       (15, "it is frozen", 5), (15, NOTHING, 0)])

    def test_the_timeline_is_told(self) -> None:
        watch = Moments()
        watch.note("it is frozen")
        watch.look()
        watch.note(NOTHING)
        watch.begin("a step")
        self.assertEqual(watch.script.events, [("broken", "it is frozen"), ("metric", "a | b"),
                                               ("mended", NOTHING)])


class FileTest(unittest.TestCase):
    def test_the_table_is_written_even_if_the_scenario_fails(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.md")
            with self.assertRaises(LabError):
                with Moments(table_file=path) as watch:
                    watch.look()
                    raise LabError("it never came")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "1 looks\n")
            self.assertEqual(watch.script.events[-1], ("note", f"the table is in {path}"))

    def test_nobody_wants_it(self) -> None:
        with Moments() as watch:
            watch.look()
        self.assertEqual([kind for kind, _ in watch.script.events], ["metric"])


class TableTest(unittest.TestCase):
    def test_rows_under_their_heads(self) -> None:
        self.assertEqual(markdown(("s", "what"), [["1", "a | b"], ["2", ""]]),
                         "| s | what |\n|---|---|\n| 1 | a / b |\n| 2 |  |\n")

    def test_what_is_broken_is_said_where_it_begins(self) -> None:
        self.assertEqual(said_once([["1", "a", "x"], ["2", "a", "x"], ["3", "b", "x"],
                                    ["4", "a", "x"]]),
                         [["1", "a", "x"], ["2", "", "x"], ["3", "b", "x"], ["4", "a", "x"]])

    def test_those_who_agree_are_said_once(self) -> None:
        self.assertEqual(together(["ok", "ok"]), "all ok")
        self.assertEqual(together(["ok", "-"]), "ok, -")

    def test_time_left(self) -> None:
        self.assertEqual(left(1090.4, 1000), "90 s")
        self.assertEqual(left(990, 1000), "-10 s")
        self.assertEqual(left(None, 1000), "-")


if __name__ == "__main__":
    unittest.main()
