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
                           for name in (_SUPERUSER, "spire", "replicator")}
        self.primary = Node("pg-primary", ports.take(), os.path.join(directory, "primary"))
        self.standby = Node("pg-standby", ports.take(), os.path.join(directory, "standby"))
        self._pgpass = os.path.join(directory, "pgpass")

    def start(self, supervisor: Supervisor) -> None:
        """Makes both nodes and returns when the standby streams."""
        self._write_private(self._pgpass, "".join(
            f"127.0.0.1:*:*:{user}:{word}\n" for user, word in self._passwords.items()))
        self._make_primary()
        self._run(supervisor, self.primary)
        self._sql_file(
            f"CREATE ROLE spire LOGIN PASSWORD '{self._passwords['spire']}';\n"
            f"CREATE ROLE replicator LOGIN REPLICATION PASSWORD "
            f"'{self._passwords['replicator']}';\n"
            "CREATE DATABASE spire OWNER spire;\n")
        self._make_standby()
        process = self._run(supervisor, self.standby)
        poll_until(self.streaming, 30, "the standby streams from the primary",
                   watch=process.must_run)

    def connection_string(self, node: Node) -> str:
        """What SPIRE's connection_string wants."""
        return (f"dbname=spire user=spire password={self._passwords['spire']} "
                f"host=127.0.0.1 port={node.port} sslmode=disable")

    def streaming(self) -> bool:
        """Whether both ends of the replication say so: sender and receiver can each be wrong."""
        return (self._ask(self.primary, "SELECT count(*) FROM pg_stat_replication "
                                        "WHERE state = 'streaming'") == "1"
                and self._ask(self.standby, "SELECT count(*) FROM pg_stat_wal_receiver "
                                            "WHERE status = 'streaming'") == "1"
                and self._ask(self.standby, "SELECT pg_is_in_recovery()") == "t")

    def replication_state(self) -> str:
        """One line of evidence about the standby."""
        text = self._ask(self.primary,
                         "SELECT s.slot_name || ' ' || coalesce(r.state, 'no sender') || ', ' || "
                         "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::text, '?')"
                         " || ' bytes behind' FROM pg_replication_slots s LEFT JOIN "
                         "pg_stat_replication r ON r.pid = s.active_pid")
        return text or "no answer from the primary"

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

    def _run(self, supervisor: Supervisor, node: Node) -> Process:
        process = supervisor.start(Program(
            node.name,
            [f"{self._bin}/postgres", "-D", node.data, "-p", str(node.port)],
            self._account, os.path.join(self._directory, node.name + ".log"),
            {"PGPASSFILE": self._pgpass},
            death_signal="QUIT", stop_signal=signal.SIGINT))
        poll_until(lambda: self._ask(node, "SELECT 1") == "1", 30, f"{node.name} answers",
                   watch=process.must_run)
        return process

    def _ask(self, node: Node, query: str) -> str:
        """Answer of one query, empty when the node does not answer."""
        database = "postgres"
        try:
            return run_tool(
                [f"{self._bin}/psql", "-XAtq", "-h", "127.0.0.1", "-p", str(node.port), "-U",
                 _SUPERUSER, "-d", database, "-c", query],
                self._account, 5,
                {"PGPASSFILE": self._pgpass, "PGCONNECT_TIMEOUT": "2"}, self._directory).strip()
        except LabError:
            return ""

    def _sql_file(self, text: str) -> None:
        run_tool([f"{self._bin}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                  str(self.primary.port), "-U", _SUPERUSER, "-d", "postgres", "-f", "-"],
                 self._account, 10, {"PGPASSFILE": self._pgpass}, self._directory, text_in=text)

    def _write_private(self, path: str, text: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        self._account.own(path)
