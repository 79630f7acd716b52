"""SPIRE's page alone against the stream of the same minutes, both read by the real program."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import unittest

from harness import ExporterTestCase, Page, wait_for

SIMULATOR = os.environ["SPIRE_SIM"]
FAMILIES = ("spire_rpc_duration_seconds", "spire_datastore_operation_duration_seconds",
            "spire_call_duration_seconds")
SCRAPED = "spire_exporter_telemetry_scraped_observations_total"
SECONDS = 25


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def placed(page: Page, family: str) -> dict[str, float]:
    """Observations up to each finite classic bound, and `all` that were placed, over all series."""
    below: dict[str, float] = {}
    for sample, value in page.all(family + "_bucket").items():
        bound = re.search(r'le="([^"]+)"', sample)
        assert bound
        below[bound.group(1)] = below.get(bound.group(1), 0) + value
    return below


class ScrapeOnlyTest(ExporterTestCase):
    def test_polled_histograms_agree_with_the_streams(self) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}/metrics"
        streamed = self.start("role: server\ntrust_domain: example.org\ntelemetry:\n"
                              f'  stream: {{listen: ["unixgram://{self.socket_path}"]}}\n'
                              '  scrape: {url: ""}\n')
        polled = self.start("role: server\ntrust_domain: example.org\ntelemetry:\n"
                            "  stream: {listen: []}\n"
                            f'  scrape: {{url: "{url}"}}\n')
        simulator = subprocess.Popen(
            [SIMULATOR, f"--prometheus-listen=127.0.0.1:{port}",
             f"--dogstatsd=unix://{self.socket_path}", "--load=lab", "--agents=3"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(simulator.wait)
        self.addCleanup(simulator.kill)
        # As often as serving it may be afforded, which a busy machine makes dearer.
        wait_for("the page to be polled",
                 lambda: (polled.page().get("spire_exporter_telemetry_scrape_period_seconds") or 15) <= 3, 60)
        began = time.monotonic()
        ticks = _cpu_ticks(polled.process.pid)
        wait_for("some traffic", lambda: time.monotonic() - began > SECONDS, SECONDS + 10)
        used = (_cpu_ticks(polled.process.pid) - ticks) / os.sysconf("SC_CLK_TCK")
        scrape = polled.page()
        # On a busy machine either can be behind the other; the stream's page comes to hold what was polled.
        stream = wait_for("the stream to tell what the page did",
                          lambda: _has_all(streamed.page(), scrape), 60)

        shares = {name: scrape.get(SCRAPED, placement=name) or 0
                  for name in ("exact", "estimated", "unplaced")}
        total = sum(shares.values())
        self.assertGreater(total, 100)
        print({name: round(count / total, 3) for name, count in shares.items()}, f"of {total:g};",
              f"{used / (time.monotonic() - began):.4f} cores")
        self.assertGreater(shares["exact"], 0)
        self.assertLess(shares["unplaced"] / total, 0.2)
        for family in FAMILIES:
            truth, told = placed(stream, family), placed(scrape, family)
            if not truth or not told:
                continue
            unplaced = told["+Inf"] - max(value for bound, value in told.items() if bound != "+Inf")
            farthest = max(abs(told[bound] / (told["+Inf"] - unplaced) - truth[bound] / truth["+Inf"])
                           for bound in truth if bound != "+Inf")
            print(f"{family}: {told['+Inf']:g} of {truth['+Inf']:g} observations, "
                  f"farthest rank {farthest:.3f}")
            # What the last page does not show yet.
            self.assertGreater(told["+Inf"], truth["+Inf"] * 0.8)
            self.assertLess(farthest, 0.1, family)


def _has_all(stream: Page, scrape: Page) -> Page | None:
    """The stream's page once it has each family's observations of the scrape's, but for one."""
    for family in FAMILIES:
        told = placed(scrape, family).get("+Inf", 0)
        if told > placed(stream, family).get("+Inf", 0) + 1:
            return None
    return stream


def _cpu_ticks(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    unittest.main()
