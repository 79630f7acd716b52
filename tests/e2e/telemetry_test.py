"""The stream and the scrape from outside: true histograms, no lost line, no source that can stop a page."""

from __future__ import annotations

import socket
import threading
import time
import unittest

from harness import ExporterTestCase, Page, wait_for

RPC = "spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:{}|ms|#status:OK,host:vm"
LINES = "spire_exporter_statsd_lines_total"


def bucket_bounds(page: Page, name: str) -> dict[float, float]:
    bounds: dict[float, float] = {}
    for sample, value in page.all(name + "_bucket").items():
        bounds[float(sample.split('le="', 1)[1].split('"', 1)[0])] = value
    return bounds


class StreamTest(ExporterTestCase):
    def test_every_observation_is_in_the_bucket_it_belongs_to(self) -> None:
        exporter = self.start()
        values = [0.3, 0.9, 1.0, 2.5, 4.0, 7.5, 12.0, 30.0, 80.0, 250.0, 900.0, 4000.0]
        self.send(*(RPC.format(f"{ms:.6f}").encode() + b"\n" for ms in values))
        name = "spire_rpc_duration_seconds"
        page = wait_for("all lines", lambda: (p := exporter.page()).get(name + "_count") == len(values) and p)
        assert isinstance(page, Page)
        self.assertAlmostEqual(page.get(name + "_sum") or 0, sum(values) / 1000, places=9)
        bounds = bucket_bounds(page, name)
        self.assertGreater(len(bounds), 4)
        for bound, count in bounds.items():
            self.assertEqual(count, sum(ms / 1000 <= bound for ms in values), f"le={bound}")

    def test_both_framings_of_the_client_are_read(self) -> None:
        exporter = self.start()
        with_end = "\n".join([RPC.format("1.000000"), RPC.format("2.000000"), ""]).encode()
        without_end = "\n".join([RPC.format("3.000000"), RPC.format("4.000000")]).encode()
        self.send(with_end, without_end)
        wait_for("four lines", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 4)
        self.assertEqual(sum(exporter.page().all(LINES).values()), 4)

    def test_a_flood_loses_nothing_and_does_not_stop_the_page(self) -> None:
        exporter = self.start()
        line = RPC.format("5.000000").encode() + b"\n"
        datagram = line * (8192 // len(line))
        rounds = 2000
        slowest = 0.0
        sender = threading.Thread(target=self.send, args=[datagram] * rounds)
        sender.start()
        while sender.is_alive():
            started = time.monotonic()
            exporter.page()
            slowest = max(slowest, time.monotonic() - started)
        sender.join()
        expected = rounds * (8192 // len(line))
        wait_for("the whole flood", lambda: sum(exporter.page().all(LINES).values()) == expected)
        self.assertEqual(exporter.page().get("spire_rpc_duration_seconds_count"), expected)
        self.assertLess(slowest, 1.0)

    def test_hostile_lines_are_counted_and_the_rest_of_the_datagram_lives(self) -> None:
        exporter = self.start()
        good = RPC.format("5.000000").encode()
        self.send(b"\n".join([b"nonsense", b"x:nan|c", good, b"a:1|zz", b"\xff\xfe:1|c|@0", good]) + b"\n")
        wait_for("both good lines", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 2)
        page = exporter.page()
        self.assertEqual(sum(page.all("spire_exporter_statsd_rejected_lines_total").values()), 4)
        self.assertEqual(sum(page.all(LINES).values()), 6)

    def test_a_million_tag_values_do_not_cost_a_known_series(self) -> None:
        exporter = self.start()
        self.send(RPC.format("5.000000").encode())
        wait_for("the known series", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 1)
        for start in range(0, 100_000, 20_000):
            self.send(*("\n".join(f"x.y:1|c|#id:{n}" for n in range(at, at + 200)).encode()
                        for at in range(start, start + 20_000, 200)))
        self.send(RPC.format("6.000000").encode())
        wait_for("the known series to go on", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 2)
        self.assertLess(len(exporter.page().samples), 20_000)


class LedgerTest(ExporterTestCase):
    MISSING = "spire_exporter_statsd_missing_lines"

    def test_what_no_client_has_told_is_absent_and_not_zero(self) -> None:
        exporter = self.start()
        self.send(RPC.format("5.000000").encode())
        wait_for("the line", lambda: exporter.page().get("spire_rpc_duration_seconds_count") == 1)
        page = exporter.page()
        self.assertIsNone(page.get(self.MISSING))
        self.assertEqual(page.all("spire_exporter_statsd_client_sent_metrics_total"), {})
        self.assertEqual(page.all("spire_exporter_statsd_client_dropped_packets_total"), {})
        self.assertEqual(page.get("spire_exporter_statsd_ledger_state", state="waiting"), 1)


class HungSpire:
    """A listener that accepts, or not, and never answers."""

    def __init__(self, accept: bool, drip: bool = False) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port = self.listener.getsockname()[1]
        self.done = threading.Event()
        self.connections: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept, args=[drip])] if accept else []
        for thread in self.threads:
            thread.start()

    def _accept(self, drip: bool) -> None:
        self.listener.settimeout(0.1)
        while not self.done.is_set():
            try:
                self.connections.append(self.listener.accept()[0])
            except TimeoutError:
                pass
            if drip:
                for connection in self.connections:
                    try:
                        connection.send(b"H")
                    except OSError:
                        pass

    def close(self) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join()
        for connection in self.connections:
            connection.close()
        self.listener.close()


class HungScrapeTest(ExporterTestCase):
    def test_a_spire_that_hangs_stops_neither_the_page_nor_the_end(self) -> None:
        for accept, drip in ((False, False), (True, False), (True, True)):
            with self.subTest(accept=accept, drip=drip):
                spire = HungSpire(accept, drip)
                self.addCleanup(spire.close)
                exporter = self.start(self.stream_config().replace("127.0.0.1:1/", f"127.0.0.1:{spire.port}/"))
                success = "spire_exporter_collector_success"
                wait_for("the failure", lambda: exporter.page().get(success, target="scrape") == 0)
                page = exporter.page()
                self.assertEqual(page.get("spire_exporter_collector_overruns_total", target="scrape"), 0)
                started = time.monotonic()
                self.assertEqual(exporter.end(), 0)
                self.assertLess(time.monotonic() - started, 5)


if __name__ == "__main__":
    unittest.main()
