"""One spire-exporter beside each SPIRE server and agent."""

from __future__ import annotations

import os

from spirelab import web
from spirelab.account import Account
from spirelab.plan import Member
from spirelab.process import Process, Program, Supervisor
from spirelab.spire_config import CANARY, X509_TTL
from spirelab.wait import poll_until
from spirelab.workspace import Workspace


def render_config(member: Member, trust_domain: str, nodes: dict[str, tuple[str, str]],
                  bundle: str = "", files: bool = False, whole: bool = False) -> str:
    """The sidecar's configuration file; flow style keeps it free of indentation mistakes.

    `nodes` are the database's for a server, by name: connection file and what is expected there.
    `bundle` is the file that agents start with; `files` whether SPIRE has files of its own. A
    `whole` page has everything, the canary's latencies among it.
    """
    database = ""
    if nodes:
        database = "datastore: {interval: 5s, deep_interval: 1m}\n"
        database += "postgres:\n  interval: 5s\n  nodes:\n" + "".join(
            f'    - {{name: {name}, conninfo_file: "{file}", expect: {expect}}}\n'
            for name, (file, expect) in nodes.items())
    return (f"role: {member.role}\n"
            f"trust_domain: {trust_domain}\n" + ("profile: full\n" if whole else "") +
            "telemetry:\n"
            "  stream:\n"
            f'    listen: ["{member.stream_listen}"]\n'
            "  scrape:\n"
            f'    url: "http://127.0.0.1:{member.prometheus_port}/"\n'
            "    interval: 5s\n"
            "    timeout: 3s\n" + database + _identities(member, bundle, files))


def _identities(member: Member, bundle: str, files: bool) -> str:
    """What is asked of SPIRE itself: by a server's sidecar of its own port, by an agent's of the
    servers as its node reaches them, and of the agent as a workload."""
    if member.role == "server":
        return (f'svid: {{server: {{address: "127.0.0.1:{member.api_port}", interval: 5s}}}}\n'
                f'server: {{health_url: "http://127.0.0.1:{member.health_port}", interval: 5s}}\n'
                + (f'spire_config: {{server: "{member.directory}/server.conf"}}\n' if files else ""))
    servers = ", ".join(f"127.0.0.1:{link}" for link in member.server_links)
    return ("svid:\n"
            f'  server: {{address: "{servers}", interval: 5s, '
            f'bootstrap_bundle_file: "{bundle}"}}\n'
            f'  canary: {{socket: "unix://{member.socket}", spiffe_id: "{CANARY}", '
            "interval: 5s}\n"
            f'agent: {{health_url: "http://127.0.0.1:{member.health_port}", '
            f'admin_socket: "unix://{member.admin_socket}"}}\n'
            + (f'spire_config: {{agent: "{member.directory}/agent.conf"}}\n' if files
               else f"runway: {{x509_svid_ttl: {X509_TTL}}}\n"))


def sidecar_name(member: Member) -> str:
    return f"exporter@{member.name}"


def start_sidecar(supervisor: Supervisor, workspace: Workspace, account: Account, program: str,
                  member: Member, trust_domain: str,
                  nodes: dict[str, tuple[str, str]], files: bool, whole: bool = False) -> Process:
    """Starts it and returns when its health answers: SPIRE then finds its socket from the start."""
    workspace.folder(member.name)
    workspace.folder(f"{member.name}/sidecar")
    config = workspace.write(f"{member.name}/exporter.yaml", render_config(
        member, trust_domain, nodes, os.path.join(workspace.root, "bundle.pem"), files, whole))
    process = supervisor.start(Program(
        sidecar_name(member),
        [program, f"--config.file={config}",
         f"--web.listen-address=127.0.0.1:{member.web_port}"],
        account, os.path.join(member.directory, "exporter.log")))
    wait_healthy(member, process)
    return process


def wait_healthy(member: Member, process: Process) -> None:
    poll_until(lambda: web.status(f"http://127.0.0.1:{member.web_port}/-/healthy") == 200, 15,
               f"the sidecar of {member.name} answers", watch=process.must_run)
