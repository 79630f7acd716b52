"""SPIRE's configuration files, as text. Pure functions: what goes in comes out the same."""

from __future__ import annotations

from dataclasses import dataclass

TRUST_DOMAIN = "lab.example"
# What the agents' sidecars may ask for, which proves that identities are issued.
CANARY_PATH = "canary"
CANARY = f"spiffe://{TRUST_DOMAIN}/{CANARY_PATH}"
CA_TTL = "24m"
AGENT_TTL = "6m"
X509_TTL = "4m"
JWT_TTL = "2m"


def quote(text: str) -> str:
    """A string of HCL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Telemetry:
    """Where SPIRE's telemetry goes."""

    prometheus_port: int
    dogstatsd: tuple[str, ...]

    def render(self) -> str:
        addresses = ", ".join(f"{{ address = {quote(address)} }}" for address in self.dogstatsd)
        return ("telemetry {\n"
                '  Prometheus {\n    host = "127.0.0.1"\n'
                f"    port = {self.prometheus_port}\n  }}\n"
                f"  DogStatsd = [{addresses}]\n"
                "}\n")


def health_block(port: int) -> str:
    return ("health_checks {\n  listener_enabled = true\n"
            f'  bind_address = "127.0.0.1"\n  bind_port = "{port}"\n'
            '  live_path = "/live"\n  ready_path = "/ready"\n}\n')


@dataclass(frozen=True)
class ServerConfig:
    """One SPIRE server."""

    port: int
    socket: str
    data: str
    primary: str
    standby: str
    node_ca: str
    health_port: int
    telemetry: Telemetry
    key_manager: tuple[str, ...] = ()  # a program of the lab's own and its arguments

    def render(self) -> str:
        return (
            "server {\n"
            '  bind_address = "127.0.0.1"\n'
            f'  bind_port = "{self.port}"\n'
            f"  socket_path = {quote(self.socket)}\n"
            f"  trust_domain = {quote(TRUST_DOMAIN)}\n"
            f"  data_dir = {quote(self.data)}\n"
            '  log_level = "INFO"\n'
            f'  ca_ttl = "{CA_TTL}"\n'
            f'  default_x509_svid_ttl = "{X509_TTL}"\n'
            f'  default_jwt_svid_ttl = "{JWT_TTL}"\n'
            f'  agent_ttl = "{AGENT_TTL}"\n'
            "}\n"
            "plugins {\n"
            '  DataStore "sql" {\n    plugin_data {\n'
            '      database_type = "postgres"\n'
            f"      connection_string = {quote(self.primary)}\n"
            f"      ro_connection_string = {quote(self.standby)}\n"
            "    }\n  }\n"
            + self._keys() +
            '  NodeAttestor "join_token" {\n    plugin_data {}\n  }\n'
            '  NodeAttestor "x509pop" {\n    plugin_data {\n'
            f"      ca_bundle_path = {quote(self.node_ca)}\n    }}\n  }}\n"
            "}\n" + self.telemetry.render() + health_block(self.health_port))

    def _keys(self) -> str:
        if self.key_manager:
            program, *arguments = self.key_manager
            return ('  KeyManager "lab" {\n'
                    f"    plugin_cmd = {quote(program)}\n"
                    f"    plugin_args = [{', '.join(quote(word) for word in arguments)}]\n"
                    "    plugin_data {}\n  }\n")
        return ('  KeyManager "disk" {\n    plugin_data {\n'
                f"      keys_path = {quote(self.data + '/keys.json')}\n    }}\n  }}\n")


@dataclass(frozen=True)
class AgentConfig:
    """One SPIRE agent; `certificate` and `key` choose x509pop, else `join_token` is used."""

    server_port: int
    socket: str
    admin_socket: str
    data: str
    trust_bundle: str
    health_port: int
    telemetry: Telemetry
    join_token: str = ""
    certificate: str = ""
    key: str = ""

    def render(self) -> str:
        if self.certificate:
            attestor = ('  NodeAttestor "x509pop" {\n    plugin_data {\n'
                        f"      private_key_path = {quote(self.key)}\n"
                        f"      certificate_path = {quote(self.certificate)}\n    }}\n  }}\n")
        else:
            attestor = '  NodeAttestor "join_token" {\n    plugin_data {}\n  }\n'
        token = f"  join_token = {quote(self.join_token)}\n" if self.join_token else ""
        return (
            "agent {\n"
            '  server_address = "127.0.0.1"\n'
            f'  server_port = "{self.server_port}"\n'
            f"  socket_path = {quote(self.socket)}\n"
            f"  admin_socket_path = {quote(self.admin_socket)}\n"
            f"  trust_domain = {quote(TRUST_DOMAIN)}\n"
            f"  trust_bundle_path = {quote(self.trust_bundle)}\n"
            f"  data_dir = {quote(self.data)}\n"
            '  log_level = "INFO"\n' + token +
            "}\n"
            "plugins {\n"
            '  KeyManager "disk" {\n    plugin_data {\n'
            f"      directory = {quote(self.data)}\n    }}\n  }}\n" + attestor +
            '  WorkloadAttestor "unix" {\n    plugin_data {}\n  }\n'
            "}\n" + self.telemetry.render() + health_block(self.health_port))


@dataclass(frozen=True)
class Fleet:
    """Workloads of one kind: `names` of their identities and the uid that owns them all."""

    name: str
    uid: int
    names: tuple[str, ...]

    def spiffe_ids(self) -> list[str]:
        return [f"spiffe://{TRUST_DOMAIN}/fleet/{self.name}/{name}" for name in self.names]


def entries(fleets: list[Fleet], node_names: list[str], x509pop_name: str,
            sidecar_uid: int) -> dict[str, object]:
    """The registration entries, in the form of `spire-server entry create -data`."""
    found: list[dict[str, object]] = [{
        "spiffe_id": f"spiffe://{TRUST_DOMAIN}/node/{x509pop_name}",
        "parent_id": f"spiffe://{TRUST_DOMAIN}/spire/server",
        "selectors": [{"type": "x509pop", "value": f"subject:cn:{x509pop_name}"}],
    }]
    for fleet in fleets:
        for spiffe_id in fleet.spiffe_ids():
            for node in node_names:
                found.append({
                    "spiffe_id": spiffe_id,
                    "parent_id": f"spiffe://{TRUST_DOMAIN}/node/{node}",
                    "selectors": [{"type": "unix", "value": f"uid:{fleet.uid}"}],
                })
    for node in node_names:
        found.append({
            "spiffe_id": CANARY,
            "parent_id": f"spiffe://{TRUST_DOMAIN}/node/{node}",
            "selectors": [{"type": "unix", "value": f"uid:{sidecar_uid}"}],
        })
    return {"entries": found}
