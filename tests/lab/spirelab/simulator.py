"""The built-in simulator in SPIRE's place: same ports, same wires, no identities."""

from __future__ import annotations

import os

from spirelab.account import Account
from spirelab.plan import Plan
from spirelab.process import Program, Supervisor
from spirelab.spire import wait_ready
from spirelab.spire_release import PINNED_VERSION
from spirelab.workspace import Workspace

VERSION = PINNED_VERSION
# Enough calls in a minute for quantiles to mean something.
_AGENTS = 10
_WORKLOADS = 20


class SimulatedSpire:
    """One simulator per server and agent."""

    def __init__(self, program: str, plan: Plan, workspace: Workspace, account: Account) -> None:
        self._program = workspace.program(program)
        self._plan = plan
        self._workspace = workspace
        self._account = account

    def start(self, supervisor: Supervisor) -> None:
        waiting = []
        for number, member in enumerate(self._plan.members):
            self._workspace.folder(member.name)
            waiting.append((member, supervisor.start(Program(
                member.name,
                [self._program, f"--role={member.role}", f"--version={VERSION}",
                 f"--prometheus-listen=127.0.0.1:{member.prometheus_port}",
                 f"--dogstatsd={member.stream_send}",
                 f"--health-listen=127.0.0.1:{member.health_port}",
                 f"--truth={member.truth_file}", f"--seed={number + 1}",
                 f"--agents={_AGENTS}", f"--workloads={_WORKLOADS}"],
                self._account, os.path.join(member.directory, "spire.log")))))
        for member, process in waiting:
            wait_ready(member, process, 20)
