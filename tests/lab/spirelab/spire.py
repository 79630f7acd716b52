"""Real SPIRE: three servers over one datastore, two agents, the entries and the workloads."""

from __future__ import annotations

import json
import os

from spirelab import plan as cast
from spirelab.account import Account, fleet_account
from spirelab.certificates import NodeCertificates
from spirelab.errors import LabError
from spirelab.plan import Member, Plan
from spirelab.postgres import Postgres
from spirelab.process import Process, Program, Supervisor, run_tool
from spirelab.spire_config import (TRUST_DOMAIN, AgentConfig, Fleet, ServerConfig, Telemetry,
                                   entries)
from spirelab.spire_release import Spire
from spirelab.wait import poll_until
from spirelab import web
from spirelab.workspace import Workspace

_FLEETS = (("alpha", ("api", "batch", "web")), ("beta", ("cart", "pay")))
_TOKEN_SECONDS = 600
_FIRST_STARTS = 5


class RealSpire:
    """Brings real SPIRE up in the order a rollout would: servers, entries, agents, workloads."""

    def __init__(self, spire: Spire, plan: Plan, workspace: Workspace, account: Account,
                 python: str, key_manager: str = "") -> None:
        """`key_manager`: a program that signs as a file says, in place of SPIRE's own."""
        self._key_manager = workspace.program(key_manager) if key_manager else ""
        self._plan = plan
        self._workspace = workspace
        self._account = account
        self._python = python
        self._server_program, self._agent_program = self._programs(spire)
        self._helpers = workspace.helpers()
        self._accounts = [fleet_account(account, number) for number in range(len(_FLEETS))]
        self._fleets = [Fleet(name, self._accounts[number].uid, names)
                        for number, (name, names) in enumerate(_FLEETS)]

    def _programs(self, spire: Spire) -> tuple[str, str]:
        folder = f"bin-{spire.version}"
        return (self._workspace.program(spire.server, folder),
                self._workspace.program(spire.agent, folder))

    def _keys(self, member: Member) -> tuple[str, ...]:
        if not self._key_manager:
            return ()
        return (self._key_manager, os.path.join(member.directory, "keys.sock"), self._mood(member))

    @staticmethod
    def _mood(member: Member) -> str:
        return os.path.join(member.directory, "signing")

    def sign(self, mood: str) -> None:
        """How every server's keys sign from now on."""
        if not self._key_manager:
            raise LabError("SPIRE's own key managers sign as they like")
        for member in self._plan.servers():
            self._workspace.write(f"{member.name}/signing", mood + "\n")

    def set_version(self, process: Process, member: Member, spire: Spire) -> None:
        """From its next start on the member runs this SPIRE."""
        server, agent = self._programs(spire)
        process.program.argv[0] = server if member.role == "server" else agent

    def start_servers(self, supervisor: Supervisor, postgres: Postgres) -> None:
        """The first server makes the tables; the others join once it is ready."""
        nodes = NodeCertificates(self._workspace, self._account, self._plan.agents()[-1].name)
        self._nodes = nodes
        waiting: list[tuple[Member, Process]] = []
        for member in self._plan.servers():
            data = self._workspace.folder(f"{member.name}/data", 0o700)
            config = self._workspace.write(f"{member.name}/server.conf", ServerConfig(
                port=member.api_port, socket=member.socket, data=data,
                primary=postgres.connection_string(postgres.primary),
                standby=postgres.connection_string(postgres.standby),
                node_ca=nodes.ca, health_port=member.health_port,
                telemetry=Telemetry(member.prometheus_port, (member.stream_send,)),
                key_manager=self._keys(member)).render())
            process = supervisor.start(Program(
                member.name, [self._server_program, "run", "-config", config], self._account,
                os.path.join(member.directory, "spire.log")))
            waiting.append((member, process))
            if member is self._plan.servers()[0]:
                wait_first_start(member, process)
        for member, process in waiting:
            wait_ready(member, process, 60)

    def start_agents(self, supervisor: Supervisor) -> None:
        """Agent 0 attests with a join token, the last one with its certificate."""
        names = [member.name for member in self._plan.agents()]
        data = self._workspace.write("entries.json", json.dumps(
            entries(self._fleets, names, names[-1], self._account.uid), indent=2))
        self._on_server(["entry", "create", "-data", data])
        bundle = self._workspace.write("bundle.pem", poll_until(
            self._whole_bundle, 30, "the bundle holds the authority of every server"))
        started = []
        for member in self._plan.agents():
            started.append((member, self._start_agent(supervisor, member, bundle)))
        for member, process in started:
            wait_ready(member, process, 60)

    def start_load(self, supervisor: Supervisor) -> None:
        """The fleets on every node, and the operator's reads on every server."""
        for member in self._plan.agents():
            for fleet, account in zip(self._fleets, self._accounts):
                name = f"fleet-{fleet.name}@{member.name}"
                folder = self._workspace.folder(f"fleet/{fleet.name}-{member.name}")
                account.own(folder)
                self._helper(supervisor, name, [
                    self._python, os.path.join(self._helpers, "workload.py"), "--socket",
                    member.socket, "--state", os.path.join(folder, "state.json"), "--interval",
                    "0.5", *fleet.spiffe_ids()], account)
        for member in self._plan.servers():
            self._helper(supervisor, f"operator@{member.name}", [
                self._python, os.path.join(self._helpers, "operator_load.py"), "--socket",
                member.socket], self._account)

    def wait_fleets(self) -> None:
        """Until every fleet holds X.509-SVIDs and has got a token: a sync of the agent or two."""
        poll_until(self._fleets_served, 60, "every fleet holds X.509- and JWT-SVIDs")

    def _fleets_served(self) -> bool:
        states = self.workloads()
        return (len(states) == len(self._fleets) * len(self._plan.agents())
                and all(state["x509_held"] and state["jwt_ok"] for state in states.values()))

    def workloads(self) -> dict[str, dict[str, float]]:
        """What each fleet holds, as its workloads last wrote it."""
        found = {}
        for member in self._plan.agents():
            for fleet in self._fleets:
                path = os.path.join(self._workspace.root, "fleet",
                                    f"{fleet.name}-{member.name}", "state.json")
                try:
                    with open(path, encoding="utf-8") as file:
                        found[f"{fleet.name}@{member.name}"] = json.load(file)
                except (OSError, json.JSONDecodeError):
                    continue
        return found

    def held_ends(self, member: Member) -> list[float]:
        """When the first SVID of each fleet on a node ends; what has ended is held on."""
        return [float(state["x509_ends"]) for name, state in self.workloads().items()
                if name.endswith("@" + member.name)]

    def lose_keys(self, member: Member) -> None:
        """Of a server that does not run; the journal in the database still speaks of them."""
        os.unlink(os.path.join(member.directory, "data", "keys.json"))

    def forget_trust(self, member: Member) -> None:
        """Of an agent that does not run: its keys, SVID and bundle; the bundle to start with is
        that of now."""
        folder = os.path.join(member.directory, "data")
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        self._workspace.write("bundle.pem", self._on_server(["bundle", "show"]))

    def fetch_svid(self, member: Member) -> str:
        """Fetches with SPIRE's own program as a workload of the first fleet; its first ids."""
        text = run_tool([self._agent_program, "api", "fetch", "x509", "-socketPath",
                         member.socket, "-output", "json"], self._accounts[0], 15)
        try:
            svids = json.loads(text)["svids"]
            return f"{len(svids)} X.509-SVIDs, first {svids[0]['spiffe_id']}"
        except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
            raise LabError(f"{member.name}: unexpected answer to api fetch x509") from error

    def create_entries(self, made: list[dict[str, object]]) -> None:
        """Through SPIRE's own API."""
        data = self._workspace.write("more-entries.json", json.dumps({"entries": made}))
        self._on_server(["entry", "create", "-data", data], 90)

    def delete_entries(self, ids: list[str]) -> None:
        """Through SPIRE's own API, all in one call."""
        data = self._workspace.write("fewer-entries.json", json.dumps({"ids": ids}))
        self._on_server(["entry", "delete", "-file", data], 90)

    def _start_agent(self, supervisor: Supervisor, member: Member, bundle: str) -> Process:
        by_certificate = member is self._plan.agents()[-1]
        token = ""
        if not by_certificate:
            answer = self._on_server(["token", "generate", "-ttl", str(_TOKEN_SECONDS),
                                      "-spiffeID", f"spiffe://{TRUST_DOMAIN}/node/{member.name}"])
            token = answer.strip().split()[-1]
        self._workspace.folder("admin", 0o750)
        config = self._workspace.write(f"{member.name}/agent.conf", AgentConfig(
            server_port=member.service_port, socket=member.socket,
            admin_socket=member.admin_socket,
            data=self._workspace.folder(f"{member.name}/data", 0o700), trust_bundle=bundle,
            health_port=member.health_port,
            telemetry=Telemetry(member.prometheus_port, (member.stream_send,)),
            join_token=token,
            certificate=self._nodes.certificate if by_certificate else "",
            key=self._nodes.key if by_certificate else "").render())
        return supervisor.start(Program(
            member.name, [self._agent_program, "run", "-config", config], self._account,
            os.path.join(member.directory, "spire.log")))

    def _whole_bundle(self) -> str | None:
        """A bundle taken too early lacks a server's root, and an agent sent there would exit."""
        text = self._on_server(["bundle", "show"])
        return text if text.count("BEGIN CERTIFICATE") >= cast.SERVERS else None

    def _on_server(self, words: list[str], seconds: float = 20) -> str:
        command, rest = words[:2], words[2:]
        return run_tool([self._server_program, *command, "-socketPath",
                         self._plan.servers()[0].socket, *rest], self._account, seconds)

    def _helper(self, supervisor: Supervisor, name: str, argv: list[str],
                account: Account) -> None:
        log = os.path.join(self._workspace.folder("log"), name + ".log")
        supervisor.start(Program(name, argv, account, log))


def wait_first_start(member: Member, process: Process) -> None:
    """Like wait_ready for the server that creates the tables, which may crash a few times.

    It reads from the standby right after it has made the tables on the primary; when they have not
    been replayed there yet it ends with `relation ... does not exist`, and whoever runs it starts
    it again.
    """
    url = f"http://127.0.0.1:{member.health_port}/ready"

    def ready() -> bool:
        if not process.running() and process.starts < _FIRST_STARTS:
            process.start()
        return web.status(url) == 200

    poll_until(ready, 60, f"{member.name} is ready", watch=process.must_run)


def wait_ready(member: Member, process: Process, seconds: float) -> None:
    """Until SPIRE's own readiness says yes; its end is reported at once."""
    url = f"http://127.0.0.1:{member.health_port}/ready"
    poll_until(lambda: web.status(url) == 200, seconds, f"{member.name} is ready",
               watch=process.must_run)
