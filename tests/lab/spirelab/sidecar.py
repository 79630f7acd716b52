"""One spire-exporter beside each SPIRE server and agent."""

from __future__ import annotations

import os

from spirelab import web
from spirelab.account import Account
from spirelab.plan import Member
from spirelab.process import Process, Program, Supervisor
from spirelab.wait import poll_until
from spirelab.workspace import Workspace


def render_config(member: Member, trust_domain: str, nodes: dict[str, tuple[str, str]]) -> str:
    """The sidecar's configuration file; flow style keeps it free of indentation mistakes.

    `nodes` are the database's for a server, by name: connection file and what is expected there.
    """
    database = ""
    if nodes:
        database = "datastore: {interval: 5s, deep_interval: 1m}\n"
        database += "postgres:\n  interval: 5s\n  nodes:\n" + "".join(
            f'    - {{name: {name}, conninfo_file: "{file}", expect: {expect}}}\n'
            for name, (file, expect) in nodes.items())
    return (f"role: {member.role}\n"
            f"trust_domain: {trust_domain}\n"
            "telemetry:\n"
            "  stream:\n"
            f'    listen: ["{member.stream_listen}"]\n'
            "  scrape:\n"
            f'    url: "http://127.0.0.1:{member.prometheus_port}/"\n'
            "    interval: 5s\n"
            "    timeout: 3s\n" + database)


def sidecar_name(member: Member) -> str:
    return f"exporter@{member.name}"


def start_sidecar(supervisor: Supervisor, workspace: Workspace, account: Account, program: str,
                  member: Member, trust_domain: str,
                  nodes: dict[str, tuple[str, str]]) -> Process:
    """Starts it and returns when its health answers: SPIRE then finds its socket from the start."""
    workspace.folder(member.name)
    workspace.folder(f"{member.name}/sidecar")
    config = workspace.write(f"{member.name}/exporter.yaml", render_config(
        member, trust_domain, nodes))
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
