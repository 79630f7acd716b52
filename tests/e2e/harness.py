"""Starts the real program and talks to it the way Prometheus, SPIRE and an operator would."""

from __future__ import annotations

import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable

PROGRAM = pathlib.Path(os.environ["SPIRE_EXPORTER"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 15.0  # for what happens in milliseconds on an idle machine


def wait_for(what: str, condition: Callable[[], object], patience: float = PATIENCE) -> object:
    """Polls until the condition is true and returns its value; fails with `what` when it never is."""
    give_up = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {patience} s in vain for {what}")
        time.sleep(0.02)  # the pace of polling, not a synchronisation


class Page:
    """A page in text 0.0.4 as a map from `name{labels}` to value."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: dict[str, float] = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                self.samples[name] = float(value)

    def get(self, name: str, **labels: str) -> float | None:
        """The one sample with this name and at least these labels."""
        found = self.all(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name} {labels} is not one sample: {sorted(found)}")
        return next(iter(found.values()), None)

    def all(self, name: str, **labels: str) -> dict[str, float]:
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return {
            sample: value
            for sample, value in self.samples.items()
            if sample.split("{", 1)[0] == name
            and all(re.search(r"[{,]" + re.escape(pair) + r"[,}]", sample) for pair in wanted)
        }


class Exporter:
    """One running spire-exporter with a configuration file and a folder of its own."""

    def __init__(self, folder: pathlib.Path, config: str, *flags: str, profile: str = "full") -> None:
        """An empty profile leaves it to the file."""
        self.config_file = folder / "spire-exporter.yaml"
        self.config_file.write_text(config)
        handle, name = tempfile.mkstemp(prefix="log-", dir=folder)  # one each: a test may start several
        self.log_file = pathlib.Path(name)
        self.log = open(handle, "ab")
        self.process = subprocess.Popen(
            [PROGRAM, f"--config.file={self.config_file}", "--web.listen-address=127.0.0.1:0", *flags],
            stdout=self.log,
            stderr=self.log,
            env=({"SPIRE_EXPORTER_PROFILE": profile} if profile else {}) | os.environ,
        )
        wait_for("the exporter to serve", lambda: self.process.poll() is not None or 'msg="serving"' in self.text())
        if self.process.poll() is not None:
            raise AssertionError(f"the exporter did not start:\n{self.text()}")
        address = re.search(r'msg="serving" address=127\.0\.0\.1:(\d+)', self.text())
        assert address, self.text()
        self.port = int(address.group(1))

    def text(self) -> str:
        return self.log_file.read_text()

    def request(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def page(self) -> Page:
        status, _, body = self.request("/metrics")
        assert status == 200, body
        return Page(body.decode())

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=PATIENCE)
        finally:
            self.log.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.log.closed:
            self.log.close()


class ExporterTestCase(unittest.TestCase):
    """A folder for each test, short enough for the path of a Unix socket."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="se-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket_path = self.folder / "s.sock"

    def stream_config(self, extra: str = "") -> str:
        return (
            "role: server\ntrust_domain: example.org\ntelemetry:\n"
            f'  stream: {{listen: ["unixgram://{self.socket_path}"]}}\n'
            '  scrape: {url: "http://127.0.0.1:1/", interval: 1s, timeout: 1s}\n' + extra
        )

    def start(self, config: str | None = None, *flags: str) -> Exporter:
        exporter = Exporter(self.folder, config if config is not None else self.stream_config(), *flags)
        self.addCleanup(exporter.close)
        return exporter

    def run_once(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)

    def send(self, *datagrams: bytes) -> None:
        """Sends as SPIRE does; a full queue of the receiver blocks, so that nothing is lost."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(self.socket_path))
            for datagram in datagrams:
                client.send(datagram)
