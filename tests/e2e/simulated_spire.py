"""A SPIRE of one server and one agent with true identities, played by spire-sim."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import subprocess
import urllib.error
import urllib.request

from harness import PATIENCE, wait_for
from workload_agent import openssl

SIM = pathlib.Path(os.environ["SPIRE_SIM"])
DOMAIN = "e2e.example"
CANARY, ENTRY = "canary-of-e2e", "fleet/alpha/api-of-e2e"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def status_of(port: int, path: str) -> int:
    """0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class SimulatedSpire:
    """Both processes with all they keep in one folder; ends with its test."""

    def __init__(self, folder: pathlib.Path, svid_ttl: str = "4m") -> None:
        self.folder, self.svid_ttl = folder, svid_ttl
        self.identities = folder / "identities"
        self.identities.mkdir()
        self.upstream = folder / "upstream.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=above SPIRE", "-keyout", str(folder / "upstream.key"), "-out", str(self.upstream))  # fmt: skip
        self.bootstrap = folder / "bootstrap.pem"
        self.state, self.workload_socket, self.admin_socket = (
            folder / name for name in ("agent.state", "w.sock", "a.sock")
        )
        self.port, self.health, self.metrics, self.agent_health, self.agent_metrics = (
            free_port() for _ in range(5)
        )
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """After the sidecars, whose sockets the telemetry goes to, and until `close`."""
        self._start("server", self.health, self.metrics, f"--server-listen=127.0.0.1:{self.port}")
        self.bootstrap.write_bytes((self.identities / "bundle.pem").read_bytes())
        self._start(
            "agent", self.agent_health, self.agent_metrics, f"--server=127.0.0.1:{self.port}",
            f"--bootstrap-bundle={self.bootstrap}", f"--state={self.state}",
            f"--workload-socket={self.workload_socket}", f"--admin-socket={self.admin_socket}",
            f"--entry={CANARY}", f"--entry={ENTRY}", "--workloads=20",
        )  # fmt: skip

    def _start(self, role: str, health: int, metrics: int, *more: str) -> None:
        process = subprocess.Popen(
            [SIM, f"--role={role}", f"--name={role}-of-e2e", f"--identities={self.identities}",
             f"--trust-domain={DOMAIN}", f"--health-listen=127.0.0.1:{health}",
             f"--prometheus-listen=127.0.0.1:{metrics}", f"--dogstatsd=unix://{self.stream(role)}",
             f"--expiries={self.expiries(role)}", f"--svid-ttl={self.svid_ttl}", "--agent-ttl=6m", "--jwt-ttl=2m", *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        wait_for(f"the simulated {role}", lambda: status_of(health, "/ready") == 200)

    def stream(self, role: str) -> pathlib.Path:
        """Where SPIRE of this role sends its telemetry: the socket of its sidecar."""
        return self.folder / f"{role}.stream"

    def expiries(self, role: str) -> pathlib.Path:
        return self.folder / f"{role}.expiries"

    def telemetry(self, role: str) -> str:
        """The part `telemetry` of a sidecar's configuration, with role and trust domain before it."""
        port = self.metrics if role == "server" else self.agent_metrics
        return (
            f"role: {role}\ntrust_domain: {DOMAIN}\ntelemetry:\n"
            f'  stream: {{listen: ["unixgram://{self.stream(role)}"]}}\n'
            f'  scrape: {{url: "http://127.0.0.1:{port}/", interval: 1s, timeout: 1s}}\n'
        )

    def server_sidecar(self, more: str = "") -> str:
        return (
            self.telemetry("server")
            + f'server: {{health_url: "http://127.0.0.1:{self.health}", interval: 1s, timeout: 1s}}\n'
            + f'svid: {{server: {{address: "127.0.0.1:{self.port}", interval: 5s, timeout: 1s}}, '
            + f'upstream_chain_file: "{self.upstream}"}}\n'
            + more
        )

    def agent_sidecar(self, more: str = "") -> str:
        return (
            self.telemetry("agent")
            + f'agent: {{health_url: "http://127.0.0.1:{self.agent_health}", health_interval: 1s, timeout: 1s, '
            + f'admin_socket: "unix://{self.admin_socket}", interval: 1s}}\n'
            + f'svid: {{server: {{address: "127.0.0.1:{self.port}", interval: 5s, timeout: 1s, '
            + f'bootstrap_bundle_file: "{self.bootstrap}"}}, '
            + f'canary: {{socket: "unix://{self.workload_socket}", spiffe_id: "spiffe://{DOMAIN}/{CANARY}", '
            + "interval: 5s, timeout: 1s}}\n"
            + more
        )

    def serials(self) -> set[int]:
        """Of every certificate that can be had: above SPIRE, authorities, the server's, the agent's, and
        those that the Workload API serves. A first authority's are small numbers, which say nothing if they are found."""
        pem = (self.identities / "bundle.pem").read_text() + self.upstream.read_text() + subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-showcerts"],
            input=b"", capture_output=True, timeout=PATIENCE, check=False,
        ).stdout.decode(errors="replace")  # fmt: skip
        found = {
            serial_of(block.encode(), "PEM")
            for block in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
        }
        agent = bytes.fromhex(self.state.read_text().splitlines()[4])
        for bytes_of in (agent, self.workload_answer()):
            found |= {serial_of(certificate, "DER") for certificate in certificates_in(bytes_of)}
        return {serial for serial in found if serial > 1_000_000}

    def issued_paths(self, role: str) -> set[str]:
        """Paths of the SPIFFE IDs that this program had something issued for."""
        lines = [line.split("\t") for line in self.expiries(role).read_text().splitlines()]
        return {line[2].split(DOMAIN, 1)[1] for line in lines if DOMAIN in line[2]}

    def workload_answer(self) -> bytes:
        """What FetchX509SVID sends first, as it is on the wire."""
        return subprocess.run(
            ["curl", "-s", "--http2-prior-knowledge", "--unix-socket", str(self.workload_socket), "-m", "2",
             "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "workload.spiffe.io: true",
             "--data-binary", "@-", "http://localhost/SpiffeWorkloadAPI/FetchX509SVID"],
            input=b"\0\0\0\0\0", capture_output=True, timeout=PATIENCE, check=False,
        ).stdout  # fmt: skip

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def serial_of(certificate: bytes, form: str) -> int:
    """0 for what is no certificate: a serial is never 0."""
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-serial", "-inform", form],
        input=certificate, capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return int(done.stdout.decode().strip().removeprefix("serial="), 16) if done.returncode == 0 else 0


def certificates_in(data: bytes) -> list[bytes]:
    """Everything among other bytes that begins as a certificate does, a sequence within a sequence; it
    may be followed by what is no part of it."""
    return [data[match.start() :] for match in re.finditer(rb"\x30\x82..\x30\x82", data, re.DOTALL)]
