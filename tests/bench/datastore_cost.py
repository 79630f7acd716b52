#!/usr/bin/env python3
"""What watching costs the database: CPU of its backends for a minute of three servers' sidecars, tier by tier.

A PostgreSQL of its own is started and filled by datastore_generator.sql. Three exporters look at it; the time until the survey is
there, a minute of looks, and the time until the audit is there are taken apart. Then statements are listed with the time that
PostgreSQL says they took. Nothing is asserted but that all was read.

usage: datastore_cost.py BIN_DIR [--rows N] [--data DIR] [--all]

  --rows   entries, and agents: 1,000,000 by default, which takes two minutes and 3 GiB of disk to fill
  --data   a folder for the cluster, kept and used again
  --all    with the collector postgres, which is off otherwise
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from stream_cpu import cpu_seconds, free_port, get, resident_mib, socket, wait_for_page

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent / "testdata" / "spire_schema_25.sql"
SERVERS = 3
CONFIG = """
role: server
telemetry: {{stream: {{listen: []}}, scrape: {{url: ""}}}}
postgres:
  nodes:
    - {{name: rw, conninfo_file: {conninfo}, expect: primary}}
classes:
  - {{name: payments, match: "spiffe://example.org/ns/pay-*/sa/*"}}
  - {{name: shop, match: "spiffe://example.org/ns/shop-*/sa/**"}}
"""


def programs() -> pathlib.Path:
    """The newest PostgreSQL that is there, or PG_BIN_DIR."""
    if "PG_BIN_DIR" in os.environ:
        return pathlib.Path(os.environ["PG_BIN_DIR"])
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        sys.exit("datastore_cost.py: no PostgreSQL under /usr/lib/postgresql")
    return found[-1].parent


class Database:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.bin, self.port = folder, programs(), free_port(socket.SOCK_STREAM)
        self.user = None  # PostgreSQL refuses root
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(folder, self.user)
        self.log = folder / "log"
        if not (folder / "data").is_dir():
            self.run([self.bin / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-locale"])
        settings = {"port": self.port, "listen_addresses": "", "unix_socket_directories": folder, "fsync": "off",
                    "shared_buffers": "1GB", "max_wal_size": "4GB", "autovacuum": "off", "log_line_prefix": "%p:",
                    "checkpoint_timeout": "1h"}  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self.run([self.bin / "pg_ctl", "-D", folder / "data", "-l", self.log, "-o", options, "-w", "start"])
        self.pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])

    def run(self, command: list) -> None:
        subprocess.run([str(part) for part in command], check=True, user=self.user, stdout=subprocess.DEVNULL, cwd="/",
                       extra_groups=[] if self.user else None)  # fmt: skip

    def psql(self, *arguments: str) -> str:
        command = [str(self.bin / "psql"), "-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(command + list(arguments), check=True, capture_output=True, text=True, cwd="/").stdout

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGINT)
        deadline = time.monotonic() + 30
        while pathlib.Path(f"/proc/{self.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.1)

    def cpu_ms(self) -> float:
        """CPU of all backends: of those that live to the nanosecond, of those gone (parallel workers too) to 10 ms."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total = (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
                if parent == self.pid and b"[local]" in (stat.parent / "cmdline").read_bytes():
                    total += int((stat.parent / "schedstat").read_text().split()[0]) / 1e6
            except (OSError, IndexError):
                continue
        return total


