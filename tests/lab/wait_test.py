"""Until when a condition is asked for, by a clock that moves only while nobody asks."""

import unittest

from spirelab.errors import LabError
from spirelab.wait import Deadline, poll_until, try_until


class WaitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 50.0
        self.asked: list[float] = []

    def clock(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, answer_at: float) -> str:
        self.asked.append(self.now - 50)
        return "yes" if self.asked[-1] >= answer_at else ""

    def test_a_deadline_is_never_negative(self) -> None:
        deadline = Deadline(5, self.clock)
        self.rest(3)
        self.assertEqual((deadline.remaining(), deadline.passed()), (2, False))
        self.rest(4)
        self.assertEqual((deadline.remaining(), deadline.passed()), (0, True))

    def test_the_first_true_answer_is_returned(self) -> None:
        answer = poll_until(lambda: self.ask(4), 10, "yes", 2, rest=self.rest, clock=self.clock)
        self.assertEqual((answer, self.asked), ("yes", [0, 2, 4]))

    def test_the_last_try_is_at_the_deadline(self) -> None:
        self.assertIsNone(
            try_until(lambda: self.ask(9), 5, 2, rest=self.rest, clock=self.clock))
        self.assertEqual(self.asked, [0, 2, 4, 5])

    def test_an_error_says_what_was_waited_for(self) -> None:
        with self.assertRaisesRegex(LabError, "^a yes: not so after 5 s$"):
            poll_until(lambda: self.ask(9), 5, "a yes", 2, rest=self.rest, clock=self.clock)

    def test_who_watches_may_end_it_between_two_tries(self) -> None:
        def watch() -> None:
            if self.now > 51:
                raise LabError("it died")

        with self.assertRaisesRegex(LabError, "it died"):
            poll_until(lambda: self.ask(9), 5, "a yes", 2, watch, self.rest, self.clock)
        self.assertEqual(self.asked, [0, 2])


if __name__ == "__main__":
    unittest.main()
