#!/usr/bin/env python3
"""The door under TLS and under attack: times of scrapes, to be read; nothing is asserted but that every scrape worked.

  tls      a page of 2,000 series over TLS: new resumed connections, new full handshakes, kept connections; plain beside them
  hostile  scrapes from one address while another sends, all at once: 500 idle connections, 200 half-sent requests, readers at a
           byte a second, half handshakes, wrong passwords of cost 12, 64 connections that ask for nothing without end and do
           not wait for answers, a stream of new TLS keys, and a flood of new connections. Whoever scrapes would be another
           machine: where it may, it runs in the real-time class, so that only the server's delays count

usage: door_bench.py BIN_DIR [tls|hostile]
"""

from __future__ import annotations

import base64
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from stream_cpu import free_port, resident_mib

SCRAPES = 300
SCRAPES_UNDER_ATTACK = 600  # its 99th percentile is of six
# Of `secret`, cost 12.
HASH = "$2b$12$cdFg9V4fvQiZ2Le7DcsOIuzQTa3rP8dA21UN69CBUdZFR3F1oQT1O"
AUTH = {"Authorization": "Basic " + base64.b64encode(b"prom:secret").decode()}


def certificate(folder: pathlib.Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "tls.key"), "-out",
         str(folder / "tls.crt")], check=True, capture_output=True, timeout=60)  # fmt: skip


