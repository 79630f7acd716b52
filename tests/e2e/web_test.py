"""The page behind a web configuration: TLS, client certificates, passwords, tokens, headers, limits, and their reload."""

from __future__ import annotations

import base64
import http.client
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import unittest
from collections.abc import Callable

from harness import PATIENCE, PROGRAM, Exporter, ExporterTestCase, wait_for

# Of `secret` and of `other`; cost 4, so that the tests do not wait.
SECRET = "$2b$04$BDk6/4B9z2fEXiGCN30e5.z37eVG3.flaFAbW8ii59BNGX4jJE50m"
OTHER = "$2b$04$vhkUeo9zGu9JcLbjB7dwnuip7BGGZTr9Vqk0AaXi2IXL0r8hs0Z3C"

# Of the certificate, while it is scraped all the time. Every WATCHED-th is left to the thread that looks at the files each
# second, the others are told of by a signal.
ROTATIONS = 100
WATCHED = 20


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Authority:
    """Makes certificates in a folder, as an operator would."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.folder, self.name = folder, name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", str(self.key), "-out", str(self.certificate))  # fmt: skip

    @property
    def certificate(self) -> pathlib.Path:
        return self.folder / f"{self.name}.crt"

    @property
    def key(self) -> pathlib.Path:
        return self.folder / f"{self.name}.key"

    def issue(self, name: str, alternative: str) -> tuple[pathlib.Path, pathlib.Path]:
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        bare = self.folder / "bare.cnf"  # the system's would make it an authority
        bare.write_text("[req]\ndistinguished_name = name\n[name]\n")
        openssl("req", "-x509", "-config", str(bare), "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-CA", str(self.certificate), "-CAkey", str(self.key), "-days", "1", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={alternative}", "-keyout", str(key), "-out", str(certificate))  # fmt: skip
        return certificate, key


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class WebTest(ExporterTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.web = self.folder / "web.yml"

    def start_web(self, text: str, *flags: str) -> Exporter:
        self.web.write_text(text)
        return self.start(None, f"--web.config.file={self.web}", *flags)

    def get(self, exporter: Exporter, path: str = "/metrics", context: ssl.SSLContext | None = None,
            headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        if context:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "127.0.0.1", exporter.port, timeout=PATIENCE, context=context
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", exporter.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()


class PasswordTest(WebTest):
    def test_lets_in_whom_the_file_names_and_nobody_else(self) -> None:
        exporter = self.start_web(f"basic_auth_users:\n  prom: {SECRET}\n")
        status, headers, body = self.get(exporter)
        self.assertEqual((status, body), (401, b"401 Unauthorized\n"))
        self.assertIn("Basic realm=", headers["www-authenticate"])
        self.assertEqual(self.get(exporter, headers=basic("prom", "secret"))[0], 200)
        self.assertEqual(self.get(exporter, headers=basic("prom", "wrong"))[0], 401)
        self.assertEqual(self.get(exporter, headers=basic("nobody", "secret"))[0], 401)
        self.assertEqual(self.get(exporter, headers={"Authorization": "Basic <b>"})[0], 401)
        # Neither what is there nor what is not is told to strangers.
        for path in ("/", "/api/v1/status", "/nothing", "/-/ready"):
            self.assertEqual(self.get(exporter, path)[0], 401)
        page = self.get(exporter, headers=basic("prom", "secret"))[2].decode()
        self.assertRegex(page, r'http_rejections_total\{reason="denied"\} [1-9]')

    def test_probe_listeners_ask_nobody(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        exporter = self.start_web(
            f"basic_auth_users:\n  prom: {SECRET}\n", f"--web.probe-listen-address=127.0.0.1:{port}"
        )
        exporter.port = port
        self.assertEqual(self.get(exporter, "/-/healthy")[0], 200)
        self.assertEqual(self.get(exporter, "/metrics")[0], 404)

    def test_a_new_file_holds_for_the_next_request(self) -> None:
        exporter = self.start_web(f"basic_auth_users:\n  prom: {SECRET}\n")
        self.assertEqual(self.get(exporter, headers=basic("prom", "secret"))[0], 200)
        self.web.write_text(f"basic_auth_users:\n  prom: {OTHER}\n")
        wait_for("the new password", lambda: self.get(exporter, headers=basic("prom", "other"))[0] == 200)
        self.assertEqual(self.get(exporter, headers=basic("prom", "secret"))[0], 401)

    def test_a_bad_file_changes_nothing_and_says_so_once(self) -> None:
        exporter = self.start_web(f"basic_auth_users:\n  prom: {SECRET}\n")
        good = "spire_exporter_web_config_last_reload_successful"

        def says() -> str:
            page = self.get(exporter, headers=basic("prom", "secret"))[2].decode()
            return re.search(rf"^{good} (\d)$", page, re.M).group(1)

        self.assertEqual(says(), "1")
        self.web.write_text(f"basic_auth_users:\n  prom: {SECRET}\nrate_limt: ")
        wait_for("the metric to fall", lambda: says() == "0")
        status, _, body = exporter.request("/-/reload", "POST", headers=basic("prom", "secret"))
        self.assertEqual(status, 500)
        self.assertIn(f"{self.web}:3:1: rate_limt: unknown key".encode(), body)
        self.assertEqual(exporter.text().count("web configuration not taken"), 1)
        self.web.write_text(f"basic_auth_users:\n  prom: {SECRET}\n")
        wait_for("the metric to rise", lambda: says() == "1")

    def test_a_token_from_a_file_lets_in_and_can_change(self) -> None:
        token = self.folder / "token"
        token.write_text("first-token\n")
        exporter = self.start_web("bearer_token_file: token\n")
        self.assertEqual(self.get(exporter, headers={"Authorization": "Bearer first-token"})[0], 200)
        status, headers, _ = self.get(exporter, headers={"Authorization": "Bearer first-toke"})
        self.assertEqual((status, headers["www-authenticate"]), (401, 'Bearer realm="spire-exporter"'))
        token.write_text("second-token\n")
        wait_for(
            "the second token",
            lambda: self.get(exporter, headers={"Authorization": "Bearer second-token"})[0] == 200,
        )
        self.assertEqual(self.get(exporter, headers={"Authorization": "Bearer first-token"})[0], 401)

    def test_no_secret_is_ever_shown(self) -> None:
        (self.folder / "token").write_text("first-token\n")
        exporter = self.start_web(f"basic_auth_users:\n  prom: {SECRET}\nbearer_token_file: token\n", "--log.level=debug")
        allowed = basic("prom", "secret")
        self.get(exporter, headers={"Authorization": "Bearer guess"})
        seen = exporter.text() + self.run_once(
            "--config.check", f"--config.file={exporter.config_file}", f"--web.config.file={self.web}"
        ).stdout
        for path in ("/", "/metrics", "/api/v1/status"):
            seen += self.get(exporter, path, headers=allowed)[2].decode()
        for secret in (SECRET, "first-token", "secret\n", "guess", allowed["Authorization"]):
            self.assertNotIn(secret, seen)


class FileTest(WebTest):
    def test_a_bad_file_ends_with_two_and_names_the_place(self) -> None:
        self.web.write_text("tls_server_config:\n  cert_fle: x\n")
        done = self.run_once("--role=standalone", f"--web.config.file={self.web}")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(
            done.stderr, f'{self.web}:2:3: tls_server_config.cert_fle: unknown key: did you mean "cert_file"?\n'
        )
        done = self.run_once("--role=standalone", "--config.check", f"--web.config.file={self.web}")
        self.assertEqual(done.returncode, 1)

    def test_a_certificate_that_is_not_there_ends_with_one_and_names_it(self) -> None:
        self.web.write_text("tls_server_config: {cert_file: none.crt, key_file: none.key}\n")
        done = self.run_once("--role=standalone", f"--web.config.file={self.web}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.folder}/none.crt: No such file", done.stderr)

    def test_a_check_finds_what_the_start_would(self) -> None:
        authority = Authority(self.folder, "authority")
        authority.issue("server", "IP:127.0.0.1")
        authority.issue("other", "IP:127.0.0.1")
        (self.folder / "empty").write_text("\n")
        good = "cert_file: server.crt, key_file: server.key"
        spiffe = "spiffe: {socket_path: /run/none.sock"
        for text, error in (
            ("tls_server_config: {cert_file: none.crt, key_file: none.key}", "none.crt: No such file"),
            ("tls_server_config: {cert_file: server.crt, key_file: none.key}", "none.key: No such file"),
            ("tls_server_config: {cert_file: server.crt, key_file: other.key}", "other.key: "),
            (f"tls_server_config: {{{good}, client_ca_file: none.crt, client_auth_type: VerifyClientCertIfGiven}}",
             "none.crt: No such file"),
            (f"tls_server_config: {{{spiffe}, fallback: {{cert_file: server.crt, key_file: other.key}}}}}}", "other.key: "),
            ("bearer_token_file: none", "none: No such file"),
            ("bearer_token_file: empty", "empty: no token in it"),
            (f"tls_server_config: {{{good}}}", ""),
            (f"tls_server_config: {{{spiffe}}}}}", ""),
            (f"tls_server_config: {{{spiffe}, fallback: {{{good}}}}}}}", ""),
        ):  # fmt: skip
            with self.subTest(text):
                self.web.write_text(text + "\n")
                flags = ("--role=standalone", "--no-collector.telemetry", f"--web.config.file={self.web}")
                checked, tried = self.run_once(*flags, "--config.check"), self.run_once("check", *flags)
                self.assertEqual((checked.returncode, tried.returncode), (1, 1) if error else (0, 0))
                if not error:
                    self.assertEqual(checked.stderr, "")
                    self.assertIn(f"ok    web configuration  {self.web}", tried.stdout)
                    continue
                self.assertIn(f"{self.folder}/{error}", checked.stderr)
                self.assertIn(f"FAIL  web configuration  {checked.stderr}", tried.stdout)
                started = self.run_once(*flags, "--web.listen-address=127.0.0.1:0")
                self.assertEqual(started.returncode, 1)
                self.assertIn(checked.stderr.strip(), started.stderr)

    def test_headers_are_in_every_response(self) -> None:
        exporter = self.start_web(
            "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=60\n"
        )
        for path in ("/metrics", "/nothing", "/"):
            headers = self.get(exporter, path)[1]
            self.assertEqual((headers["x-frame-options"], headers["strict-transport-security"]), ("deny", "max-age=60"))

    def test_more_than_the_rate_limit_gets_429(self) -> None:
        exporter = self.start_web("rate_limit: {interval: 1h, burst: 3}\n")
        answers = [self.get(exporter) for _ in range(4)]
        self.assertEqual([status for status, _, _ in answers], [200, 200, 200, 429])
        self.assertEqual(answers[3][1]["retry-after"], "1")


class TlsTest(WebTest):
    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.folder, "authority")
        self.authority.issue("server", "IP:127.0.0.1")
        self.tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

    def client(self, pair: tuple[pathlib.Path, pathlib.Path] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if pair:
            context.load_cert_chain(*pair)
        return context

    def test_serves_a_verified_page_and_tells_when_the_certificate_ends(self) -> None:
        exporter = self.start_web(self.tls)
        status, _, body = self.get(exporter, context=self.client())
        self.assertEqual(status, 200)
        self.assertRegex(body.decode(), r"\nspire_exporter_web_certificate_expiry_timestamp_seconds \d{10}\n")
        self.assertIn("scheme=https", exporter.text())

    def test_lets_in_the_spiffe_ids_of_its_rules(self) -> None:
        exporter = self.start_web(
            self.tls + "  client_ca_file: authority.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
            'authorization:\n  spiffe_ids: ["spiffe://example.org/ns/*/sa/prometheus"]\n'
        )
        right = self.authority.issue("right", "URI:spiffe://example.org/ns/monitoring/sa/prometheus")
        wrong = self.authority.issue("wrong", "URI:spiffe://example.org/ns/monitoring/sa/grafana")
        two = self.authority.issue("two", "URI:spiffe://example.org/ns/a/sa/prometheus,URI:spiffe://example.org/b")
        self.assertEqual(self.get(exporter, context=self.client(right))[0], 200)
        status, _, body = self.get(exporter, context=self.client(wrong))
        self.assertEqual(status, 403)
        self.assertNotIn(b"grafana", body)
        self.assertEqual(self.get(exporter, context=self.client(two))[0], 403)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get(exporter, context=self.client())

    def test_lets_in_the_names_of_client_allowed_sans(self) -> None:
        exporter = self.start_web(
            self.tls + "  client_ca_file: authority.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
            "  client_allowed_sans: [prometheus.test]\n"
        )
        right = self.authority.issue("right", "DNS:prometheus.test")
        wrong = self.authority.issue("wrong", "DNS:other.test")
        self.assertEqual(self.get(exporter, context=self.client(right))[0], 200)
        self.assertEqual(self.get(exporter, context=self.client(wrong))[0], 403)

    def test_no_scrape_fails_while_certificates_are_replaced(self) -> None:
        exporter = self.start_web(self.tls)
        over, failed = threading.Event(), []
        done: dict[str, list[int]] = {"new": [], "kept": []}
        kept = http.client.HTTPSConnection("127.0.0.1", exporter.port, timeout=PATIENCE, context=self.client())
        kept.connect()
        kept.auto_open = 0  # one that the server closes is a failure
        self.addCleanup(kept.close)

        def scrape_by_kept() -> int:
            kept.request("GET", "/metrics")
            response = kept.getresponse()
            response.read()
            return response.status

        def scrape(statuses: list[int], once: Callable[[], int]) -> None:
            while not over.is_set() and not failed:
                try:
                    statuses.append(once())
                except (OSError, http.client.HTTPException) as error:
                    failed.append(error)

        scrapers = [
            threading.Thread(target=scrape, args=(done["new"], lambda: self.get(exporter, context=self.client())[0])),
            threading.Thread(target=scrape, args=(done["kept"], scrape_by_kept)),
        ]
        for scraper in scrapers:
            scraper.start()
        try:
            for turn in range(ROTATIONS):
                before = {how: len(statuses) for how, statuses in done.items()}
                self.authority.issue("server", "IP:127.0.0.1")  # in place, first the key, then the certificate
                if turn % WATCHED:
                    exporter.process.send_signal(signal.SIGHUP)
                wanted = ssl.PEM_cert_to_DER_cert((self.folder / "server.crt").read_text())

                def served(wanted: bytes = wanted) -> bool:
                    with socket.create_connection(("127.0.0.1", exporter.port), timeout=PATIENCE) as raw:
                        with self.client().wrap_socket(raw, server_hostname="127.0.0.1") as wrapped:
                            return wrapped.getpeercert(binary_form=True) == wanted

                wait_for("the new certificate", served)
                wait_for(
                    "a scrape of each kind since",
                    lambda before=before: failed or all(len(done[how]) > count for how, count in before.items()),
                )
                self.assertEqual(failed, [])
        finally:
            over.set()
            for scraper in scrapers:
                scraper.join()
        self.assertEqual((failed, set(done["new"]), set(done["kept"])), ([], {200}, {200}))

    def test_openssl_agrees(self) -> None:
        exporter = self.start_web(self.tls + f"basic_auth_users:\n  prom: {SECRET}\n")
        said = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{exporter.port}", "-CAfile", str(self.authority.certificate),
             "-verify_return_error", "-alpn", "h2,http/1.1", "-tls1_3"],
            input="", capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip
        self.assertIn("Verify return code: 0 (ok)", said)
        self.assertIn("ALPN protocol: http/1.1", said)


class SystemdTest(ExporterTestCase):
    def test_serves_on_the_sockets_that_systemd_passes(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        config = self.folder / "c.yaml"
        config.write_text(self.stream_config())
        log = open(self.folder / "log", "wb")
        self.addCleanup(log.close)
        # As systemd does: the socket is descriptor 3, and the variable names the process itself.
        process = subprocess.Popen(
            ["sh", "-c", f"exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec {PROGRAM} "
             f"--config.file={config} --web.systemd-socket"],
            pass_fds=[listening.fileno()], stdout=log, stderr=log,
        )  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=PATIENCE)
        connection.request("GET", "/-/healthy")
        self.assertEqual(connection.getresponse().status, 200)

    def test_says_when_there_is_none(self) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LISTEN_")}
        done = subprocess.run(
            [PROGRAM, "--role=standalone", "--no-collector.telemetry", "--web.systemd-socket"],
            capture_output=True, text=True, timeout=60, env=environment, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertIn("--web.systemd-socket: systemd has passed no socket", done.stderr)


if __name__ == "__main__":
    unittest.main()
