"""The program as its users meet it: messages, exit codes, signals, reload, endpoints."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import subprocess
import threading
import unittest

from harness import SOURCE, ExporterTestCase, wait_for

RPC = b"spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:%d.000000|ms|#status:OK,host:vm\n"
RPC_COUNT = "spire_rpc_duration_seconds_count"


class StartTest(ExporterTestCase):
    def test_serves_before_spire_is_there_and_says_so(self) -> None:
        exporter = self.start()
        wait_for("the first reading to fail", lambda: exporter.request("/-/ready")[0] == 200)
        page = exporter.page()
        self.assertEqual(page.get("spire_exporter_collector_success", target="scrape"), 0)
        self.assertGreaterEqual(
            page.get("spire_exporter_collector_failures_total", target="scrape", reason="unavailable"), 1
        )
        self.assertIsNone(page.get("spire_exporter_collector_last_success_timestamp_seconds", target="scrape"))
        self.assertEqual(page.get("spire_exporter_role_info", role="server", trust_domain="example.org"), 1)

    def test_a_bad_configuration_ends_with_two_and_names_the_place(self) -> None:
        config = self.folder / "bad.yaml"
        config.write_text("role: server\ntelemetry:\n  scrape:\n    urll: x\n")
        done = self.run_once(f"--config.file={config}")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(
            done.stderr, f'{config}:4:5: telemetry.scrape.urll: unknown key: did you mean "url"?\n'
        )

    def test_without_a_database_libpq_is_not_even_mapped(self) -> None:
        exporter = self.start()
        exporter.page()
        maps = pathlib.Path(f"/proc/{exporter.process.pid}/maps").read_text()
        self.assertIn("libstdc++", maps)
        self.assertNotIn("libpq", maps)

    def test_an_agents_sidecar_refuses_a_database(self) -> None:
        config = self.folder / "agent.yaml"
        config.write_text("role: agent\npostgres:\n  nodes:\n    - {name: rw, conninfo_file: /x}\n")
        done = self.run_once(f"--config.file={config}")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{config}:4:5: postgres.nodes: ", done.stderr)
        self.assertIn("an agent's sidecar does not connect to the database", done.stderr)

    def test_config_check_prints_what_is_in_force(self) -> None:
        config = self.folder / "good.yaml"
        config.write_text(self.stream_config())
        done = self.run_once("--config.check", f"--config.file={config}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("trust_domain: example.org", done.stdout)
        self.assertIn("timeout: 1s", done.stdout)
        config.write_text("role: boss\n")
        self.assertEqual(self.run_once("--config.check", f"--config.file={config}").returncode, 1)

    def test_a_port_in_use_is_one_clear_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = self.run_once("--role=standalone", "--no-collector.telemetry", f"--web.listen-address={address}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"--web.listen-address={address}", done.stderr)
        self.assertIn("in use", done.stderr)

    def test_wrong_usage_ends_with_two(self) -> None:
        done = self.run_once("--no-such-flag")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--help", done.stderr)


class SignalTest(ExporterTestCase):
    def test_ends_well_on_term_and_int(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.start().end(number), 0)

    def test_a_socket_left_by_a_killed_process_does_not_stop_the_next(self) -> None:
        self.start().end(signal.SIGKILL)
        self.assertTrue(self.socket_path.exists())
        exporter = self.start()
        self.send(RPC % 5)
        wait_for("the line to arrive", lambda: exporter.page().get(RPC_COUNT) == 1)


class ReloadTest(ExporterTestCase):
    def test_keeps_series_and_socket_that_did_not_change(self) -> None:
        exporter = self.start()
        self.send(RPC % 5)
        wait_for("the first line", lambda: exporter.page().get(RPC_COUNT) == 1)
        inode = self.socket_path.stat().st_ino
        exporter.config_file.write_text(self.stream_config().replace("interval: 1s", "interval: 2s"))
        status, _, body = exporter.request("/-/reload", "POST")
        self.assertEqual((status, body), (200, b"reloaded\n"))
        self.assertEqual(self.socket_path.stat().st_ino, inode)
        self.send(RPC % 7)
        wait_for("the second line", lambda: exporter.page().get(RPC_COUNT) == 2)

    def test_a_bad_file_changes_nothing_and_says_so(self) -> None:
        exporter = self.start()
        exporter.config_file.write_text("role: server\ntelemetri: {}\n")
        status, _, body = exporter.request("/-/reload", "POST")
        self.assertEqual(status, 500)
        self.assertIn(b'2:1: telemetri: unknown key: did you mean "telemetry"?', body)
        self.assertEqual(exporter.page().get("spire_exporter_config_last_reload_successful"), 0)
        self.send(RPC % 5)
        wait_for("the stream to be there still", lambda: exporter.page().get(RPC_COUNT) == 1)
        exporter.config_file.write_text(self.stream_config())
        exporter.process.send_signal(signal.SIGHUP)
        wait_for(
            "the good file", lambda: exporter.page().get("spire_exporter_config_last_reload_successful") == 1
        )


    def test_whoever_asks_again_and_again_neither_fills_the_log_nor_holds_the_workers(self) -> None:
        exporter = self.start()
        over, statuses = threading.Event(), []

        def ask() -> None:
            while not over.is_set():
                statuses.append(exporter.request("/-/reload", "POST")[0])

        strangers = [threading.Thread(target=ask) for _ in range(8)]
        for stranger in strangers:
            stranger.start()
        try:
            wait_for("some to be told to come later", lambda: 429 in statuses)
            wait_for("two reloads", lambda: statuses.count(200) >= 3)
            self.assertEqual(exporter.request("/metrics")[0], 200)
            self.assertNotIn("configuration reloaded", exporter.text())
            exporter.process.send_signal(signal.SIGHUP)
            wait_for("the line for the signal", lambda: "configuration reloaded" in exporter.text())
            exporter.config_file.write_text("role: server\ntelemetri: {}\n")
            wait_for("a bad outcome", lambda: 500 in statuses)
        finally:
            over.set()
            for stranger in strangers:
                stranger.join()
        self.assertLessEqual(set(statuses), {200, 429, 500})
        self.assertEqual(exporter.text().count("configuration reloaded"), 1)
        self.assertEqual(exporter.text().count("configuration not reloaded"), 1)


class EndpointTest(ExporterTestCase):
    def test_every_endpoint_answers_as_the_interface_says(self) -> None:
        exporter = self.start()
        self.assertEqual(exporter.request("/-/healthy")[0], 200)
        status, headers, body = exporter.request("/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertIn(b"telemetry scrape", body)
        state = json.loads(exporter.request("/api/v1/status")[2])
        self.assertEqual(state["role"], "server")
        self.assertIn("scrape", [collector["target"] for collector in state["collectors"]])
        self.assertEqual(exporter.request("/nothing")[0], 404)
        status, headers, _ = exporter.request("/metrics", "DELETE")
        self.assertEqual((status, headers["allow"]), (405, "GET, HEAD"))
        self.assertEqual(exporter.request("/-/reload")[0], 405)
        status, headers, body = exporter.request("/metrics", "HEAD")
        self.assertEqual((status, body), (200, b""))

    def test_openmetrics_when_asked(self) -> None:
        exporter = self.start()
        accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        _, headers, body = exporter.request("/metrics", headers={"Accept": accept})
        self.assertEqual(headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(body.endswith(b"# EOF\n"))

    def test_promtool_finds_nothing_wrong_with_the_page(self) -> None:
        exporter = self.start()
        self.send(RPC % 5, b"spire_server.started:1|g|#version:1_15_3,trust_domain_id:example_org,host:vm\n")
        wait_for("the lines", lambda: exporter.page().get(RPC_COUNT) == 1)
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=exporter.page().text, capture_output=True, text=True, timeout=60
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class CheckTest(ExporterTestCase):
    def test_says_what_works_beside_a_running_exporter(self) -> None:
        exporter = self.start()
        done = self.run_once("check", f"--config.file={exporter.config_file}")
        self.assertEqual(done.returncode, 1)  # SPIRE's endpoint is not there
        self.assertIn("FAIL", done.stdout)
        self.assertIn("http://127.0.0.1:1/", done.stdout)
        self.send(RPC % 5)
        wait_for("the stream to be untouched", lambda: exporter.page().get(RPC_COUNT) == 1)


class ReferenceTest(ExporterTestCase):
    def test_the_committed_reference_is_what_the_program_prints(self) -> None:
        done = self.run_once("metrics")
        self.assertEqual(done.returncode, 0)
        committed = (SOURCE / "docs/reference/metrics.md").read_text()
        self.assertEqual(done.stdout, committed, "run ./dev docs")


if __name__ == "__main__":
    unittest.main()