class Exporter:
    def __init__(self, programs: pathlib.Path, folder: pathlib.Path, web: str) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.socket = folder / "s.sock"
        (folder / "web.yml").write_text(web)
        (folder / "c.yaml").write_text(
            f'role: server\ntelemetry:\n  stream: {{listen: ["unixgram://{self.socket}"]}}\n  scrape: {{url: ""}}\n')
        self.process = subprocess.Popen(
            [str(programs / "spire-exporter"), f"--config.file={folder}/c.yaml", f"--web.config.file={folder}/web.yml",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 15
        while not self.socket.exists() or socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            if time.monotonic() > give_up:
                raise RuntimeError("the exporter does not start")
            time.sleep(0.05)  # the pace of polling

    def fill(self, series: int) -> None:
        """Counters that the mapping does not know, each a series."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(self.socket))
            for i in range(series):
                client.send(b"spire_server.rpc.agent.v1.agent.attest_agent_%d.elapsed_time:5.000000|ms|#status:OK\n" % i)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


class Bound(http.client.HTTPConnection):
    """From a certain loopback address."""

    def __init__(self, port: int, source: str, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None):
        super().__init__("127.0.0.1", port, timeout=30, source_address=(source, 0))
        self.context, self.session = context, session

    def connect(self) -> None:
        super().connect()
        if self.context:
            self.sock = self.context.wrap_socket(self.sock, server_hostname="127.0.0.1", session=self.session)


def scrape(connection: Bound) -> int:
    connection.request("GET", "/metrics", headers=AUTH)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status} {body[:100]!r}")
    return body.count(b"\n")


def report(name: str, seconds: list[float]) -> None:
    seconds.sort()
    at = lambda q: seconds[min(len(seconds) - 1, int(q * len(seconds)))] * 1000  # noqa: E731
    print(f"  {name:44} p50 {at(0.5):7.2f} ms   p99 {at(0.99):7.2f} ms   of {len(seconds)}", flush=True)


def timed(times: int, one) -> list[float]:
    seconds = []
    for _ in range(times):
        begun = time.monotonic()
        one()
        seconds.append(time.monotonic() - begun)
    return seconds


def tls(programs: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory(prefix="db-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        certificate(folder)
        for title, web in (("plain", ""), ("TLS 1.3, ECDSA P-256",
                                           f"tls_server_config: {{cert_file: {name}/tls.crt, key_file: {name}/tls.key}}\n")):
            exporter = Exporter(programs, folder, web)
            try:
                exporter.fill(145)
                context = ssl.create_default_context(cafile=f"{name}/tls.crt") if web else None
                kept = Bound(exporter.port, "127.0.0.1", context)
                lines = scrape(kept)
                session = kept.sock.session if context else None

                def fresh(resumed: bool) -> None:
                    connection = Bound(exporter.port, "127.0.0.1", context, session if resumed else None)
                    scrape(connection)
                    if resumed and not connection.sock.session_reused:
                        raise RuntimeError("not resumed")
                    connection.close()

                print(f"{title}: a page of {lines} lines")
                report("kept connection", timed(SCRAPES, lambda: scrape(kept)))
                report("new connection" + (", full handshake" if context else ""), timed(SCRAPES, lambda: fresh(False)))
                if context:
                    report("new connection, resumed session", timed(SCRAPES, lambda: fresh(True)))
                idle = [Bound(exporter.port, "127.0.0.2", context) for _ in range(200)]
                before = resident_mib(exporter.process.pid)
                for connection in idle:
                    connection.connect()
                grown = (resident_mib(exporter.process.pid) - before) * 1024 / len(idle)
                print(f"  resident {before:.1f} MiB, and {grown:.1f} KiB for each idle connection", flush=True)
            finally:
                exporter.end()


class Attack:
    """Everything at once, from 127.0.0.2, until its standard input ends. A process of its own: the client shall not share its lock."""

    def __init__(self, port: int, secure: bool) -> None:
        self.port, self.secure, self.over = port, secure, threading.Event()
        self.sockets: list[socket.socket] = []
        for i in range(850):
            one = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
            if 500 <= i < 700:
                one.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: ")
            elif i >= 800:
                one.send(b"\x16\x03\x01")
            self.sockets.append(one)
        self.threads = [threading.Thread(target=run)
                        for run in (self.connect, self.guess, self.drip, self.ask, *([self.renew] if secure else []))]
        for thread in self.threads:
            thread.start()

    def connect(self) -> None:
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), source_address=("127.0.0.2", 0)) as one:
                    one.send(b"\x16\x03\x01\x00")
            except OSError:
                pass

    def guess(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            wrong = base64.b64encode(f"prom:guess{number}".encode())
            try:
                one = socket.create_connection(("127.0.0.1", self.port), source_address=("127.0.0.2", 0), timeout=1)
                one.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + wrong + b"\r\n\r\n")
                self.sockets.append(one)
                self.over.wait(0.01)
            except OSError:
                pass

    def drip(self) -> None:
        """Asks and then takes a byte a second."""
        readers = []
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.bind(("127.0.0.2", 0))
            one.connect(("127.0.0.1", self.port))
            one.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: " + AUTH["Authorization"].encode() + b"\r\n\r\n")
            readers.append(one)
        while not self.over.wait(1):
            for one in readers:
                try:
                    one.recv(1, socket.MSG_DONTWAIT)
                except OSError:
                    pass
        self.sockets.extend(readers)

    def speaker(self) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.port), source_address=("127.0.0.2", 0), timeout=5)
        if self.secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            one = context.wrap_socket(one)
        one.setblocking(False)
        return one

    def ask(self) -> None:
        """Many requests at once that the door answers by itself, and more as soon as some are taken."""
        asking: list[socket.socket] = []
        requests = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 400
        while not self.over.is_set():
            try:
                if len(asking) < 64:
                    asking.append(self.speaker())
            except OSError:
                pass
            moved = False
            for one in list(asking):
                try:
                    one.send(requests)
                    moved = True
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
                except OSError:
                    asking.remove(one)
                    continue
                try:
                    moved = len(one.recv(1 << 16)) > 0 or moved
                except OSError:
                    pass
            if not moved:
                self.over.wait(0.001)
        self.sockets.extend(asking)

    def renew(self) -> None:
        """New keys, again and again: records without data."""
        while not self.over.is_set():
            client = subprocess.Popen(["openssl", "s_client", "-tls1_3", "-connect", f"127.0.0.1:{self.port}", "-bind", "127.0.0.2:0"],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0)
            try:
                while not self.over.is_set():
                    client.stdin.write(b"k\n")  # a key update
            except OSError:
                pass  # it was shut out
            client.kill()
            client.wait()
            client.stdin.close()

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()
        for one in self.sockets:
            one.close()


def apart() -> str:
    """The client on its own, as far as it may; what it starts is not."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return "client in the real-time class"
    except PermissionError:
        return "client and attacker compete for the processors"


def hostile(programs: pathlib.Path) -> None:
    print(apart())
    with tempfile.TemporaryDirectory(prefix="db-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        certificate(folder)
        users = f"basic_auth_users:\n  prom: {HASH}\n"
        server = f"tls_server_config: {{cert_file: {name}/tls.crt, key_file: {name}/tls.key}}\n"
        for title, web in (("plain", users), ("TLS", server + users)):
            exporter = Exporter(programs, folder, web)
            try:
                exporter.fill(30)
                context = ssl.create_default_context(cafile=f"{name}/tls.crt") if len(web) > len(users) else None

                def fresh() -> None:
                    connection = Bound(exporter.port, "127.0.0.1", context)
                    scrape(connection)
                    connection.close()

                fresh()  # the password is checked once
                print(f"{title}, basic auth, a new connection for each scrape")
                report("alone", timed(SCRAPES_UNDER_ATTACK, fresh))
                attack = subprocess.Popen([sys.executable, "-B", __file__, "attack", str(exporter.port), title],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                try:
                    attack.stdout.readline()  # all is under way
                    report("under attack from another address", timed(SCRAPES_UNDER_ATTACK, fresh))
                finally:
                    attack.communicate()
                page = Bound(exporter.port, "127.0.0.1", context)
                page.request("GET", "/metrics", headers=AUTH)
                text = page.getresponse().read().decode()
                for what in re.findall(r'^spire_exporter_http_rejections_total\{reason="(\w+)"\} ([1-9]\d*)$', text, re.M):
                    print(f"    {what[0]} {what[1]}")
            finally:
                exporter.end()


def main(arguments: list[str]) -> int:
    if len(arguments) == 3 and arguments[0] == "attack":
        os.nice(10)  # it would be another machine
        attack = Attack(int(arguments[1]), arguments[2] == "TLS")
        print("attacking", flush=True)
        sys.stdin.read()
        attack.end()
        return 0
    if not 1 <= len(arguments) <= 2 or (arguments[1:] and arguments[1] not in ("tls", "hostile")):
        print(__doc__, file=sys.stderr)
        return 2
    print(f"{os.cpu_count()} cores; client and server on the same ones")
    for name, run in (("tls", tls), ("hostile", hostile)):
        if arguments[1:] in ([], [name]):
            run(pathlib.Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
