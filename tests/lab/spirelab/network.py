"""The network between each agent's node and the servers, which scenarios cut."""

from __future__ import annotations

import os

from spirelab.account import Account
from spirelab.plan import Plan
from spirelab.process import Program, Supervisor
from spirelab.workspace import Workspace


def start_networks(supervisor: Supervisor, workspace: Workspace, account: Account, python: str,
                   plan: Plan) -> None:
    """One program per agent; whoever kills it cuts that node off, its sidecar too."""
    servers = [str(member.api_port) for member in plan.servers()]
    for member in plan.agents():
        routes = [f"{member.service_port}:{','.join(servers)}"]
        routes += [f"{link}:{server}" for link, server in zip(member.server_links, servers)]
        argv = [python, os.path.join(workspace.helpers(), "balancer.py")]
        for route in routes:
            argv += ["--route", route]
        supervisor.start(Program(member.network, argv, account, os.path.join(
            workspace.folder("log"), member.network + ".log")))
