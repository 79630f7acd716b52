"""Looks at the database through every eye there is, while a scenario breaks it.

Each look asks the database itself (the truth), SPIRE's own readiness, a plain query, Debian's
exporter and the pages of all sidecars of servers, within a fraction of a second of each other.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Callable

from spirelab import exposition, web
from spirelab.database import database_of
from spirelab.lookout import Lookout
from spirelab.other_exporter import OtherExporters, up_words
from spirelab.postgres import WATCHER
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.table import markdown, said_once
from spirelab.timeline import Timeline
from spirelab.wait import try_until

_PLAIN = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())"
_SESSIONS = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{WATCHER}' " \
            "AND application_name LIKE 'spire-exporter%'"
_HEADS = ("s", "broken", "truth", "SPIRE", "plain lag", "postgres_exporter", "spire-exporter")


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
    kept = []
    for number, look in enumerate(looks):
        stretch = looks[number - 1:number + 2] if number else []
        if len(stretch) != 3 or not all(_same(look, near) for near in stretch):
            kept.append(look.cells())
    return markdown(_HEADS, said_once(kept))


def _same(one: Look, other: Look) -> bool:
    """The plain lag and the other exporter's change at every look by their nature."""
    return ((one.broken, one.truth, one.spire, one.ours)
            == (other.broken, other.truth, other.spire, other.ours))


class Watch(Lookout[Look]):
    """The three functions say what a scenario is about, in a few words each."""

    every = 3.0

    def __init__(self, lab: Lab, timeline: Timeline, truth: Callable[[Lab], str],
                 ours: Callable[[Look], str],
                 other: Callable[[exposition.Page | None], str] | None = None) -> None:
        super().__init__(lab, timeline)
        self.looks: list[Look] = []
        self._truth, self._ours, self._other = truth, ours, other
        self._postgres = database_of(lab)
        self._others = OtherExporters(lab)

    def table(self) -> str:
        return table(self.looks)

    def time_said(self, name: str, said: Callable[[Said], bool], seconds: float = 15.0) -> None:
        """How long after `note` the first sidecar's page says so, to a tenth of a second."""
        url = self.lab.plan.servers()[0].page_url
        if not try_until(lambda: said(Said.now(url)), seconds - self.since(), 0.1):
            self.timeline.add("note", f"{name}: not said within {seconds:g} s")
            return
        took = self.since()
        self.timeline.measure(name, took)
        self.timeline.add("note", f"{name}: said after {took:.1f} s")

    def look(self) -> Look:
        """Everybody at once: one that hangs does not make the others' answers old."""
        servers = self.lab.plan.servers()
        with ThreadPoolExecutor(6 + len(servers)) as crew:
            moment = self.moment()
            pages = [crew.submit(Said.now, member.page_url) for member in servers]
            truth = crew.submit(self._truth, self.lab)
            spire = crew.submit(self._spire)
            plain = crew.submit(self._postgres.ask, self._postgres.standby, _PLAIN)
            sessions = crew.submit(self._postgres.ask, self._postgres.primary, _SESSIONS)
            others = [crew.submit(self._others.page, node)
                      for node in (self._postgres.primary, self._postgres.standby)]
        every = tuple(page.result() for page in pages)
        seen = Look(
            *moment, truth=truth.result(), spire=spire.result(),
            plain=f"{float(plain.result()):.1f}" if plain.result() else "no answer",
            other=self._other_words(*(page.result() for page in others)), ours="", said=every[0],
            every=every, sessions=int(sessions.result()) if sessions.result() else None)
        seen = replace(seen, ours=self._ours(seen))
        self.looks.append(seen)
        self.tell(seen.cells())
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

    def _other_words(self, primary: exposition.Page | None,
                     standby: exposition.Page | None) -> str:
        if self._other is not None:
            return self._other(primary)
        return f"rw {up_words(primary)}; ro {up_words(standby)}"
