"""The built-in simulator in SPIRE's place: same ports, same wires, true identities of its own."""

from __future__ import annotations

import os

from spirelab import spire_config, web
from spirelab.account import Account
from spirelab.plan import Member, Plan
from spirelab.ports import PortPicker
from spirelab.process import Process, Program, Supervisor
from spirelab.spire import wait_ready
from spirelab.spire_release import PINNED_VERSION
from spirelab.wait import poll_until
from spirelab.workspace import Workspace

VERSION = PINNED_VERSION
# Enough calls in a minute for quantiles to mean something.
_AGENTS = 10
_WORKLOADS = 20
_VERSION_WORD = "--version="


class SimulatedSpire:
    """One simulator per server and agent; the authorities are in a folder that all share."""

    def __init__(self, program: str, plan: Plan, workspace: Workspace, account: Account,
                 version: str = VERSION) -> None:
        self._version = version
        self._program = workspace.program(program)
        self._plan = plan
        self._workspace = workspace
        self._account = account
        self._authorities = workspace.folder("authorities", 0o700)
        ports = PortPicker()
        self._controls = {member.name: ports.take() for member in plan.servers()}

    def start(self, supervisor: Supervisor) -> None:
        """Servers first: agents start with a bundle that has the root of each."""
        for members in (self._plan.servers(), self._plan.agents()):
            waiting = [(member, self._start(supervisor, member)) for member in members]
            for member, process in waiting:
                wait_ready(member, process, 20)
            if members == self._plan.servers():
                self._workspace.write("bundle.pem", poll_until(
                    self._whole_bundle, 10, "the bundle holds the authority of every server"))

    def attestor(self, member: Member) -> str:
        return "x509pop" if member is self._plan.agents()[-1] else "join_token"

    def held_ends(self, member: Member) -> list[float]:
        """When each workload's SVID on a node ends, by what was issued last for each identity."""
        return list(self._ends(member, "workload").values())

    def agent_end(self, member: Member) -> float | None:
        """When the agent's own SVID ends."""
        ends = self._ends(member, "agent")
        return max(ends.values()) if ends else None

    def set_version(self, process: Process, version: str) -> None:
        """From its next start on it plays this SPIRE."""
        argv = process.program.argv
        argv[:] = [_VERSION_WORD + version if word.startswith(_VERSION_WORD) else word
                   for word in argv]

    def lose_keys(self, member: Member) -> None:
        """The server starts with a new authority the next time; the old root stays in the bundle."""
        os.unlink(os.path.join(self._authorities, f"{member.name}.active"))

    def forget_trust(self, member: Member) -> None:
        """An agent that does not run: its SVID and bundle; the bundle to start with is that of now."""
        os.unlink(self._state(member))
        with open(self._bundle_file(), encoding="utf-8") as file:
            self._workspace.write("bundle.pem", file.read())

    def command(self, line: str) -> None:
        """To the control listener of every server: tests/fakes/README.md has the commands."""
        for port in self._controls.values():
            web.post(f"http://127.0.0.1:{port}/", line + "\n")

    def _ends(self, member: Member, kind: str) -> dict[str, float]:
        found: dict[str, float] = {}
        try:
            with open(self._expiries(member), encoding="utf-8") as file:
                for line in file:
                    words = line.rstrip("\n").split("\t")
                    if len(words) == 4 and words[1] == kind:
                        found[words[2]] = float(words[3])
        except OSError:
            pass
        return found

    def _expiries(self, member: Member) -> str:
        return os.path.join(member.directory, "expiries")

    def _bundle_file(self) -> str:
        return os.path.join(self._authorities, "bundle.pem")

    @staticmethod
    def _state(member: Member) -> str:
        return os.path.join(member.directory, "state")

    def _whole_bundle(self) -> str | None:
        try:
            with open(self._bundle_file(), encoding="utf-8") as file:
                text = file.read()
        except OSError:
            return None
        return text if text.count("BEGIN CERTIFICATE") >= len(self._plan.servers()) else None

    def _start(self, supervisor: Supervisor, member: Member) -> Process:
        self._workspace.folder(member.name)
        number = self._plan.members.index(member)
        words = [self._program, f"--role={member.role}", _VERSION_WORD + self._version,
                 f"--prometheus-listen=127.0.0.1:{member.prometheus_port}",
                 f"--dogstatsd={member.stream_send}",
                 f"--health-listen=127.0.0.1:{member.health_port}",
                 f"--truth={member.truth_file}", f"--seed={number + 1}",
                 f"--agents={_AGENTS}", f"--workloads={_WORKLOADS}",
                 f"--identities={self._authorities}", f"--name={member.name}",
                 f"--trust-domain={spire_config.TRUST_DOMAIN}",
                 f"--expiries={self._expiries(member)}",
                 f"--svid-ttl={spire_config.X509_TTL}", f"--agent-ttl={spire_config.AGENT_TTL}",
                 f"--ca-ttl={spire_config.CA_TTL}", f"--jwt-ttl={spire_config.JWT_TTL}"]
        if member.role == "server":
            words += [f"--server-listen=127.0.0.1:{member.api_port}",
                      f"--control-listen=127.0.0.1:{self._controls[member.name]}"]
        else:
            self._workspace.folder("admin", 0o750)
            words += [f"--server=127.0.0.1:{link}" for link in member.server_links]
            words += [f"--attestor={self.attestor(member)}",
                      f"--bootstrap-bundle={os.path.join(self._workspace.root, 'bundle.pem')}",
                      f"--state={self._state(member)}",
                      f"--workload-socket={member.socket}",
                      f"--admin-socket={member.admin_socket}",
                      f"--entry={spire_config.CANARY_PATH}"]
        return supervisor.start(Program(member.name, words, self._account,
                                        os.path.join(member.directory, "spire.log")))
