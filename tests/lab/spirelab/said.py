"""A page of ours, asked for what scenarios want to know."""

from __future__ import annotations

from dataclasses import dataclass

from spirelab import exposition, names
from spirelab.other_exporter import read_page


@dataclass(frozen=True)
class Said:
    """One page, or that there was none."""

    page: exposition.Page | None

    @staticmethod
    def now(url: str) -> Said:
        return Said(read_page(url))

    def series(self, name: str, **labels: str) -> list[exposition.Series]:
        """Those with these labels; none without a page."""
        return [one for one in (self.page.named(name) if self.page else ())
                if all(one.labels.get(key) == value for key, value in labels.items())]

    def value(self, name: str, **labels: str) -> float | None:
        """The one series with these labels; None when there is none."""
        found = self.series(name, **labels)
        return found[0].value if len(found) == 1 else None

    def sum(self, name: str, **labels: str) -> float | None:
        found = self.series(name, **labels)
        return sum(one.value for one in found) if found else None

    def state(self, name: str, label: str = "state", **labels: str) -> str:
        """The state that a state set is in; `-` when it is absent."""
        if self.page is None:
            return "no page"
        found = [one.labels[label] for one in self.series(name, **labels) if one.value == 1]
        return found[0] if found else "-"

    def label(self, name: str, label: str, **labels: str) -> str:
        """Of the first series with these labels; `-` when there is none."""
        found = self.series(name, **labels)
        return found[0].labels[label] if found else "-"

    def node(self, name: str) -> str:
        return self.state(names.PG_NODE_STATE, node=name)

    def up(self, name: str) -> float | None:
        return self.value(names.PG_UP, node=name)

    def rows(self, table: str = "registered_entries") -> float | None:
        return self.value(names.ROWS, table=table)

    def condition(self) -> str:
        return self.state(names.CONDITION, "condition")

    def nodes(self) -> str:
        """What the two nodes and both together are."""
        return (f"rw {self.node('rw/0')}, ro {self.node('ro/0')}, "
                f"{self.state('spire_postgres_cluster_state')}")
