"""The lab as a whole: puts the parts up in order, answers for them, takes them down."""

from __future__ import annotations

import os
import sys
import time
from typing import Callable

from spirelab.account import Account, lab_account
from spirelab.errors import LabError
from spirelab.monitoring import Page, Receiver, start_monitoring
from spirelab.network import start_networks
from spirelab.options import Options
from spirelab.plan import Member, make_plan
from spirelab.ports import PortPicker
from spirelab.postgres import Postgres
from spirelab.process import Process, Program, Supervisor, run_tool
from spirelab.prometheus_api import PrometheusApi
from spirelab.sidecar import sidecar_name, start_sidecar, wait_healthy
from spirelab.simulated_tables import SimulatedTables
from spirelab.simulator import VERSION, SimulatedSpire
from spirelab.spire import RealSpire, wait_ready
from spirelab.spire_config import TRUST_DOMAIN
from spirelab.spire_release import Spire, find_older, find_spire
from spirelab.wait import poll_until
from spirelab import names
from spirelab.workspace import Workspace

Say = Callable[[str], None]


class Lab:
    """Everything that runs. `close` must be called however `start` ended."""

    def __init__(self, options: Options, say: Say, versions: tuple[str, ...] = (),
                 keys: bool = False) -> None:
        """`versions`: of SPIRE that are needed beside the pinned one; it starts on the first.
        `keys`: servers sign as they are told to."""
        self._options = options
        self._say = say
        self._versions = versions
        self._keys = keys
        self.exporter_program = _program(options.build_dir, "spire-exporter")
        # Real SPIRE's programs by version; empty where the simulator plays.
        self._spires: dict[str, Spire] = {}
        self._simulator_program, self._spire = self._choose_spire()
        self.account = lab_account()
        self.workspace = Workspace(self.account, options.directory)
        self.plan = make_plan(self.workspace.root, PortPicker())
        self.supervisor = Supervisor(self.workspace.root)
        self.prometheus = PrometheusApi(self.plan.prometheus_port)
        self.receiver: Receiver | None = None
        self.postgres: Postgres | None = None
        self.real: RealSpire | None = None
        self.simulated: SimulatedSpire | None = None
        self.tables: SimulatedTables | None = None

    @property
    def table_file(self) -> str:
        """Where the table of a scenario is wanted; empty when it is not."""
        return self._options.table

    @property
    def heading(self) -> str:
        """What the sidecars stand beside."""
        if self._spire is not None:
            every = [self._spires[version] for version in self._versions] + [self._spire]
            return ", ".join(f"SPIRE {one.version} (from {one.origin})" for one in every)
        versions = ", ".join((*self._versions, VERSION))
        return f"the built-in simulator of SPIRE {versions}, not real SPIRE"

    def start(self, announce: Callable[[Page], None]) -> None:
        """Sidecars come before SPIRE, so that no line is sent to nobody."""
        began = time.monotonic()
        plan, supervisor = self.plan, self.supervisor
        self.receiver = Receiver(plan.receiver_port, announce)
        python = find_python(self.account)
        helpers = self.workspace.helpers()
        self._say("PostgreSQL: a primary and a standby")
        self.postgres = Postgres(self.workspace.folder("postgres", 0o700), self.account,
                                 PortPicker())
        self.postgres.start(supervisor, python, helpers)
        self._say(f"sidecars: {len(plan.members)} x {self.exporter_program}")
        nodes = {"rw": (self.postgres.watcher_file(self.postgres.primary), "primary"),
                 "ro": (self.postgres.watcher_file(self.postgres.standby), "standby")}
        for member in plan.members:
            start_sidecar(supervisor, self.workspace, self.account, self.exporter_program, member,
                          TRUST_DOMAIN, nodes if member.role == "server" else {},
                          files=self._spire is not None, whole=self._keys)
            if member.tee_ports:
                supervisor.start(Program(
                    f"tee@{member.name}",
                    [python, os.path.join(helpers, "tee.py"), "--listen",
                     str(member.tee_ports[0]), "--forward", str(member.tee_ports[1]), "--record",
                     member.tee_record],
                    self.account, os.path.join(self.workspace.folder("log"), "tee.log")))
                self._wait_for_tee(member)
        self._say("Prometheus and Alertmanager with the rules of " + self._options.rules)
        start_monitoring(supervisor, self.workspace, self.account, plan, self._options.rules)
        if self._spire is None:
            # The simulator has no database: its tables are there and stay as they are.
            self.tables = SimulatedTables(self.postgres, self._versions[0] if self._versions
                                          else VERSION)
        start_networks(supervisor, self.workspace, self.account, python, plan)
        self._start_spire(python)
        self._say("the least rights for the sidecars: spire-exporter grants --level=1")
        self.grant()
        self._say("first scrapes")
        poll_until(self._all_scraped, 30, "Prometheus scrapes every sidecar",
                   watch=self._sidecars_run)
        self._say(f"the lab stands after {time.monotonic() - began:.0f} s")

    def grant(self) -> None:
        """The sidecars' rights, on the tables as they are: a migration's columns are not in them
        until it is done again."""
        assert self.postgres is not None
        self.postgres.run_sql(run_tool([self.exporter_program, "grants", "--level=1"],
                                       self.account, 20), "spire")

    def addresses(self) -> list[tuple[str, str]]:
        """What a person may want to open."""
        found = [("Prometheus", f"http://127.0.0.1:{self.plan.prometheus_port}/"),
                 ("Alertmanager", f"http://127.0.0.1:{self.plan.alertmanager_port}/")]
        found += [(sidecar_name(member), member.page_url) for member in self.plan.members]
        found.append(("folder", self.workspace.root))
        return found

    def sidecar(self, member: Member) -> Process:
        return self.supervisor.find(sidecar_name(member))

    def spire(self, member: Member) -> Process:
        return self.supervisor.find(member.name)

    def wait_spire(self, member: Member, seconds: float = 60) -> None:
        wait_ready(member, self.spire(member), seconds)

    def wait_sidecar(self, member: Member) -> None:
        wait_healthy(member, self.sidecar(member))

    @property
    def newest(self) -> str:
        """The pinned version, or what SPIRE_BIN_DIR has in its place, in three numbers."""
        return self._spire.version.split("-")[0] if self._spire is not None else VERSION

    def set_version(self, member: Member, version: str) -> None:
        """What the member runs from its next start on: the newest, or one that was asked for."""
        process = self.spire(member)
        if self.real is not None:
            assert self._spire is not None
            self.real.set_version(process, member, self._spires.get(version, self._spire))
        elif self.simulated is not None:
            self.simulated.set_version(process, version)

    def sign(self, mood: str) -> None:
        """How every server's keys sign from now on: `well`, `denied`, or so many seconds late."""
        if self.real is not None:
            self.real.sign(mood)
        elif self.simulated is not None:
            self.simulated.command(f"signing {mood}")

    def held_ends(self, member: Member) -> list[float]:
        """When the first SVID of each group of workloads on an agent's node ends, in Unix time."""
        spire = self.real or self.simulated
        return spire.held_ends(member) if spire else []

    def attestor(self, member: Member) -> str:
        """How an agent proves who it is: the last one by its certificate."""
        return "x509pop" if member is self.plan.agents()[-1] else "join_token"

    def must_run(self) -> None:
        """LabError when any program of the lab has ended by itself."""
        for process in self.supervisor.all():
            process.must_run()

    def close(self) -> None:
        """Ends and removes everything the lab has started or made."""
        killed = self.supervisor.stop_all()
        if self.receiver is not None:
            self.receiver.close()
        if killed:
            self._say("had to be killed: " + ", ".join(killed))
        if self._options.keep:
            self.workspace.disown()
            self._say(f"kept: {self.workspace.root}")
        else:
            self.workspace.remove()

    def _choose_spire(self) -> tuple[str, Spire | None]:
        if self._options.simulator:
            return _program(self._options.build_dir, "spire-sim"), None
        try:
            cache = os.path.join(self._options.build_dir, "spire")
            spire = find_spire(cache)
            self._spires = {version: find_older(version, cache) for version in self._versions}
            return "", spire
        except LabError as error:
            if self._options.require_real:
                raise LabError(f"no real SPIRE: {error}") from error
            self._say(f"no real SPIRE, the simulator takes its place: {error}")
            return _program(self._options.build_dir, "spire-sim"), None

    def _start_spire(self, python: str) -> None:
        assert self.postgres is not None
        if self._spire is None:
            self._say("SPIRE: the simulator")
            self.simulated = SimulatedSpire(self._simulator_program, self.plan, self.workspace,
                                            self.account, (*self._versions, VERSION)[0])
            self.simulated.start(self.supervisor)
            for member in self.plan.agents() if self.tables and self._versions else ():
                self.tables.agent_starts(member, self.attestor(member), self._versions[0])
            return
        spire = self._spires[self._versions[0]] if self._versions else self._spire
        self._say(f"SPIRE {spire.version}: three servers, two agents, two fleets")
        self.real = RealSpire(spire, self.plan, self.workspace, self.account, python,
                              self._key_manager())
        self.real.start_servers(self.supervisor, self.postgres)
        self.real.start_agents(self.supervisor)
        self.real.start_load(self.supervisor)
        self.real.wait_fleets()

    def _key_manager(self) -> str:
        if not self._keys:
            return ""
        # `bin` may be a link into the preset's own folder, where the tests' programs are.
        beside = os.path.dirname(os.path.realpath(os.path.join(self._options.build_dir, "bin")))
        return _program(beside, "lab-key-manager", "tests-bin")

    def _wait_for_tee(self, member: Member) -> None:
        process = self.supervisor.find(f"tee@{member.name}")
        poll_until(lambda: os.path.exists(member.tee_record), 10, f"the tee of {member.name}",
                   watch=process.must_run)

    def _all_scraped(self) -> bool:
        """A first success of each target; rates need the second scrape, the window starts later."""
        answer = self.prometheus.query(f'up{{job="spire-exporter"}} == 1 and on(instance) '
                                       f'{names.BUILD_INFO}')
        return len(answer) == len(self.plan.members)

    def _sidecars_run(self) -> None:
        for member in self.plan.members:
            self.sidecar(member).must_run()


def find_python(account: Account) -> str:
    """A Python that the lab's user can run: ours may live in a home folder that is closed to it."""
    for path in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if not path:
            continue
        try:
            run_tool([path, "-c", "import socket, json"], account, 20)
            return path
        except LabError:
            continue
    raise LabError(f"no Python that {account.name} can run: install the package python3")


def _program(build_dir: str, name: str, folder: str = "bin") -> str:
    path = os.path.join(build_dir, folder, name)
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is missing: run ./dev build")
    return path
