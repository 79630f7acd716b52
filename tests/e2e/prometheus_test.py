"""What a real Prometheus reads from the page: the quantiles of what was sent, from classic and from native buckets,
and the number of what is in no bucket."""

from __future__ import annotations

import bisect
import http.server
import json
import math
import os
import pathlib
import random
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from harness import Exporter, ExporterTestCase, wait_for

LINES = 5000
QUANTILES = (0.1, 0.5, 0.9, 0.99)
SELECTOR = '{service="agent.v1.agent",method="attest_agent"}'
# Of the native buckets: schema 3.
GROWTH = 2 ** (1 / 8)


@dataclass
class Reader:
    """A Prometheus with a configuration that makes it read one kind of buckets, or both."""

    name: str
    flags: list[str]
    keys: str
    classic: bool
    native: bool


def version() -> tuple[int, int]:
    said = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
    assert found, said
    return int(found.group(1)), int(found.group(2))


def listening_port(pid: int) -> int | None:
    """The TCP port over IPv4 on which a process listens: Prometheus does not print the one it was given."""
    sockets = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(descriptor))
        except FileNotFoundError:
            pass  # closed meanwhile
    for line in pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
            return int(fields[1].rsplit(":", 1)[1], 16)
    return None


def readers() -> list[Reader]:
    """What this release can do: native histograms need a flag until 3.8, both at once a key since 2.45."""
    now = version()
    flag = ["--enable-feature=native-histograms"] if now < (3, 8) else []
    native = "" if flag else "    scrape_native_histograms: true\n"
    both = "    scrape_classic_histograms: true\n" if now < (3, 0) else "    always_scrape_classic_histograms: true\n"
    found = [
        Reader("classic", [], "", classic=True, native=False),
        Reader("native", flag, native, classic=False, native=True),
    ]
    if now >= (2, 45):
        found.append(Reader("both", flag, native + both, classic=True, native=True))
    return found


def tried(release: tuple[int, int], found: list[Reader]) -> str:
    """One line for the log of a test run: a reader that was left out looks like one that passed."""
    names = [reader.name for reader in found]
    left = [] if "both" in names else ["both (since 2.45)"]
    return (f"Prometheus {release[0]}.{release[1]} reads: {', '.join(names)}; not tried: {', '.join(left) or 'nothing'}")


def setUpModule() -> None:
    print(tried(version(), readers()), flush=True)


class PrometheusTestCase(ExporterTestCase):
    exporter: Exporter

    def start_prometheus(self, reader: Reader) -> int:
        folder = self.folder / reader.name
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: exporter\n"
            f"{reader.keys}    static_configs: [{{targets: ['127.0.0.1:{self.exporter.port}']}}]\n"
        )
        log = open(folder / "log", "w", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0", *reader.flags],
            stdout=log, stderr=log, env={**os.environ, "GOMAXPROCS": "2"},
        )  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def port() -> int | None:
            assert process.poll() is None, (folder / "log").read_text()
            return listening_port(process.pid)

        found = wait_for("Prometheus to listen", port)
        assert isinstance(found, int)
        return found

    def query(self, port: int, expression: str) -> float | None:
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=15) as answer:
                result = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is still starting
                return None
            raise
        return float(result[0]["value"][1]) if result else None


