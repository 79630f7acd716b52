"""A PostgreSQL primary and one streaming standby with a slot, as SPIRE's shared datastore."""

from __future__ import annotations

import glob
import os
import secrets
import signal
from dataclasses import dataclass

from spirelab.account import Account
from spirelab.errors import LabError
from spirelab.ports import PortPicker
from spirelab.process import Process, Program, Supervisor, run_tool
from spirelab.wait import poll_until

SLOT = "standby1"
RELAY = "replication-relay"
WATCHER = "spire_exporter"
_SUPERUSER = "lab"


def find_postgres() -> str:
    """Folder with initdb and postgres of the newest version Debian has installed."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found:
        raise LabError("PostgreSQL is missing: install the package postgresql")
    return os.path.dirname(max(found, key=_version_of))


def _version_of(path: str) -> int:
    name = path.split("/")[4]
    return int(name) if name.isdigit() else 0


def primary_settings(port: int, socket_directory: str) -> str:
    """What the lab adds to postgresql.conf. Durability is off: the data lives for minutes."""
    return "\n".join([
        "listen_addresses = '127.0.0.1'",
        f"port = {port}",
        f"unix_socket_directories = '{socket_directory}'",
        "max_connections = 60",
        "shared_buffers = 32MB",
        "wal_level = replica",
        "max_wal_senders = 4",
        "max_replication_slots = 4",
        "hot_standby = on",
        "wal_receiver_status_interval = 5s",
        "max_slot_wal_keep_size = 64MB",
        "fsync = off",
        "password_encryption = scram-sha-256",
        "logging_collector = off",
        "",
    ])


def host_access() -> str:
    """pg_hba.conf: a password for everybody, loopback only."""
    return "\n".join([
        "local all all scram-sha-256",
        "host all all 127.0.0.1/32 scram-sha-256",
        "host replication all 127.0.0.1/32 scram-sha-256",
        "",
    ])


def login_words(error: str) -> str:
    """What matters of psql's words about a connection that failed."""
    if "hung" in error or "timeout expired" in error:
        return "no answer"
    for words in ("too many clients", "refused", "starting up", "shutting down",
                  "remaining connection slots are reserved"):
        if words in error:
            return words
    return error.splitlines()[-1].split("FATAL:")[-1].strip()[:60]


@dataclass(frozen=True)
class Node:
    """One PostgreSQL server."""

    name: str
    port: int
    data: str


