"""What all sidecars say of versions, while a scenario replaces SPIRE's programs one by one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from spirelab import names
from spirelab.lookout import Lookout
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.table import markdown, said_once, together
from spirelab.timeline import Timeline

PAIRS = ("server_server", "schema_code", "agent_server")
_HEADS = ("s", "step", "servers: seen version, roll, beside the others", "schema apart",
          "agents beside servers", "canary")


@dataclass(frozen=True)
class RollLook:
    """Every page at one moment. By the name of the member."""

    at: float  # seconds since the watch began
    step: str
    since: float  # seconds since that step
    now: float
    servers: dict[str, Said]
    agents: dict[str, Said]

    def version(self, server: str) -> str:
        return self.servers[server].label(names.VERSION_SEEN, "version", whose="server")

    def pair(self, server: str, pair: str) -> str:
        return self.servers[server].state(names.SKEW_STATE, pair=pair)

    def apart(self, server: str, pair: str) -> float | None:
        return self.servers[server].value(names.SKEW, pair=pair)

    def roll(self, server: str) -> str:
        return self.servers[server].state(names.ROLL_STATE)

    def counted(self) -> dict[str, float]:
        """Agents by fit, from the one sidecar that counts them; of several, the one that agrees
        with nobody is none of ours to judge: the first."""
        for said in self.servers.values():
            found = {fit: said.value(names.AGENTS_BY_FIT, fit=fit)
                     for fit in ("fits", "newer", "too_old", "unknown")}
            if found["fits"] is not None:
                return {fit: value or 0.0 for fit, value in found.items()}
        return {}

    def agent_versions(self) -> str:
        """`oldest` or `oldest to newest`, from the one that counts."""
        for said in self.servers.values():
            oldest = said.label(names.VERSION_SEEN, "version", whose="oldest_agent")
            newest = said.label(names.VERSION_SEEN, "version", whose="newest_agent")
            if oldest != "-":
                return oldest if oldest == newest else f"{oldest} to {newest}"
        return "-"

    def issuing(self) -> dict[str, bool]:
        return {name: said.value(names.CANARY_ISSUING) == 1 for name, said in self.agents.items()}

    def token_age(self, agent: str) -> float | None:
        last = self.agents[agent].value(names.CANARY_LAST_SUCCESS, operation="jwt")
        return None if last is None else self.now - last

    def cells(self) -> list[str]:
        servers = together([f"{self.version(name)} {self.roll(name)} "
                            f"{self.pair(name, 'server_server')}" for name in self.servers])
        schema = together([_number(self.apart(name, "schema_code")) + " "
                           + self.pair(name, "schema_code") for name in self.servers])
        count = self.counted()
        agents = ", ".join(f"{value:g} {fit}" for fit, value in count.items() if value) or "-"
        canary = together([said.label(names.CANARY_OUTCOME, "outcome", operation="jwt")
                           for said in self.agents.values()])
        return [f"{self.at:.0f}", self.step, servers, schema,
                f"{agents} ({self.agent_versions()})", canary]


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:+g}" if value else "0"


def table(looks: list[RollLook]) -> str:
    """As Markdown: a row for each step, for each change of what is said, and for the end."""
    kept: list[list[str]] = []
    for number, look in enumerate(looks):
        cells = look.cells()
        if not kept or cells[1:] != kept[-1][1:] or number == len(looks) - 1:
            kept.append(cells)
    return markdown(_HEADS, said_once(kept))


class RollWatch(Lookout[RollLook]):
    """A look is one at all members; nothing is broken, one step follows the other."""

    every = 5.0

    def __init__(self, lab: Lab, timeline: Timeline) -> None:
        super().__init__(lab, timeline)
        self.looks: list[RollLook] = []

    def table(self) -> str:
        return table(self.looks)

    def note(self, step: str) -> None:
        self.begin(step)
        self.timeline.add("note", step)

    def look(self) -> RollLook:
        plan = self.lab.plan
        seen = RollLook(
            *self.moment(), now=time.time(),
            servers={one.name: Said.now(one.page_url) for one in plan.servers()},
            agents={one.name: Said.now(one.page_url) for one in plan.agents()})
        self.looks.append(seen)
        self.tell(seen.cells())
        return seen
