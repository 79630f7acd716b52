"""Who is in the lab and on which port: settled once, before anything starts."""

from __future__ import annotations

import os
from dataclasses import dataclass

from spirelab.ports import PortPicker

SERVERS = 3
AGENTS = 2
# The server whose datagrams pass through the tee, so that the raw truth is known.
TEED_SERVER = 1


@dataclass(frozen=True)
class Member:
    """One SPIRE server or agent with its sidecar."""

    name: str
    role: str  # server | agent
    directory: str
    api_port: int  # 0 for an agent
    health_port: int
    prometheus_port: int
    web_port: int
    # Where the sidecar listens and where SPIRE sends; they differ where the tee stands between.
    stream_listen: str
    stream_send: str
    tee_ports: tuple[int, int] | None = None
    # Of an agent: its way to the servers, on which all that leaves its node goes. The first port
    # leads to whichever server answers, as the service in front of them does; the others lead to
    # one server each.
    service_port: int = 0
    server_links: tuple[int, ...] = ()

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}/metrics"

    @property
    def socket(self) -> str:
        """Unix socket of SPIRE's own API (server) or of the Workload API (agent)."""
        return os.path.join(self.directory, "api.sock")

    @property
    def admin_socket(self) -> str:
        """An agent's; SPIRE wants it neither beside nor below the one that workloads see."""
        return os.path.join(os.path.dirname(self.directory), "admin", self.name + ".sock")

    @property
    def network(self) -> str:
        """The program that is an agent's way to the servers."""
        return f"network@{self.name}"

    @property
    def tee_record(self) -> str:
        return os.path.join(self.directory, "datagrams.cap")

    @property
    def truth_file(self) -> str:
        return os.path.join(self.directory, "truth")


@dataclass(frozen=True)
class Plan:
    """The whole cast."""

    members: tuple[Member, ...]
    prometheus_port: int
    alertmanager_port: int
    receiver_port: int

    def servers(self) -> list[Member]:
        return [member for member in self.members if member.role == "server"]

    def agents(self) -> list[Member]:
        return [member for member in self.members if member.role == "agent"]

    def member(self, name: str) -> Member:
        for member in self.members:
            if member.name == name:
                return member
        raise KeyError(name)


def make_plan(root: str, ports: PortPicker) -> Plan:
    """Unix datagram sockets for most; UDP for one server (through the tee) and one agent."""
    members = []
    for role, count in (("server", SERVERS), ("agent", AGENTS)):
        for number in range(count):
            directory = os.path.join(root, f"{role}-{number}")
            tee = None
            if role == "server" and number == TEED_SERVER:
                tee = (ports.take(), ports.take())
                send, listen = f"127.0.0.1:{tee[0]}", f"udp://127.0.0.1:{tee[1]}"
            elif role == "agent" and number == AGENTS - 1:
                port = ports.take()
                send, listen = f"127.0.0.1:{port}", f"udp://127.0.0.1:{port}"
            else:
                path = os.path.join(directory, "sidecar", "dogstatsd.sock")
                send, listen = f"unix://{path}", f"unixgram://{path}"
            members.append(Member(
                name=f"{role}-{number}", role=role, directory=directory,
                api_port=ports.take() if role == "server" else 0, health_port=ports.take(),
                prometheus_port=ports.take(), web_port=ports.take(), stream_listen=listen,
                stream_send=send, tee_ports=tee,
                service_port=ports.take() if role == "agent" else 0,
                server_links=tuple(ports.take() for _ in range(SERVERS)) if role == "agent"
                else ()))
    return Plan(tuple(members), ports.take(), ports.take(), ports.take())
