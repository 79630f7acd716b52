"""The page behind SPIFFE mTLS, and SPIRE's endpoint read with an SVID: the real program, a fake agent, a real wire."""

from __future__ import annotations

import http.client
import http.server
import re
import socket
import ssl
import subprocess
import threading
import unittest

from harness import PATIENCE, Exporter, ExporterTestCase, Page, wait_for
from workload_agent import TrustDomain, WorkloadAgent

EXPORTER, PROMETHEUS = "/exporter", "/ns/monitoring/sa/prometheus"


class SpiffeTest(ExporterTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.domain = TrustDomain(self.folder, "example.org")
        self.agent = WorkloadAgent(self.folder)
        self.addCleanup(self.agent.close)
        self.web = self.folder / "web.yml"

    def web_config(self, more: str = "") -> str:
        return f"tls_server_config:\n  spiffe:\n    socket_path: unix://{self.agent.socket}\n{more}"

    def start_web(self, text: str, *flags: str) -> Exporter:
        self.web.write_text(text)
        return self.start(None, f"--web.config.file={self.web}", *flags)

    def client(self, pair: tuple | None, root: object = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # an SVID has no name but its SPIFFE ID
        context.load_verify_locations(str(root or self.domain.bundle))
        if pair:
            context.load_cert_chain(*pair)
        return context

    def get(self, exporter: Exporter, context: ssl.SSLContext) -> tuple[int, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", exporter.port, timeout=PATIENCE, context=context)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def status(self, exporter: Exporter, context: ssl.SSLContext) -> int:
        """0 where the handshake fails."""
        try:
            return self.get(exporter, context)[0]
        except (ssl.SSLError, OSError, http.client.HTTPException):
            return 0

    def page_of(self, exporter: Exporter, context: ssl.SSLContext) -> Page:
        return Page(self.get(exporter, context)[1])


class DoorTest(SpiffeTest):
    def test_starts_before_the_agent_says_so_and_serves_once_it_is_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            probe = taken.getsockname()[1]
        exporter = self.start_web(self.web_config(), f"--web.probe-listen-address=127.0.0.1:{probe}")

        def ready() -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", probe, timeout=PATIENCE)
            try:
                connection.request("GET", "/-/ready")
                response = connection.getresponse()
                return response.status, response.read().decode()
            finally:
                connection.close()

        waits = "the page waits for an SVID from the Workload API: "
        wait_for("the agent to be missed", lambda: ready()[0] == 200 and waits in ready()[1])
        wait_for("the log to say so", lambda: "no SVID for the page from the Workload API" in exporter.text())
        prometheus = self.client(self.domain.issue(PROMETHEUS))
        self.assertEqual(self.status(exporter, prometheus), 0)
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        wait_for("the page", lambda: self.status(exporter, prometheus) == 200)
        self.assertEqual(ready(), (200, "spire-exporter is ready.\n"))
        page = self.page_of(exporter, prometheus)
        self.assertEqual(page.get("spire_exporter_web_certificate_source", source="workload_api"), 1)
        self.assertEqual(page.get("spire_exporter_web_svid_source_state", state="ok"), 1)
        self.assertNotIn("spiffe://", exporter.text() + page.text)

    def test_lets_in_by_id_pattern_and_trust_domain_and_mixes_no_roots(self) -> None:
        partner = TrustDomain(self.folder, "partner.test")
        stranger = TrustDomain(self.folder, "stranger.test")
        self.agent.serve(self.domain, EXPORTER, 86400, partner, stranger)
        self.agent.say("start")
        exporter = self.start_web(
            self.web_config('    authorized_ids: ["spiffe://example.org/ns/*/sa/prometheus"]\n')
            + "authorization: {trust_domains: [partner.test]}\n"
        )
        right = self.client(self.domain.issue(PROMETHEUS))
        wait_for("the page", lambda: self.status(exporter, right) == 200)
        forged = "spiffe://example.org" + PROMETHEUS
        for name, pair, wanted in (
            ("another id of the trust domain", self.domain.issue("/ns/shop/sa/web"), 403),
            ("anybody of a trust domain that is let in", partner.issue("/any"), 200),
            ("a federated one that is not let in", stranger.issue(PROMETHEUS), 0),
            ("our id under a federated root", partner.issue("", spiffe_id=forged), 0),
            ("their id under our root", self.domain.issue("", spiffe_id="spiffe://partner.test/any"), 0),
            ("one that has ended", self.domain.issue(PROMETHEUS, -5), 0),
            ("none", None, 0),
        ):
            with self.subTest(name):
                self.assertEqual(self.status(exporter, self.client(pair)), wanted)

    def test_no_scrape_fails_while_the_svid_is_renewed_a_hundred_times(self) -> None:
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        exporter = self.start_web(self.web_config())
        prometheus = self.client(self.domain.issue(PROMETHEUS))
        wait_for("the page", lambda: self.status(exporter, prometheus) == 200)
        over, failed, done = threading.Event(), [], []

        def scrape() -> None:
            while not over.is_set():
                try:
                    done.append(self.get(exporter, prometheus)[0])
                except (OSError, http.client.HTTPException) as error:
                    failed.append(error)

        def served() -> bytes:
            with socket.create_connection(("127.0.0.1", exporter.port), timeout=PATIENCE) as raw:
                with prometheus.wrap_socket(raw) as wrapped:
                    return wrapped.getpeercert(binary_form=True)

        scraper = threading.Thread(target=scrape)
        scraper.start()
        try:
            for _ in range(100):
                wanted = ssl.PEM_cert_to_DER_cert(self.agent.serve(self.domain, EXPORTER).read_text())
                wait_for("the new SVID", lambda wanted=wanted: served() == wanted)
        finally:
            over.set()
            scraper.join()
        self.assertEqual((failed, set(done)), ([], {200}))
        self.assertGreater(len(done), 100)

    def test_keeps_the_last_svid_and_tells_its_age_while_the_agent_is_gone(self) -> None:
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        exporter = self.start_web(self.web_config())
        prometheus = self.client(self.domain.issue(PROMETHEUS))
        wait_for("the page", lambda: self.status(exporter, prometheus) == 200)
        received = self.page_of(exporter, prometheus).get("spire_exporter_web_svid_received_timestamp_seconds")
        state = "spire_exporter_web_svid_source_state"
        self.agent.say("stop")
        wait_for("the outage", lambda: self.page_of(exporter, prometheus).get(state, state="unavailable") == 1)
        page = self.page_of(exporter, prometheus)
        self.assertEqual(page.get("spire_exporter_web_svid_received_timestamp_seconds"), received)
        self.assertEqual(page.get("spire_exporter_web_config_last_reload_successful"), 1)
        self.agent.say("deny")
        self.agent.say("start")
        wait_for("the denial", lambda: self.page_of(exporter, prometheus).get(state, state="denied") == 1)
        # A change of the file meanwhile does not lose it.
        self.web.write_text(self.web_config() + "rate_limit: {interval: 1ms, burst: 1000}\n")
        self.assertEqual(self.status(exporter, prometheus), 200)
        self.agent.serve(self.domain, EXPORTER)
        wait_for("the recovery", lambda: self.page_of(exporter, prometheus).get(state, state="ok") == 1, 45)

    def test_falls_back_to_files_when_the_last_svid_has_ended(self) -> None:
        backup = TrustDomain(self.folder, "backup")
        pair = backup.issue("", spiffe_id="spiffe://backup/exporter")
        self.agent.serve(self.domain, EXPORTER, 10)
        self.agent.say("start")
        exporter = self.start_web(
            self.web_config(
                f"    fallback: {{cert_file: {pair[0]}, key_file: {pair[1]}, client_ca_file: {backup.bundle}}}\n"
            )
        )
        prometheus = self.client(self.domain.issue(PROMETHEUS))
        wait_for("the SVID", lambda: self.status(exporter, prometheus) == 200)
        emergency = self.client(backup.issue("", spiffe_id="spiffe://backup/prometheus"), root=backup.bundle)
        forged = self.client(backup.issue("", spiffe_id="spiffe://example.org" + PROMETHEUS), root=backup.bundle)
        self.assertEqual(self.status(exporter, emergency), 0)
        self.agent.say("stop")
        wait_for("the fallback", lambda: self.status(exporter, emergency) == 200)
        self.assertEqual(self.status(exporter, forged), 0, "no word of the backup's on our trust domain")
        page = self.page_of(exporter, emergency)
        self.assertEqual(page.get("spire_exporter_web_certificate_source", source="fallback"), 1)
        self.assertEqual(self.status(exporter, prometheus), 0, "who wants the bundle's root does not take it")
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        wait_for("the SVID again", lambda: self.status(exporter, prometheus) == 200, 45)

    def test_openssl_agrees(self) -> None:
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        exporter = self.start_web(self.web_config())
        certificate, key = self.domain.issue(PROMETHEUS)
        wait_for("the page", lambda: self.status(exporter, self.client((certificate, key))) == 200)
        said = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{exporter.port}", "-CAfile", str(self.domain.bundle),
             "-cert", str(certificate), "-key", str(key), "-verify_return_error"],
            input="", capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip
        self.assertIn("Verify return code: 0 (ok)", said)


class Endpoint:
    """SPIRE's Prometheus endpoint with use_spire_svid: serves with an SVID, and asks for one."""

    def __init__(self, domain: TrustDomain, path: str) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                body = b"# TYPE spire_server_started gauge\nspire_server_started 1\n"
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*domain.issue(path))
        context.load_verify_locations(str(domain.bundle))
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class ScrapeTest(SpiffeTest):
    def scrape_config(self, port: int) -> str:
        return (
            "role: server\ntrust_domain: example.org\nserver: {health_url: \"\"}\nsvid: {server: {address: \"\"}}\ntelemetry:\n  stream: {listen: []}\n"
            f'  scrape: {{url: "https://127.0.0.1:{port}/", interval: 1s, timeout: 1s, '
            f'spiffe: {{socket: "unix://{self.agent.socket}"}}}}\n'
        )

    def endpoint(self, path: str) -> Endpoint:
        endpoint = Endpoint(self.domain, path)
        self.addCleanup(endpoint.close)
        return endpoint

    def test_reads_spires_page_with_an_svid(self) -> None:
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        config = self.scrape_config(self.endpoint("/spire/server").port)
        exporter = self.start(config)
        wait_for(
            "the page of SPIRE",
            lambda: exporter.page().get("spire_exporter_collector_success", target="scrape") == 1,
        )
        done = self.run_once("check", f"--config.file={exporter.config_file}")
        self.assertIn("series of SPIRE", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_takes_no_other_workload_for_spire(self) -> None:
        self.agent.serve(self.domain, EXPORTER)
        self.agent.say("start")
        exporter = self.start(self.scrape_config(self.endpoint("/ns/shop/sa/web").port))
        wait_for("a first try", lambda: exporter.request("/-/ready")[0] == 200)
        self.assertEqual(exporter.page().get("spire_exporter_collector_success", target="scrape"), 0)
        status = exporter.request("/api/v1/status")[2].decode()
        self.assertRegex(status, re.escape("another SPIFFE ID than it should have"))
        self.assertNotIn("/ns/shop", status)

    def test_shows_its_pattern_in_the_effective_configuration(self) -> None:
        config = self.folder / "c.yaml"
        config.write_text(self.scrape_config(1))
        done = self.run_once("--config.check", f"--config.file={config}")
        self.assertIn("server_id: spiffe://example.org/spire/server", done.stdout.replace('"', ""))


if __name__ == "__main__":
    unittest.main()