class Postgres:
    """Owns the two nodes; passwords are made anew for each lab."""

    def __init__(self, directory: str, account: Account, ports: PortPicker) -> None:
        self._bin = find_postgres()
        self._account = account
        self._directory = directory
        self._passwords = {name: secrets.token_hex(12)
                           for name in (_SUPERUSER, "spire", "replicator", WATCHER)}
        self._relay_port = ports.take()
        self.primary = Node("pg-primary", ports.take(), os.path.join(directory, "primary"))
        self.standby = Node("pg-standby", ports.take(), os.path.join(directory, "standby"))
        self._pgpass = os.path.join(directory, "pgpass")

    def start(self, supervisor: Supervisor, python: str, helpers: str) -> None:
        """Makes both nodes and returns when the standby streams, through a relay that scenarios
        may stop or kill."""
        self._write_private(self._pgpass, "".join(
            f"127.0.0.1:*:*:{user}:{word}\n" for user, word in self._passwords.items()))
        self._make_primary()
        self._run(supervisor, self.primary)
        self.run_sql(
            f"CREATE ROLE spire LOGIN PASSWORD '{self._passwords['spire']}';\n"
            f"CREATE ROLE replicator LOGIN REPLICATION PASSWORD "
            f"'{self._passwords['replicator']}';\n"
            f"CREATE ROLE {WATCHER} LOGIN PASSWORD '{self._passwords[WATCHER]}';\n"
            "CREATE DATABASE spire OWNER spire;\n")
        supervisor.start(Program(
            RELAY, [python, os.path.join(helpers, "balancer.py"), "--route",
                    f"{self._relay_port}:{self.primary.port}"],
            self._account, os.path.join(self._directory, RELAY + ".log")))
        poll_until(self._relayed, 10, "the relay of the replication answers")
        self._make_standby()
        process = self._run(supervisor, self.standby)
        poll_until(self.streaming, 30, "the standby streams from the primary",
                   watch=process.must_run)

    def connection_string(self, node: Node) -> str:
        """What SPIRE's connection_string wants."""
        return (f"dbname=spire user=spire password={self._passwords['spire']} "
                f"host=127.0.0.1 port={node.port} sslmode=disable")

    def watcher_file(self, node: Node) -> str:
        """A connection file for a sidecar; its password is in the password file beside it."""
        path = os.path.join(self._directory, node.name + ".conninfo")
        self._write_private(path, f"host=127.0.0.1 port={node.port} dbname=spire user={WATCHER} "
                                  f"passfile={self._pgpass} sslmode=disable\n")
        return path

    def other_watcher(self, node: Node) -> dict[str, str]:
        """The environment with which Debian's postgres_exporter watches a node."""
        return {"DATA_SOURCE_NAME": f"host=127.0.0.1 port={node.port} dbname=spire "
                                    f"user={WATCHER} password={self._passwords[WATCHER]} "
                                    "sslmode=disable connect_timeout=3"}

    def streaming(self) -> bool:
        """Whether both ends of the replication say so: sender and receiver can each be wrong."""
        return (self.ask(self.primary, "SELECT count(*) FROM pg_stat_replication "
                                        "WHERE state = 'streaming'") == "1"
                and self.ask(self.standby, "SELECT count(*) FROM pg_stat_wal_receiver "
                                            "WHERE status = 'streaming'") == "1"
                and self.ask(self.standby, "SELECT pg_is_in_recovery()") == "t")

    def replication_state(self) -> str:
        """One line of evidence about the standby."""
        text = self.ask(self.primary,
                         "SELECT s.slot_name || ' ' || coalesce(r.state, 'no sender') || ', ' || "
                         "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::text, '?')"
                         " || ' bytes behind' FROM pg_replication_slots s LEFT JOIN "
                         "pg_stat_replication r ON r.pid = s.active_pid")
        return text or "no answer from the primary"

    def _relayed(self) -> bool:
        relayed = Node("relay", self._relay_port, "")
        return self.ask(relayed, "SELECT 1") == "1"

    def _make_primary(self) -> None:
        password_file = os.path.join(self._directory, "superuser")
        self._write_private(password_file, self._passwords[_SUPERUSER] + "\n")
        run_tool([f"{self._bin}/initdb", "--pgdata", self.primary.data, "--username", _SUPERUSER,
                  "--pwfile", password_file, "--auth", "scram-sha-256", "--encoding", "UTF8",
                  "--locale", "C", "--no-sync"], self._account, 60, directory=self._directory)
        with open(os.path.join(self.primary.data, "postgresql.conf"), "a",
                  encoding="ascii") as file:
            file.write(primary_settings(self.primary.port, self._directory))
        with open(os.path.join(self.primary.data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write(host_access())

    def _make_standby(self) -> None:
        run_tool([f"{self._bin}/pg_basebackup", "--pgdata", self.standby.data, "--host",
                  "127.0.0.1", "--port", str(self.primary.port), "--username", "replicator",
                  "--create-slot", "--slot", SLOT, "--write-recovery-conf", "--wal-method",
                  "stream", "--checkpoint", "fast", "--no-sync"],
                 self._account, 60, {"PGPASSFILE": self._pgpass}, self._directory)
        with open(os.path.join(self.standby.data, "postgresql.auto.conf"), "a",
                  encoding="ascii") as file:
            file.write(f"primary_conninfo = 'user=replicator passfile=''{self._pgpass}'' "
                       f"host=127.0.0.1 port={self._relay_port}'\n")

    def _run(self, supervisor: Supervisor, node: Node) -> Process:
        process = supervisor.start(Program(
            node.name,
            [f"{self._bin}/postgres", "-D", node.data, "-p", str(node.port)],
            self._account, os.path.join(self._directory, node.name + ".log"),
            {"PGPASSFILE": self._pgpass},
            death_signal="QUIT", stop_signal=signal.SIGINT))
        poll_until(lambda: self.ask(node, "SELECT 1") == "1", 30, f"{node.name} answers",
                   watch=process.must_run)
        return process

    def ask(self, node: Node, query: str, database: str = "postgres") -> str:
        """Answer of one query, empty when the node does not answer."""
        try:
            return run_tool(
                [f"{self._bin}/psql", "-XAtq", "-h", "127.0.0.1", "-p", str(node.port), "-U",
                 _SUPERUSER, "-d", database, "-c", query],
                self._account, 3,
                {"PGPASSFILE": self._pgpass, "PGCONNECT_TIMEOUT": "2"}, self._directory).strip()
        except LabError:
            return ""

    def try_login(self, node: Node, user: str, database: str) -> str:
        """`logs in`, or why not in PostgreSQL's own words."""
        try:
            run_tool([f"{self._bin}/psql", "-XAtqw", "-h", "127.0.0.1", "-p", str(node.port), "-U",
                      user, "-d", database, "-c", "SELECT 1"], self._account, 3,
                     {"PGPASSFILE": self._pgpass, "PGCONNECT_TIMEOUT": "2"}, self._directory)
            return "logs in"
        except LabError as error:
            return login_words(str(error))

    def run_sql(self, text: str, database: str = "postgres", node: Node | None = None,
                seconds: float = 60) -> str:
        """Runs statements as the superuser; LabError when one fails."""
        return run_tool(
            [f"{self._bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str((node or self.primary).port), "-U", _SUPERUSER, "-d", database, "-f", "-"],
            self._account, seconds, {"PGPASSFILE": self._pgpass}, self._directory, text_in=text)

    def load_tables(self, path: str) -> None:
        """SPIRE's tables without SPIRE, and its sign of life in them."""
        with open(path, encoding="utf-8") as file:
            self.run_sql("SET ROLE spire;\n" + file.read(), "spire")

    def session(self, name: str, script: str, database: str = "spire",
                node: Node | None = None, user: str = "spire") -> Program:
        """A shell script whose output goes into one psql session."""
        psql = (f"{self._bin}/psql -Xq -h 127.0.0.1 -p {(node or self.primary).port} "
                f"-U {user} -d {database}")
        return Program(name, ["/bin/sh", "-c", f"{{ {script}; }} | {psql}"], self._account,
                       os.path.join(self._directory, name + ".log"),
                       {"PGPASSFILE": self._pgpass})

    def hoard(self, name: str, role: str) -> Program:
        """Another application that takes every session it can get, ten a second, and keeps them.

        One process is enough: dblink opens sessions from within a session.
        """
        self.run_sql("CREATE EXTENSION IF NOT EXISTS dblink;")
        word = secrets.token_hex(12)
        self.run_sql(f"CREATE ROLE {role} LOGIN PASSWORD '{word}';")
        script = ("n=0; while :; do n=$((n+1)); echo \"SELECT dblink_connect('c$n', "
                  f"'host=127.0.0.1 port={self.primary.port} dbname=postgres user={role} "
                  f"password={word} sslmode=disable');\"; sleep 0.1; done")
        return self.session(name, script, "postgres", user=_SUPERUSER)

    def dump(self, path: str) -> None:
        """SPIRE's database as of now."""
        run_tool([f"{self._bin}/pg_dump", "-h", "127.0.0.1", "-p", str(self.primary.port), "-U",
                  _SUPERUSER, "-d", "spire", "--clean", "--if-exists", "-f", path],
                 self._account, 60, {"PGPASSFILE": self._pgpass}, self._directory)

    def restore(self, path: str) -> None:
        """Puts a dump in the place of what is there."""
        run_tool([f"{self._bin}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-1", "-h", "127.0.0.1",
                  "-p", str(self.primary.port), "-U", _SUPERUSER, "-d", "spire", "-f", path],
                 self._account, 60, {"PGPASSFILE": self._pgpass}, self._directory)

    def _write_private(self, path: str, text: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        self._account.own(path)
