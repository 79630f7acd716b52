"""Looks at the database through every eye there is, while a scenario breaks it.

Each look asks the database itself (the truth), SPIRE's own readiness, a plain query, Debian's
exporter and the pages of all sidecars of servers, within a fraction of a second of each other.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Callable

from spirelab import exposition, names, web
from spirelab.database import database_of
from spirelab.errors import LabError
from spirelab.other_exporter import OtherExporters, read_page, up_words
from spirelab.postgres import WATCHER
from spirelab.stage import Lab
from spirelab.timeline import Timeline

NOTHING = "nothing"
_PLAIN = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())"
_SESSIONS = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{WATCHER}' " \
            "AND application_name LIKE 'spire-exporter%'"
_HEADS = ("s", "broken", "truth", "SPIRE", "plain lag", "postgres_exporter", "spire-exporter")


@dataclass(frozen=True)
class Said:
    """A page of ours, asked for what scenarios want to know."""

    page: exposition.Page | None

    def value(self, name: str, **labels: str) -> float | None:
        """The one series with these labels; None when there is none."""
        if self.page is None:
            return None
        found = [one.value for one in self.page.named(name)
                 if all(one.labels.get(key) == value for key, value in labels.items())]
        return found[0] if len(found) == 1 else None

    def sum(self, name: str, **labels: str) -> float | None:
        if self.page is None:
            return None
        found = [one.value for one in self.page.named(name)
                 if all(one.labels.get(key) == value for key, value in labels.items())]
        return sum(found) if found else None

    def state(self, name: str, label: str = "state", **labels: str) -> str:
        """The state that a state set is in; `-` when it is absent."""
        if self.page is None:
            return "no page"
        found = [one.labels[label] for one in self.page.named(name) if one.value == 1
                 and all(one.labels.get(key) == value for key, value in labels.items())]
        return found[0] if found else "-"

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


@dataclass(frozen=True)
class Look:
    """What everybody said at one moment."""

    at: float  # seconds since the watch began
    broken: str
    since: float  # seconds since that was broken
    truth: str
    spire: str
    plain: str
    other: str
    ours: str
    said: Said  # of the first server's sidecar
    every: tuple[Said, ...] = ()  # of all of them
    sessions: int | None = None  # of our sidecars on the primary, by its own account

    def cells(self) -> list[str]:
        return [f"{self.at:.0f}", self.broken, self.truth, self.spire, self.plain, self.other,
                self.ours]

    def first(self, name: str, **labels: str) -> float | None:
        """From whichever sidecar has it: some readings are made by one elected of them."""
        for said in self.every:
            value = said.value(name, **labels)
            if value is not None:
                return value
        return None


def table(looks: list[Look]) -> str:
    """The looks as Markdown. What is broken is said once, where it begins; of a stretch in which
    nobody changed his mind the first and the last are kept."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|" + "---|" * len(_HEADS)]
    before = ""
    for number, look in enumerate(looks):
        stretch = looks[number - 1:number + 2] if number else []
        if len(stretch) == 3 and all(_same(look, near) for near in stretch):
            continue
        cells = look.cells()
        cells[1], before = "" if look.broken == before else look.broken, look.broken
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _same(one: Look, other: Look) -> bool:
    """The plain lag and the other exporter's change at every look by their nature."""
    return ((one.broken, one.truth, one.spire, one.ours)
            == (other.broken, other.truth, other.spire, other.ours))


@dataclass
class Watch:
    """One scenario's looks. The three functions say what it is about, in a few words each."""

    lab: Lab
    timeline: Timeline
    truth: Callable[[Lab], str]
    ours: Callable[[Look], str]
    other: Callable[[exposition.Page | None], str] | None = None
    looks: list[Look] = field(default_factory=list)
    broken: str = NOTHING

    def __post_init__(self) -> None:
        self._postgres = database_of(self.lab)
        self._zero = self._changed = time.monotonic()
        self._others = OtherExporters(self.lab)

    def note(self, broken: str) -> None:
        """What is broken from now on."""
        self.broken = broken
        self._changed = time.monotonic()
        self.timeline.add("mended" if broken == NOTHING else "broken", broken)

    def watch(self, seconds: float, every: float = 3.0) -> None:
        """Looks now and then, and on at the rest in between."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            left = end - time.monotonic()
            if left <= 0:
                return
            self.timeline.watch(min(every, left))

    def until(self, condition: Callable[[Look], bool], seconds: float, what: str,
              every: float = 3.0) -> None:
        """Looks on until a look is as wanted; LabError when none is."""
        end = time.monotonic() + seconds
        while not condition(self.look()):
            if time.monotonic() > end:
                raise LabError(f"{what}: not so after {seconds:g} s")
            self.timeline.watch(every)

    def time_said(self, name: str, said: Callable[[Said], bool], seconds: float = 15.0) -> None:
        """How long after `note` the first sidecar's page says so, to a tenth of a second."""
        url = self.lab.plan.servers()[0].page_url
        while time.monotonic() - self._changed < seconds:
            if said(Said(read_page(url))):
                took = time.monotonic() - self._changed
                self.timeline.measure(name, took)
                self.timeline.add("note", f"{name}: said after {took:.1f} s")
                return
            time.sleep(0.1)
        self.timeline.add("note", f"{name}: not said within {seconds:g} s")

    def look(self) -> Look:
        """Everybody at once: one that hangs does not make the others' answers old."""
        servers = self.lab.plan.servers()
        with ThreadPoolExecutor(6 + len(servers)) as crew:
            moment = time.monotonic()
            pages = [crew.submit(read_page, member.page_url) for member in servers]
            truth = crew.submit(self.truth, self.lab)
            spire = crew.submit(self._spire)
            plain = crew.submit(self._postgres.ask, self._postgres.standby, _PLAIN)
            sessions = crew.submit(self._postgres.ask, self._postgres.primary, _SESSIONS)
            others = [crew.submit(self._others.page, node)
                      for node in (self._postgres.primary, self._postgres.standby)]
        every = tuple(Said(page.result()) for page in pages)
        seen = Look(
            at=moment - self._zero, broken=self.broken, since=moment - self._changed,
            truth=truth.result(), spire=spire.result(),
            plain=f"{float(plain.result()):.1f}" if plain.result() else "no answer",
            other=self._other(*(page.result() for page in others)), ours="", said=every[0],
            every=every, sessions=int(sessions.result()) if sessions.result() else None)
        seen = replace(seen, ours=self.ours(seen))
        self.looks.append(seen)
        self.timeline.add("metric", " | ".join(seen.cells()[2:]))
        return seen

    def time_pages(self, name: str, count: int) -> None:
        """How long pages take now, as numbers for the expectations; without an answer: for ever."""
        urls = [member.page_url for member in self.lab.plan.servers()]
        for number in range(count):
            began = time.monotonic()
            try:
                web.get(urls[number % len(urls)], 5.0)
                self.timeline.measure(name, time.monotonic() - began)
            except web.WebError:
                self.timeline.measure(name, float("inf"))

    def _spire(self) -> str:
        """The readiness that SPIRE's servers claim."""
        codes = [web.status(f"http://127.0.0.1:{member.health_port}/ready")
                 for member in self.lab.plan.servers()]
        ready = sum(code == 200 for code in codes)
        return f"{ready} of {len(codes)} ready"

    def _other(self, primary: exposition.Page | None, standby: exposition.Page | None) -> str:
        if self.other is not None:
            return self.other(primary)
        return f"rw {up_words(primary)}; ro {up_words(standby)}"
