#!/usr/bin/env python3
"""What the stream costs the whole process: CPU a line, memory, and the page under the flood.

The client is spire-sim's, which writes as SPIRE 1.15.3's does. Where statsd_exporter is on PATH it takes the same flood in
the same run. Times are to be read next to each other; nothing is asserted but that no line was lost by ours.

usage: stream_cpu.py BIN_DIR [--rate LINES_A_SECOND] [--for SECONDS] [--scrapes A_SECOND]

Scrapes cost the process as well: 0 of them leaves the stream alone.
"""

from __future__ import annotations

import argparse
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def get(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def page_ms(port: int) -> float:
    begun = time.monotonic()
    get(port)
    return (time.monotonic() - begun) * 1000


def wait_for_page(port: int) -> None:
    give_up = time.monotonic() + 15
    while True:
        try:
            get(port)
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)  # the pace of polling


@dataclass
class Figure:
    name: str
    transport: str
    ns_a_line: float
    core_share: float
    resident: float
    page_p50_ms: float
    page_p99_ms: float
    lines: int
    missing: int


def flood(name: str, command: list[str], port: int, target: str, sim: str, rate: int, seconds: int,
          scrapes: float) -> Figure:
    """Runs the receiver, floods it, scrapes it meanwhile."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as receiver:
        try:
            wait_for_page(port)
            started, before = time.monotonic(), cpu_seconds(receiver.pid)
            sender = subprocess.Popen(
                [sim, "--role=server", "--load=idle", f"--rate={rate}", f"--for={seconds}s",
                 f"--dogstatsd={target}"],
                stdout=subprocess.PIPE, text=True)
            times = []
            if not scrapes:
                sender.wait()
            while sender.poll() is None:
                times.append(page_ms(port))
                time.sleep(1 / scrapes)  # the pace of scraping
            used, took = cpu_seconds(receiver.pid) - before, time.monotonic() - started
            lines = int(re.search(r"lines_sent=(\d+)", sender.stdout.read()).group(1))
            times.append(page_ms(port))
            page = get(port).decode()
            counted = sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
                          if re.match(r"(spire_exporter_statsd|statsd_exporter)_lines_total", line))
            times.sort()
            return Figure(name, target.split(":", 1)[0] if target.startswith("unix") else "udp", used / lines * 1e9,
                          used / took, resident_mib(receiver.pid), times[len(times) // 2],
                          times[min(len(times) - 1, int(len(times) * 0.99))], lines, lines - int(counted))
        finally:
            receiver.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin_dir")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--for", dest="seconds", type=int, default=10)
    parser.add_argument("--scrapes", type=float, default=1)
    given = parser.parse_args()
    ours, sim = (os.path.join(given.bin_dir, name) for name in ("spire-exporter", "spire-sim"))
    anchor = shutil.which("statsd_exporter")
    figures = []
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        for transport in ("udp", "unixgram"):
            path = f"{folder}/{transport}.sock"
            udp = free_port(socket.SOCK_DGRAM)
            target = f"127.0.0.1:{udp}" if transport == "udp" else f"unix://{path}"
            listen = f"udp://127.0.0.1:{udp}" if transport == "udp" else f"unixgram://{path}"
            config = pathlib.Path(folder, "config.yaml")
            config.write_text(
                f'role: server\ntelemetry:\n  stream: {{listen: ["{listen}"]}}\n  scrape: {{url: ""}}\n')
            port = free_port(socket.SOCK_STREAM)
            figures.append(flood("spire-exporter",
                                 [ours, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"],
                                 port, target, sim, given.rate, given.seconds, given.scrapes))
            if anchor:
                port = free_port(socket.SOCK_STREAM)
                own = (f"--statsd.listen-udp=127.0.0.1:{udp}" if transport == "udp" else "--statsd.listen-udp=",
                       f"--statsd.listen-unixgram={path}.b" if transport == "unixgram" else "--statsd.listen-unixgram=")
                figures.append(flood("statsd_exporter",
                                     [anchor, f"--web.listen-address=127.0.0.1:{port}", "--statsd.listen-tcp=", *own],
                                     port, target + (".b" if transport == "unixgram" else ""), sim, given.rate,
                                     given.seconds, given.scrapes))
    print(f"{'receiver':16} {'transport':9} {'ns a line':>10} {'of a core':>9} {'resident':>9} "
          f"{'page p50':>9} {'p99':>9} {'lines':>9} {'missing':>8}")
    for figure in figures:
        print(f"{figure.name:16} {figure.transport:9} {figure.ns_a_line:10.0f} {figure.core_share:9.2%} "
              f"{figure.resident:5.1f} MiB {figure.page_p50_ms:6.2f} ms {figure.page_p99_ms:6.2f} ms "
              f"{figure.lines:9} {figure.missing:8}")
    if not anchor:
        print("statsd_exporter is not on PATH: nothing to compare with")
    return 1 if any(f.name == "spire-exporter" and abs(f.missing) > 200 for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
