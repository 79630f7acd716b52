"""Looks at agents and servers while servers' keys sign slowly or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from spirelab import names
from spirelab.outage_watch import Ends, OutageWatch
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.table import left, markdown, said_once, together
from spirelab.timeline import Timeline

_HEADS = ("s", "keys", "where", "first workload SVID: true end in", "ledger",
          "agent's SVID: true end in", "cache", "a token", "took", "issuing",
          "servers: verdict (SPIRE's /ready)")


@dataclass(frozen=True)
class KeysLook:
    """One agent's page, beside the truth and beside what the servers' sidecars say."""

    ends: Ends
    token: str  # what the canary's last attempt at a token came to
    took: float | None  # mean of those that were answered since the look before; None without any
    servers: tuple[tuple[str, str], ...]  # verdict, SPIRE's own word

    def cells(self) -> list[str]:
        ends = self.ends
        times = (ends.true_workload, ends.end("workload", "ledger"), ends.true_agent,
                 ends.end("agent", "cache"))
        return [f"{ends.at:.0f}", ends.broken, ends.member, *(left(end, ends.now) for end in times),
                self.token, "-" if self.took is None else f"{self.took:.3f} s", ends.issuing(),
                together([f"{state} ({health})" for state, health in self.servers])]


def table(looks: list[KeysLook]) -> str:
    return markdown(_HEADS, said_once(look.cells() for look in looks))


class KeysWatch(OutageWatch):
    """The looks of an OutageWatch, and what belongs to signing beside each."""

    def __init__(self, lab: Lab, timeline: Timeline) -> None:
        super().__init__(lab, timeline)
        self.signing: list[KeysLook] = []
        self._took: dict[str, tuple[float, float]] = {}

    def table(self) -> str:
        return table(self.signing)

    def look(self) -> list[Ends]:
        seen = super().look()
        servers = tuple(_health(Said.now(member.page_url)) for member in self.lab.plan.servers())
        for ends in seen:
            token = ends.said.label(names.CANARY_OUTCOME, "outcome", operation="jwt")
            self.signing.append(KeysLook(ends, token, self._mean(ends), servers))
            self.timeline.add("metric", " | ".join(self.signing[-1].cells()[7:]))
        return seen

    def _mean(self, ends: Ends) -> float | None:
        total = ends.said.value(names.CANARY_DURATION + "_sum", operation="jwt")
        count = ends.said.value(names.CANARY_DURATION + "_count", operation="jwt")
        if total is None or count is None:
            return None
        before = self._took.get(ends.member, (0.0, 0.0))
        self._took[ends.member] = (total, count)
        answered = count - before[1]
        return (total - before[0]) / answered if answered > 0 else None


def _health(said: Said) -> tuple[str, str]:
    return said.state(names.SERVER_STATE), said.state(names.SERVER_HEALTH, check="ready")
