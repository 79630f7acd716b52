"""From the command line to an exit code."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from spirelab import names, scenario as plays
from spirelab.checks import Window, judge_lab, log_problems
from spirelab.errors import LabError, Stopped
from spirelab.monitoring import Page
from spirelab.options import Options, parse_options
from spirelab.registry import Registry
from spirelab.stage import Lab
from spirelab.summary import Screen, render
from spirelab.timeline import Timeline
from spirelab.wait import Deadline, poll_until

_REFRESH_SECONDS = 3.0
_QUIET_REFRESH_SECONDS = 15.0


def say(text: str) -> None:
    print(text, flush=True)


def print_page(page: Page) -> None:
    """What the receiver prints."""
    when = time.strftime("%H:%M:%S", time.localtime(page.at))
    say(f"PAGE {when} {page.status} {page.name} {page.instance} ({page.severity}): {page.summary}")


def main(argv: list[str]) -> int:
    """0 well, 1 a verdict failed or the lab could not run, 130 stopped."""
    options = parse_options(argv)
    if options.scenario == "list":
        for name, scenario in sorted(plays.load_all().items()):
            say(f"{name:18} {scenario.summary}")
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 130


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    # A second Ctrl-C must not interrupt the removal of what runs.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(signal.Signals(number).name)


def _run(options: Options) -> int:
    scenario = plays.find(options.scenario) if options.scenario else None
    lab = Lab(options, say, *((scenario.versions, scenario.keys) if scenario else ()))
    try:
        say(f"with {lab.heading}")
        lab.start(print_page)
        for name, address in lab.addresses():
            say(f"  {name:20} {address}")
        if scenario is not None:
            return _play(lab, scenario)
        if options.check and options.seconds is not None:
            return _check(lab, options.seconds)
        _watch(lab, options.seconds)
        return 0
    except Stopped:
        # Ctrl-C is the normal end of a lab that has no other.
        say("stopping")
        if options.seconds is None and scenario is None:
            return 0
        raise
    finally:
        lab.close()


def _watch(lab: Lab, seconds: float | None) -> None:
    screen = Screen()
    deadline = Deadline(seconds if seconds is not None else float("inf"))
    pause = _REFRESH_SECONDS if screen.terminal else _QUIET_REFRESH_SECONDS
    while not deadline.passed():
        screen.show(render(lab))
        lab.must_run()
        time.sleep(min(pause, deadline.remaining()))


def _check(lab: Lab, seconds: float) -> int:
    # A sidecar that came before its rights looks again after a minute.
    no_right = f'{names.LOOK_STATE}{{part="entry_events",state="no_right"}}'
    poll_until(lambda: [one.value for one in lab.prometheus.query(f"max({no_right})")] == [0], 90,
               "the sidecars may read the changes of entries", interval=1, watch=lab.must_run)
    start = time.time()
    Registry(lab).create(1)  # for the agents to take
    deadline = Deadline(seconds)
    while not deadline.passed():
        lab.must_run()
        time.sleep(min(1.0, deadline.remaining()))
    for line in render(lab):
        say(line)
    say("")
    verdict = judge_lab(lab, Window(start, time.time()))
    say(verdict.render())
    if not verdict.passed():
        for problem in log_problems(lab):
            say(f"  log of {problem}")
    return 0 if verdict.passed() else 1


def _play(lab: Lab, scenario: plays.Scenario) -> int:
    say("waiting for settled ledgers")
    plays.settle(lab, ledgers=not scenario.versions)
    say(f"scenario {scenario.name}: {scenario.summary}")
    timeline = Timeline(lab, say)
    assert lab.receiver is not None
    lab.receiver.announce = timeline.page
    verdict = plays.play(lab, scenario, timeline)
    say("\n" + verdict.render())
    return 0 if verdict.passed() else 1
