"""What a scenario is, and how one is found by its name.

A file in `scenarios/` defines `SCENARIO`, an instance of `Scenario`. It breaks one thing, watches,
mends it; its expectations are judged afterwards.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import Callable

from spirelab import names
from spirelab.errors import LabError
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, Verdict
from spirelab.wait import poll_until

Expectation = Callable[[Lab, Timeline], Line]

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenarios")


@dataclass(frozen=True)
class Scenario:
    """One thing that goes wrong."""

    name: str
    summary: str
    run: Callable[[Lab, Timeline], None]
    expectations: tuple[Expectation, ...]
    # Alerts that must reach the receiver; every other one fails the scenario.
    alerts: frozenset[str] = frozenset()
    real_only: bool = False
    # SPIRE's versions before the pinned one that it needs; it starts on the first.
    versions: tuple[str, ...] = ()
    # Whether it tells servers' keys how to sign (Lab.sign).
    keys: bool = False


def load_all(folder: str = _FOLDER) -> dict[str, Scenario]:
    """All scenarios by name."""
    found = {}
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".py") or file.startswith("_"):
            continue
        scenario = importlib.import_module(f"scenarios.{file[:-3]}").SCENARIO
        if scenario.name in found:
            raise LabError(f"two scenarios are called {scenario.name}")
        found[scenario.name] = scenario
    return found


def find(name: str) -> Scenario:
    """The scenario, or LabError with the names there are."""
    scenarios = load_all()
    if name not in scenarios:
        raise LabError(f"no scenario is called {name}: there are {', '.join(sorted(scenarios))}")
    return scenarios[name]


def settle(lab: Lab, ledgers: bool = True) -> None:
    """Returns when every ledger is judged and no alert is on its way, so that what is seen
    afterwards is the scenario's own doing. The clients of older SPIREs count nothing, so that
    there are no `ledgers` to wait for beside them."""
    def settled() -> bool:
        judged = {one.label("instance") for one in lab.prometheus.query(
            names.MISSING if ledgers else names.LINES)}
        return (judged >= {member.name for member in lab.plan.members}
                and not lab.prometheus.alerts())

    poll_until(settled, 60, "every sidecar has judged its ledger and no alert is pending",
               interval=1.0, watch=lab.must_run)


def play(lab: Lab, scenario: Scenario, timeline: Timeline) -> Verdict:
    """Runs it and judges: its own expectations, then the alerts that came."""
    if scenario.real_only and lab.real is None:
        raise LabError(f"{scenario.name} needs real SPIRE")
    scenario.run(lab, timeline)
    verdict = Verdict(f"{scenario.name} with {lab.heading}")
    for expectation in scenario.expectations:
        verdict.lines.append(expectation(lab, timeline))
    verdict.lines.append(judge_alerts(timeline.alert_names(), scenario.alerts))
    return verdict


def judge_alerts(came: set[str], expected: frozenset[str]) -> Line:
    """Exactly the declared alerts came."""
    absent, extra = sorted(expected - came), sorted(came - expected)
    words = [f"{name} never came" for name in absent] + [f"{name} came" for name in extra]
    return Line(not words, "alerts as declared", ", ".join(words)
                or ", ".join(sorted(came)) or "none, as declared")
