"""What a scenario does to the database, and three voices on how far the standby is behind.

The truth needs no exporter: a session of the lab's own writes the time into a table of the lab's
own five times a second, and what a standby has of it tells how old its data is.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field

from spirelab import exposition, names
from spirelab.errors import LabError
from spirelab.other_exporter import OtherExporters, read_page, up_words
from spirelab.postgres import RELAY, Node, Postgres
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.wait import poll_until

_PLAIN = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())"
# What postgres_exporter from 0.12 on and most others ask.
_GUARDED = ("SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0 WHEN pg_last_wal_receive_lsn() = "
            "pg_last_wal_replay_lsn() THEN 0 ELSE extract(epoch FROM now() - "
            "pg_last_xact_replay_timestamp()) END")
_WATCHER = "server-0"
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


@dataclass
class Comparison:
    """Looks at the standby through every eye there is."""

    lab: Lab
    timeline: Timeline
    rows: list[Row] = field(default_factory=list)
    broken: str = "nothing"
    _beats: int = 0

    def __post_init__(self) -> None:
        self._postgres = database_of(self.lab)
        self._zero = self._changed = time.monotonic()
        self._postgres.run_sql("CREATE DATABASE lab;")
        self._postgres.run_sql("CREATE TABLE beat (at timestamptz); "
                               "CREATE TABLE ballast (filler text);", "lab")
        self.write_on()
        self._others = OtherExporters(self.lab)
        poll_until(lambda: self._truth() is not None, 20, "the standby has the lab's own rows")

    def write_on(self) -> None:
        """Keeps the primary busy; idle is what it is after write_off()."""
        self._beats += 1
        self.lab.supervisor.start(self._postgres.session(
            f"beat-{self._beats}", "while :; do echo 'INSERT INTO beat VALUES "
            "(clock_timestamp());'; sleep 0.2; done", "lab", user="lab"))

    def write_off(self) -> None:
        self.lab.supervisor.find(f"beat-{self._beats}").kill()

    def note(self, broken: str) -> None:
        """What is broken from now on."""
        self.broken = broken
        self._changed = time.monotonic()
        self.timeline.add("broken" if broken != "nothing" else "mended", broken)

    def watch(self, seconds: float, every: float = 5.0) -> None:
        """Looks now and then, and on at the rest in between."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            left = end - time.monotonic()
            if left <= 0:
                return
            self.timeline.watch(min(every, left))

    def look(self) -> Row:
        truth = self._truth()
        plain, guarded = (self._seconds(query) for query in (_PLAIN, _GUARDED))
        page = read_page(self.lab.plan.member(_WATCHER).page_url)
        lag, state, ours = self._ours(page)
        now = time.monotonic()
        row = Row(now - self._zero, self.broken, now - self._changed, truth,
                  plain, guarded, up_words(self._others.page(self._postgres.standby)), ours, lag,
                  state)
        self.rows.append(row)
        self.timeline.add("metric", " | ".join(row.cells()[2:]))
        return row

    def table(self) -> str:
        """The timeline as Markdown."""
        heads = ["s", "broken", "truth", "plain", "guarded", "postgres_exporter 0.11",
                 "spire-exporter"]
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(row.cells()) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"

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
    def _ours(page: exposition.Page | None) -> tuple[float | None, str, str]:
        if page is None:
            return None, "no page", "no page"

        def state(name: str, **labels: str) -> str:
            found = [one.labels["state"] for one in page.named(name)
                     if one.value == 1 and all(one.labels.get(key) == value
                                               for key, value in labels.items())]
            return found[0] if found else "-"

        lags = [one.value for one in page.named(names.PG_LAG)
                if one.labels["node"] == "ro/0"]
        lag = lags[0] if lags else None
        word = state(names.PG_REPLICATION_STATE, node="ro/0")
        words = [f"{lag:.1f} s" if lag is not None
                 else f"lag {state('spire_postgres_replication_lag_state', node='ro/0')}",
                 word, "rw " + state(names.PG_NODE_STATE, node="rw/0"),
                 "ro " + state(names.PG_NODE_STATE, node="ro/0"),
                 state(names.PG_CLUSTER_STATE)]
        return lag, word, ", ".join(words)
