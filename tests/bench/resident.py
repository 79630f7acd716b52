#!/usr/bin/env python3
"""Resident memory after fifty scrapes, and what it is made of: telemetry alone; a gRPC channel in use, beside an agent with its
Workload API and its server; a database watched besides, beside a server. SPIRE is spire-sim, PostgreSQL is a true one.

Anchors are taken from PATH where they are: statsd_exporter, node_exporter, postgres_exporter, prometheus-postgres-exporter. They
are scraped as often, idle. Nothing is asserted.

usage: resident.py BIN_DIR
"""

from __future__ import annotations

import http.client
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path.insert(1, str(TESTS / "e2e"))

from stream_cpu import free_port, get, resident_mib, socket, wait_for_page

SCRAPES = 50
# The last ones come when a minute is over: after half of one the sidecar gives back what its start alone has run.
PACE_SECONDS = 1.2
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
ANCHORS = {
    "statsd_exporter": ["--statsd.listen-tcp=", "--statsd.listen-udp=127.0.0.1:{udp}"],
    "node_exporter": [],
    "postgres_exporter": [],
    "prometheus-postgres-exporter": [],
}


def scrape(port: int) -> bytes:
    """One page as a Prometheus asks for it, in text and in protobuf in turn."""
    body = b""
    for accept in ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", PROTOBUF):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
            body = connection.getresponse().read()
        finally:
            connection.close()
    return body


def parts(pid: int) -> list[tuple[float, str]]:
    """(MiB, file) of what is mapped, largest first."""
    sizes: dict[str, int] = {}
    name = ""
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)", line)
        if head:
            name = pathlib.Path(head.group(1)).name or "anonymous"
        elif line.startswith("Rss:"):
            sizes[name] = sizes.get(name, 0) + int(line.split()[1])
    return sorted(((kib / 1024, name) for name, kib in sizes.items() if kib >= 64), reverse=True)


SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def measure(command: list[str], port: int, feeder: list[str] | None = None) -> tuple[float, list[tuple[float, str]]]:
    with subprocess.Popen(command, **SILENT) as process:
        fed = subprocess.Popen(feeder, **SILENT) if feeder else None
        try:
            wait_for_page(port)
            for _ in range(SCRAPES):
                scrape(port)
                time.sleep(PACE_SECONDS)
            return resident_mib(process.pid), parts(process.pid)
        finally:
            process.terminate()
            if fed:
                fed.terminate()
                fed.wait()


def report(what: str, goal: int, resident: float, made_of: list[tuple[float, str]]) -> None:
    shared = [name for _, name in made_of if name.startswith(("libgrpc", "libpq"))]
    where = f"gRPC and libpq: {', '.join(shared) or 'neither'} as a shared library"
    verdict = "" if resident <= goal else ", MISSED"
    print(f"{'spire-exporter, ' + what:48} {resident:6.1f} MiB (goal {goal}{verdict}) after {SCRAPES} scrapes in text and in "
          f"protobuf; {where}")  # fmt: skip
    for size, name in made_of:
        print(f"    {name:44} {size:6.1f} MiB")


def telemetry_alone(programs: pathlib.Path, folder: pathlib.Path) -> None:
    port, page = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    config = folder / "config.yaml"
    config.write_text(f'role: server\ntelemetry:\n  stream: {{listen: ["unixgram://{folder}/s"]}}\n'
                      f'  scrape: {{url: "http://127.0.0.1:{page}/"}}\n')  # fmt: skip
    report("telemetry alone", 9, *measure(
        [str(programs / "spire-exporter"), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"], port,
        [str(programs / "spire-sim"), "--role=server", f"--prometheus-listen=127.0.0.1:{page}",
         f"--dogstatsd=unix://{folder}/s"]))  # fmt: skip


def with_the_rest(programs: pathlib.Path, folder: pathlib.Path) -> None:
    """A sidecar beside an agent and one beside a server, at the same time."""
    os.environ.update(SPIRE_EXPORTER=str(programs / "spire-exporter"), SPIRE_SIM=str(programs / "spire-sim"), WORKLOAD_AGENT="")
    from postgres_server import PostgresServer
    from simulated_spire import SimulatedSpire

    database = PostgresServer()
    spire = SimulatedSpire(folder)
    sidecars: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
    try:
        database.sql("CREATE DATABASE spire", database="postgres")
        database.sql((TESTS / "testdata" / "spire_schema_25.sql").read_text())
        conninfo = folder / "rw.conninfo"
        conninfo.write_text(f"host=127.0.0.1 port={database.port} user=postgres dbname=spire sslmode=disable\n")
        watched = f"postgres:\n  nodes:\n    - {{name: rw, conninfo_file: {conninfo}, expect: primary}}\n"
        for role, text in (("agent", spire.agent_sidecar()), ("server", spire.server_sidecar(watched))):
            config, port = folder / f"{role}.yaml", free_port(socket.SOCK_STREAM)
            config.write_text(text)
            command = [programs / "spire-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
            sidecars[role] = subprocess.Popen(command, **SILENT), port
            wait_for_page(port)
        spire.start()
        for _ in range(SCRAPES):
            for _, port in sidecars.values():
                scrape(port)
            time.sleep(PACE_SECONDS)
        for role, what, goal, sign in (
            ("agent", "a gRPC channel in use (agent)", 13, rb"^spire_canary_issuing\b.* 1$"),
            ("server", "and a database watched (server)", 18, rb"^spire_postgres_up\b.* 1$"),
        ):
            process, port = sidecars[role]
            if not re.search(sign, get(port), re.MULTILINE):
                sys.exit(f"resident.py: the page beside the {role} does not say that it is in use: {sign!r}")
            report(what, goal, resident_mib(process.pid), parts(process.pid))
    finally:
        for process, _ in sidecars.values():
            process.terminate()
            process.wait()
        spire.close()
        database.close()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    programs = pathlib.Path(arguments[0]).resolve()
    for measured in (telemetry_alone, with_the_rest):
        with tempfile.TemporaryDirectory(prefix="sr-", dir="/tmp") as folder:
            measured(programs, pathlib.Path(folder))
    for name, flags in ANCHORS.items():
        program = shutil.which(name)
        if not program:
            continue
        port = free_port(socket.SOCK_STREAM)
        flags = [flag.format(udp=free_port(socket.SOCK_DGRAM)) for flag in flags]
        try:
            resident, _ = measure([program, f"--web.listen-address=127.0.0.1:{port}", *flags], port)
        except OSError as error:  # some serve nothing before they have been configured
            print(f"{name:48} left out: {error}")
            continue
        print(f"{name:48} {resident:6.1f} MiB, idle")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
