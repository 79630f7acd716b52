#!/usr/bin/env python3
"""Resident memory after fifty scrapes, with telemetry from both sources, and what it is made of.

Anchors are taken from PATH where they are: statsd_exporter, node_exporter, postgres_exporter, prometheus-postgres-exporter. They
are scraped as often, idle. Nothing is asserted.

usage: resident.py BIN_DIR
"""

from __future__ import annotations

import http.client
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from stream_cpu import free_port, resident_mib, socket, wait_for_page

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


def measure(command: list[str], port: int, feeder: list[str] | None = None) -> tuple[float, list[tuple[float, str]]]:
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **silent) as process:
        fed = subprocess.Popen(feeder, **silent) if feeder else None
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


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    programs = pathlib.Path(arguments[0])
    with tempfile.TemporaryDirectory(prefix="sr-", dir="/tmp") as folder:
        port, page = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        config = pathlib.Path(folder, "config.yaml")
        config.write_text(f'role: server\ntelemetry:\n  stream: {{listen: ["unixgram://{folder}/s"]}}\n'
                          f'  scrape: {{url: "http://127.0.0.1:{page}/"}}\n')
        resident, made_of = measure(
            [str(programs / "spire-exporter"), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"], port,
            [str(programs / "spire-sim"), "--role=server", f"--prometheus-listen=127.0.0.1:{page}",
             f"--dogstatsd=unix://{folder}/s"])
    print(f"{'spire-exporter':30} {resident:6.1f} MiB after {SCRAPES} scrapes in text and in protobuf")
    for size, name in made_of:
        print(f"    {name:26} {size:6.1f} MiB")
    for name, flags in ANCHORS.items():
        program = shutil.which(name)
        if not program:
            continue
        port = free_port(socket.SOCK_STREAM)
        flags = [flag.format(udp=free_port(socket.SOCK_DGRAM)) for flag in flags]
        resident, _ = measure([program, f"--web.listen-address=127.0.0.1:{port}", *flags], port)
        print(f"{name:30} {resident:6.1f} MiB, idle")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