def wait_for(port: int, name: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not re.search(rf"^{name}[{{ ]", get(port).decode(), re.M):
        if time.monotonic() > deadline:
            sys.exit(f"datastore_cost.py: no {name} after {seconds:.0f} s")
        time.sleep(0.2)


def statements(log: str) -> list[tuple[str, int, float]]:
    """(statement, times, ms in all) as PostgreSQL logged them; fetches count for their cursor."""
    found: dict[str, list[float]] = collections.defaultdict(list)
    cursor: dict[str, str] = {}
    for pid, ms, text in re.findall(r"^(\d+):LOG:  duration: ([\d.]+) ms  statement: (.*)$", log, re.M):
        text = re.sub(r"\b\d{3,}\b", "N", text)
        declared = re.match(r"DECLARE \S+ .*?CURSOR FOR (.*)", text)
        if declared:
            cursor[pid] = declared.group(1)
            found[cursor[pid]].append(float(ms))
        elif text.startswith("FETCH") and pid in cursor:
            found[cursor[pid]][-1] += float(ms)
        elif not text.startswith(("BEGIN", "COMMIT", "SET ")):
            found[text].append(float(ms))
    return sorted(((text, len(times), sum(times)) for text, times in found.items()), key=lambda row: -row[2] / row[1])


def fill(database: Database, rows: int) -> None:
    if f"bench{rows}" not in database.psql("-c", "SELECT datname FROM pg_database", "postgres").split():
        print(f"filling {rows} entries and {rows} agents")
        database.psql("-c", f"CREATE DATABASE bench{rows}", "postgres")
        database.psql("-f", str(SCHEMA), f"bench{rows}")
        generator = str(HERE / "datastore_generator.sql")
        database.psql("-v", f"entries={rows}", "-v", f"agents={rows}", "-f", generator, f"bench{rows}")
    database.psql("-c", "CHECKPOINT", f"bench{rows}")
    # All of it in memory, and no hint bits left to write.
    database.psql("-c", "SELECT count(*) FROM registered_entries; SELECT count(*) FROM attested_node_entries", f"bench{rows}")


def measure(binary: pathlib.Path, database: Database, rows: int, everything: bool, folder: pathlib.Path) -> None:
    conninfo = folder / "rw.conninfo"
    conninfo.write_text(f"host={database.folder} port={database.port} user=postgres dbname=bench{rows} sslmode=disable\n")
    (folder / "config.yaml").write_text(CONFIG.format(conninfo=conninfo))

    exporters, ports = [], []
    phases: list[tuple[str, float, float]] = []

    def phase(name: str, action) -> None:
        started, cpu = time.monotonic(), database.cpu_ms()
        action()
        took = time.monotonic() - started
        phases.append((name, took, database.cpu_ms() - cpu))

    def start() -> None:
        for _ in range(SERVERS):
            port = free_port(socket.SOCK_STREAM)
            command = [str(binary), f"--config.file={folder / 'config.yaml'}", f"--web.listen-address=127.0.0.1:{port}"]
            exporters.append(subprocess.Popen(command + ([] if everything else ["--no-collector.postgres"]), stderr=subprocess.DEVNULL))
            ports.append(port)
            wait_for_page(port)
            if len(ports) == 1:  # the first is elected
                wait_for(port, "spire_entries", 120)

    try:
        phase("start and survey", start)
        phase("half a minute", lambda: time.sleep(30))
        phase("audit", lambda: wait_for(ports[0], "spire_entries_without_agent", 200))
        phase("another minute", lambda: time.sleep(60))
        resident = resident_mib(exporters[0].pid)
        own = cpu_seconds(exporters[0].pid)
    finally:
        for exporter in exporters:
            exporter.terminate()
            exporter.wait(10)

    per_second = phases[3][2] / phases[3][1]
    survey = phases[0][2] - per_second * phases[0][1]
    audit = phases[2][2] - per_second * phases[2][1]
    print(f"\n{rows} entries, {rows} agents, {SERVERS} sidecars, collector postgres {'on' if everything else 'off'}")
    print(f"{'':24}{'CPU of PostgreSQL':>20}{'a minute':>14}")
    print(f"{'tier 1, three sidecars':24}{'':>20}{per_second * 60:>11.1f} ms")
    print(f"{'survey, every 10 min':24}{survey:>17.0f} ms{survey / 10:>11.1f} ms")
    print(f"{'audit, every hour':24}{audit:>17.0f} ms{audit / 60:>11.1f} ms")
    print(f"{'in all':24}{'':>20}{per_second * 60 + survey / 10 + audit / 60:>11.1f} ms")
    print(f"the elected sidecar: {resident:.1f} MiB, {own:.2f} s of CPU")
    list_statements(binary, database, folder)


def list_statements(binary: pathlib.Path, database: Database, folder: pathlib.Path) -> None:
    """One sidecar alone until its audit is there, with every statement logged: that would cost the measurement itself."""
    database.psql("-c", "ALTER SYSTEM SET log_min_duration_statement = 0", "postgres")
    database.psql("-c", "SELECT pg_reload_conf()", "postgres")
    log_begins = database.log.stat().st_size
    port = free_port(socket.SOCK_STREAM)
    command = [str(binary), f"--config.file={folder / 'config.yaml'}", f"--web.listen-address=127.0.0.1:{port}", "--no-collector.postgres"]
    exporter = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for_page(port)
        wait_for(port, "spire_entries_without_agent", 200)
    finally:
        exporter.terminate()
        exporter.wait(10)
    log = database.log.read_bytes()[log_begins:].decode(errors="replace")
    print(f"\n{'ms each':>9}{'times':>7}  statement (wall time, with logging)")
    for text, times, ms in statements(log):
        print(f"{ms / times:>9.2f}{times:>7}  {text[:150]}")


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin_dir", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spire-bench-") as temporary:
        os.chmod(temporary, 0o755)
        folder = (arguments.data or pathlib.Path(temporary) / "cluster").resolve()
        folder.mkdir(exist_ok=True)
        database = Database(folder)
        try:
            fill(database, arguments.rows)
            measure(arguments.bin_dir.resolve() / "spire-exporter", database, arguments.rows, arguments.all, pathlib.Path(temporary))
        finally:
            database.stop()


if __name__ == "__main__":
    main()