class QuantileTest(PrometheusTestCase):
    def setUp(self) -> None:
        super().setUp()
        draw = random.Random(20261126)
        self.truth = sorted(draw.lognormvariate(-5.3, 1.5) for _ in range(LINES))
        self.exporter = self.start()
        lines = [
            b"spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:%.6f|ms|#status:OK\n" % (seconds * 1000)
            for seconds in self.truth
        ]
        self.send(*(b"".join(lines[at : at + 10]) for at in range(0, LINES, 10)))
        name = "spire_rpc_duration_seconds_count"
        wait_for("the lines to arrive", lambda: self.exporter.page().get(name) == LINES)
        self.bounds = sorted(
            float(re.search(r'le="([^"]+)"', sample).group(1))
            for sample in self.exporter.page().all("spire_rpc_duration_seconds_bucket")
        )

    def true_quantile(self, q: float) -> float:
        return self.truth[min(LINES - 1, int(q * LINES))]

    def check_classic(self, port: int) -> None:
        for q in QUANTILES:
            series = f"spire_rpc_duration_seconds_bucket{SELECTOR}"
            read = self.query(port, f"histogram_quantile({q}, {series})")
            at = bisect.bisect_left(self.bounds, self.true_quantile(q))
            low, high = ([0.0] + self.bounds)[at], self.bounds[at]
            assert read is not None
            self.assertTrue(low <= read <= high, f"{q}: {low} <= {read} <= {high}")

    def check_native(self, port: int) -> None:
        for q in QUANTILES:
            read = self.query(port, f"histogram_quantile({q}, spire_rpc_duration_seconds{SELECTOR})")
            assert read is not None
            true = self.true_quantile(q)
            self.assertTrue(true / GROWTH <= read <= true * GROWTH, f"{q}: {read} is not near {true}")
        self.assertEqual(self.query(port, f"histogram_count(spire_rpc_duration_seconds{SELECTOR})"), LINES)

    def test_reads_the_quantiles_that_were_sent(self) -> None:
        for reader in readers():
            with self.subTest(reader.name):
                port = self.start_prometheus(reader)
                probe = "spire_rpc_duration_seconds_count" if reader.classic else "spire_rpc_duration_seconds"
                wait_for("the first scrape", lambda: self.query(port, f"count({probe}{SELECTOR})"), 60)
                if reader.classic:
                    self.check_classic(port)
                if reader.native:
                    self.check_native(port)
                else:
                    self.assertIsNone(self.query(port, f"spire_rpc_duration_seconds{SELECTOR}"))


class SummaryPage:
    """SPIRE's page with one summary of milliseconds, without quantiles."""

    def __init__(self) -> None:
        self.totals = (0, 0)  # number and sum, replaced as one
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = "spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time"
                labels = '{status="OK"}'
                count, total = page.totals
                body = f"# TYPE {name} summary\n{name}_sum{labels} {total}\n{name}_count{labels} {count}\n"
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def step(self, count: int, milliseconds: int) -> None:
        self.totals = (self.totals[0] + count, self.totals[1] + milliseconds)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class UnplacedTest(PrometheusTestCase):
    """Observations whose number is known and nothing else count, and say nothing of how long calls took."""

    def test_counts_what_is_known_by_number_alone(self) -> None:
        spire = SummaryPage()
        self.addCleanup(spire.close)
        self.exporter = self.start(
            "role: server\ntrust_domain: example.org\ntelemetry:\n  stream: {listen: []}\n"
            f'  scrape: {{url: "http://127.0.0.1:{spire.port}/"}}\n'
        )
        scraped = "spire_exporter_telemetry_scraped_observations_total"
        wait_for("the first page", lambda: self.exporter.page().get("spire_rpc_duration_seconds_count") == 0)
        spire.step(10, 5000)  # without quantiles there is nothing to place them by
        wait_for("the ten", lambda: self.exporter.page().get(scraped, placement="unplaced") == 10)
        spire.step(1, 40)
        wait_for("the one", lambda: self.exporter.page().get(scraped, placement="exact") == 1)
        for reader in readers():
            with self.subTest(reader.name):
                port = self.start_prometheus(reader)
                if reader.classic:
                    buckets = f"spire_rpc_duration_seconds_bucket{SELECTOR}"
                    wait_for("the first scrape", lambda: self.query(port, f"count({buckets})"), 60)
                    self.assertEqual(self.query(port, f"spire_rpc_duration_seconds_count{SELECTOR}"), 11)
                    # The eleventh alone is in a bucket: 0.04 s.
                    self.assertEqual(self.query(port, f"max({buckets[:-1]},le!=\"+Inf\"}})"), 1)
                if reader.native:
                    native = f"spire_rpc_duration_seconds{SELECTOR}"
                    wait_for("the first scrape", lambda: self.query(port, f"count({native})"), 60)
                    self.assertEqual(self.query(port, f"histogram_count({native})"), 11)
                    self.assertAlmostEqual(self.query(port, f"histogram_sum({native})") or 0, 5.04)
                    low = self.query(port, f"histogram_quantile(0.05, {native})")
                    assert low is not None
                    self.assertTrue(0.04 / GROWTH <= low <= 0.04 * GROWTH, low)
                    # Whoever asks beyond is told that it is not known, not some bound.
                    self.assertEqual(self.query(port, f"histogram_quantile(0.5, {native})"), math.inf)


if __name__ == "__main__":
    unittest.main()
