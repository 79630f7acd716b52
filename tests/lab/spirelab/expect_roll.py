"""Expectations of what is said of versions, over the looks of a RollWatch. Each can fail: without
looks of the step that it is about it does."""

from __future__ import annotations

from typing import Callable

from spirelab import names
from spirelab.roll_watch import PAIRS, RollLook
from spirelab.verdict import Line, brief

Looks = list[RollLook]
# A start of SPIRE, a look at the database every 5 s, telemetry and a judgement every 15 s each.
SEEN_WITHIN = 45.0
# A token every 5 s; a server or an agent that starts again costs one or two of them.
_TOKEN_SECONDS = 25.0


def during(looks: Looks, step: str, after: float = 0.0) -> Looks:
    """Those of the steps whose names begin so."""
    return [look for look in looks if look.step.startswith(step) and look.since >= after]


def never(looks: Looks, title: str, wrong: Callable[[RollLook], list[str]]) -> Line:
    """No look has anything wrong with it, and there are looks."""
    found = [f"{what} at {look.at:.0f} s" for look in looks for what in wrong(look)]
    return Line(bool(looks) and not found, title, brief(found) or f"{len(looks)} looks")


def sometime(looks: Looks, title: str, right: Callable[[RollLook], bool]) -> Line:
    """At least one look is so."""
    first = next((look for look in looks if right(look)), None)
    return Line(first is not None, title,
                f"at {first.at:.0f} s, {first.since:.0f} s into the step" if first
                else f"in none of {len(looks)} looks")


def supported(look: RollLook) -> list[str]:
    """What is called unsupported."""
    return [f"{server} {pair}" for server in look.servers for pair in PAIRS
            if look.pair(server, pair) == "unsupported"]


def no_fault(look: RollLook) -> list[str]:
    """Rolls that are called something worse."""
    return [f"{server} {look.roll(server)}" for server in look.servers
            if look.roll(server) in ("rolled_back", "lingering", "unrecorded")]


def settled(look: RollLook, version: str, agents: int) -> bool:
    """Everything is that version, and everybody says so."""
    return (all(look.version(server) == version and look.roll(server) == "settled"
                and look.pair(server, "server_server") == "supported"
                and look.apart(server, "schema_code") == 0 for server in look.servers)
            and look.counted().get("fits") == agents and look.agent_versions() == version)


def tokens_flow(looks: Looks) -> Line:
    """On every agent's page, at every look, the last good token is young."""
    def old(look: RollLook) -> list[str]:
        ages = {agent: look.token_age(agent) for agent in look.agents}
        return [f"{agent} {'never' if age is None else f'{age:.0f} s'}"
                for agent, age in ages.items() if age is None or age > _TOKEN_SECONDS]

    ages = [age for look in looks for agent in look.agents
            if (age := look.token_age(agent)) is not None]
    line = never(looks, f"a good token within {_TOKEN_SECONDS:g} s, all the way", old)
    return Line(line.passed, line.what, line.evidence + (f", at most {max(ages):.0f} s" if ages
                                                        else ""))


def issuing_in_the_end(looks: Looks) -> Line:
    last = looks[-1].issuing() if looks else {}
    wrong = [agent for agent, issues in last.items() if not issues]
    return Line(bool(last) and not wrong, f"{names.CANARY_ISSUING} is 1 in the end",
                brief(wrong) or "everywhere")
