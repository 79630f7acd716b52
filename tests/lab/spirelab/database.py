"""What a scenario does to the database, and three voices on how far the standby is behind.

The truth needs no exporter: a session of the lab's own writes the time into a table of the lab's
own five times a second, and what a standby has of it tells how old its data is.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from spirelab import names
from spirelab.errors import LabError
from spirelab.lookout import Lookout
from spirelab.other_exporter import OtherExporters, up_words
from spirelab.postgres import RELAY, Node, Postgres
from spirelab.said import Said
from spirelab.stage import Lab
from spirelab.table import markdown
from spirelab.timeline import Timeline
from spirelab.wait import poll_until

_PLAIN = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())"
# What postgres_exporter from 0.12 on and most others ask.
_GUARDED = ("SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0 WHEN pg_last_wal_receive_lsn() = "
            "pg_last_wal_replay_lsn() THEN 0 ELSE extract(epoch FROM now() - "
            "pg_last_xact_replay_timestamp()) END")
_HEADS = ("s", "broken", "truth", "plain", "guarded", "postgres_exporter 0.11", "spire-exporter")
_WATCHER = "server-0"
# What is said of the standby when log that it needs is gone: it has to be built anew.
LOST_SLOT = "slot lost"
# What an inserted row, a look at the standby and a page are apart at most.
SLACK_SECONDS = 2.0


def database_of(lab: Lab) -> Postgres:
    if lab.postgres is None:
        raise LabError("the lab has no database")
    return lab.postgres


def freeze(lab: Lab, node: Node) -> None:
    """SIGSTOP to a server and its backends, each of which leads a session of its own."""
    _signal_family(lab.supervisor.find(node.name).pid, signal.SIGSTOP)


def thaw(lab: Lab, node: Node) -> None:
    _signal_family(lab.supervisor.find(node.name).pid, signal.SIGCONT)


def stop(lab: Lab, node: Node) -> None:
    """As a crash of the machine would, seen from the clients."""
    process = lab.supervisor.find(node.name)
    process.signal(signal.SIGQUIT)
    if not process.wait(10):
        raise LabError(f"{node.name} survived SIGQUIT")


def start(lab: Lab, node: Node) -> None:
    process = lab.supervisor.find(node.name)
    process.start()
    poll_until(lambda: database_of(lab).ask(node, "SELECT 1") == "1", 30,
               f"{node.name} answers", watch=process.must_run)


def relay(lab: Lab, number: int) -> None:
    """A signal to the relay between standby and primary: STOP hangs the line, KILL cuts it."""
    process = lab.supervisor.find(RELAY)
    if number == signal.SIGKILL:
        process.kill()
    else:
        process.signal(number)


def mend_relay(lab: Lab) -> None:
    lab.supervisor.find(RELAY).start()


def _signal_family(server: int, number: int) -> None:
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            if parent == server:
                os.kill(int(name), number)
        except (OSError, IndexError, ValueError):
            continue  # gone in the meantime
    os.kill(server, number)


@dataclass(frozen=True)
class Row:
    """One look, everybody asked within a fraction of a second."""

    at: float
    broken: str
    since: float  # seconds since that began
    truth: float | None  # seconds that the standby's data is old; None when nobody can say
    plain: str
    guarded: str
    other: str
    ours: str
    lag: float | None
    state: str

    def cells(self) -> list[str]:
        truth = "?" if self.truth is None else f"{self.truth:.1f}"
        return [f"{self.at:.0f}", self.broken, truth, self.plain, self.guarded, self.other,
                self.ours]


class Comparison(Lookout[Row]):
    """Looks at the standby through every eye there is."""

    every = 5.0

    def __init__(self, lab: Lab, timeline: Timeline) -> None:
        super().__init__(lab, timeline)
        self.rows: list[Row] = []
        self._beats = 0
        self._postgres = database_of(lab)
        self._postgres.run_sql("CREATE DATABASE lab;")
        self._postgres.run_sql("CREATE TABLE beat (at timestamptz); "
                               "CREATE TABLE ballast (filler text);", "lab")
        self.write_on()
        self._others = OtherExporters(lab)
        poll_until(lambda: self._truth() is not None, 20, "the standby has the lab's own rows")

    def write_on(self) -> None:
        """Keeps the primary busy; idle is what it is after write_off()."""
        self._beats += 1
        self.lab.supervisor.start(self._postgres.session(
            f"beat-{self._beats}", "while :; do echo 'INSERT INTO beat VALUES "
            "(clock_timestamp());'; sleep 0.2; done", "lab", user="lab"))

    def write_off(self) -> None:
        self.lab.supervisor.find(f"beat-{self._beats}").kill()

    def look(self) -> Row:
        truth = self._truth()
        plain, guarded = (self._seconds(query) for query in (_PLAIN, _GUARDED))
        lag, state, ours = self._ours(Said.now(self.lab.plan.member(_WATCHER).page_url))
        row = Row(*self.moment(), truth, plain, guarded,
                  up_words(self._others.page(self._postgres.standby)), ours, lag, state)
        self.rows.append(row)
        self.tell(row.cells())
        return row

    def table(self) -> str:
        return markdown(_HEADS, [row.cells() for row in self.rows])

    def _truth(self) -> float | None:
        """Since when the primary has a row that the standby lacks; of a dead primary nobody knows."""
        there = self._postgres.ask(self._postgres.standby,
                                   "SELECT coalesce(max(at), '-infinity') FROM beat", "lab")
        if not there:
            return None
        age = self._postgres.ask(
            self._postgres.primary,
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0) FROM beat "
            f"WHERE at > '{there}'", "lab")
        return float(age) if age else None

    def _seconds(self, query: str) -> str:
        text = self._postgres.ask(self._postgres.standby, query)
        return f"{float(text):.1f}" if text else "no answer"

    @staticmethod
    def _ours(said: Said) -> tuple[float | None, str, str]:
        if said.page is None:
            return None, "no page", "no page"
        lag = said.value(names.PG_LAG, node="ro/0")
        word = said.state(names.PG_REPLICATION_STATE, node="ro/0")
        slot = said.state(names.PG_SLOT_STATE, node="rw/0")
        return lag, word, ", ".join((
            f"{lag:.1f} s" if lag is not None
            else f"lag {said.state(names.PG_LAG_STATE, node='ro/0')}", word,
            *([LOST_SLOT] if slot == "lost" else []), said.nodes()))
