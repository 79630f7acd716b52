"""Holds announced expiries against true ones, while a scenario takes the servers away.

The truth of the first workload is the first end of what workloads hold on a node: each fleet writes
down when the first of its SVIDs ends, and the sidecar's own canary is one more. That of an agent is
what the servers' table had before they went.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from spirelab import names
from spirelab.database import database_of
from spirelab.lookout import Lookout
from spirelab.plan import Member
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.table import left, markdown, said_once
from spirelab.timeline import Timeline

_HEADS = ("s", "broken", "where", "first workload SVID: true end in", "ledger", "bound",
          "agent's SVID: true end in", "cache", "issuing", "comeback", "servers as reached",
          "their chain against the agent's bundle")
_SERVER_HEADS = ("s", "broken", "where", "its port", "state", "SPIRE's own health", "agreement")


@dataclass(frozen=True)
class Ends:
    """What one agent's sidecar said at one moment, beside the truth. Times are Unix seconds."""

    at: float  # seconds since the watch began
    broken: str
    since: float  # seconds since that was broken
    now: float
    member: str
    true_workload: float | None
    true_agent: float | None
    said: Said

    def end(self, clock: str, source: str) -> float | None:
        return self.said.value(names.FIRST_EXPIRY, clock=clock, source=source)

    def issuing(self) -> str:
        return self.said.state(names.ISSUING)

    def comeback(self) -> str:
        why = [one.labels["reason"] for one in self.said.series(names.COMEBACK_REASON)
               if one.value == 1]
        return self.said.state(names.COMEBACK) + (f" ({', '.join(why)})" if why else "")

    def cells(self) -> list[str]:
        ends = (self.true_workload, self.end("workload", "ledger"), self.end("workload", "bound"),
                self.true_agent, self.end("agent", "cache"))
        return [f"{self.at:.0f}", self.broken, self.member, *(left(end, self.now) for end in ends),
                self.issuing(), self.comeback(), self.said.state(names.REACH_VERDICT, "verdict"),
                self.chains()]

    def chains(self) -> str:
        """Servers by what the agent's own bundle says of the chain that they show."""
        counts = [f"{one.value:g} {one.labels['verdict']}"
                  for one in self.said.series(names.REACH_CHAINS, against="held") if one.value > 0]
        return ", ".join(counts) or "-"


@dataclass(frozen=True)
class ServerWords:
    """What one server's sidecar said at one moment."""

    at: float
    broken: str
    since: float
    member: str
    said: Said

    def cells(self) -> list[str]:
        last = [f"{one.labels['check']} {one.labels['state']}"
                for one in self.said.series(names.SERVER_HEALTH) if one.value == 1]
        return [f"{self.at:.0f}", self.broken, self.member,
                self.said.state(names.REACH_VERDICT, "verdict"),
                self.said.state(names.SERVER_STATE), ", ".join(last) or "-",
                self.said.state(names.SERVER_AGREEMENT)]


def table(agents: list[Ends], servers: list[ServerWords]) -> str:
    """Two: agents and, below, servers."""
    return "\n".join(markdown(heads, said_once(look.cells() for look in looks))
                     for heads, looks in ((_HEADS, agents), (_SERVER_HEADS, servers)))


class OutageWatch(Lookout[list[Ends]]):
    """A look is one at every agent, and one at every server after it."""

    every = 10.0

    def __init__(self, lab: Lab, timeline: Timeline) -> None:
        super().__init__(lab, timeline)
        self.looks: list[Ends] = []
        self.servers: list[ServerWords] = []
        self._agents: dict[str, float] = {}

    def table(self) -> str:
        return table(self.looks, self.servers)

    def look(self) -> list[Ends]:
        """Every agent's sidecar, beside what workloads hold there; then those of the servers."""
        self._ask_agents()
        seen = []
        for member in self.lab.plan.agents():
            said = Said.now(member.page_url)
            seen.append(Ends(
                *self.moment(), now=time.time(), member=member.name,
                true_workload=self._first_workload(member, said),
                true_agent=self._agents.get(member.name), said=said))
            self.tell(seen[-1].cells())
        self.looks += seen
        for member in self.lab.plan.servers():
            said = Said.now(member.page_url)
            self.servers.append(ServerWords(*self.moment(), member.name, said))
        return seen

    def _first_workload(self, member: Member, said: Said) -> float | None:
        """While it has ended the workloads hold it still: an agent goes on serving it."""
        ends = [end for end in self.lab.held_ends(member) if end > 0]
        canary = said.value(names.SVID_EXPIRY, kind="canary")
        if canary is not None:
            ends.append(canary)
        return min(ends) if ends else None

    def _ask_agents(self) -> None:
        """Agents renew while there are servers; what was read last stays the truth afterwards."""
        simulated = self.lab.simulated
        if simulated is not None:
            for member in self.lab.plan.agents():
                end = simulated.agent_end(member)
                if end is not None:
                    self._agents[member.name] = end
            return
        postgres = database_of(self.lab)
        text = postgres.ask(
            postgres.primary, "SELECT string_agg(data_type || ' ' || extract(epoch FROM "
            "expires_at)::bigint, ',') FROM attested_node_entries WHERE serial_number <> ''",
            "spire")
        for row in (text or "").split(","):
            kind, _, end = row.partition(" ")
            for member in self.lab.plan.agents():
                if end and kind == self.lab.attestor(member):
                    self._agents[member.name] = float(end)
