"""What a page and a log must never tell: the real program beside servers and agents with true identities."""

from __future__ import annotations

import json
import pathlib
import re
import unittest

from harness import Exporter, ExporterTestCase, wait_for
from simulated_spire import CANARY, DOMAIN, ENTRY, SimulatedSpire

SECRETS = ("hunter2-of-the-database", "9d3e-join-token", "vault-token-of-e2e", "KEYPATH-OF-E2E")
PERSONS = ("an-admin-of-e2e", "a-delegate-of-e2e", "api-caller-of-e2e")
SERVER_CONF = f"""
server {{
    bind_address = "127.0.0.1"
    bind_port = "8081"
    trust_domain = "{DOMAIN}"
    data_dir = "/run/spire/data"
    default_x509_svid_ttl = "4m"
    audit_log_enabled = true
    admin_ids = ["spiffe://{DOMAIN}/{PERSONS[0]}"]
}}
plugins {{
    DataStore "sql" {{ plugin_data {{
        database_type = "postgres"
        connection_string = "host=db user=spire password={SECRETS[0]}"
    }} }}
    UpstreamAuthority "vault" {{ plugin_data {{ token_auth {{ token = "{SECRETS[2]}" }} }} }}
    KeyManager "disk" {{ plugin_data {{ keys_path = "/{SECRETS[3]}" }} }}
}}
"""
AGENT_CONF = f"""
agent {{
    trust_domain = "{DOMAIN}"
    server_address = "127.0.0.1"
    server_port = "8081"
    join_token = "{SECRETS[1]}"
    authorized_delegates = ["spiffe://{DOMAIN}/{PERSONS[1]}"]
}}
plugins {{
    NodeAttestor "join_token" {{ plugin_data {{}} }}
    KeyManager "disk" {{ plugin_data {{ directory = "/{SECRETS[3]}" }} }}
    WorkloadAttestor "unix" {{ plugin_data {{}} }}
}}
"""
AUDIT = {
    "authorized_as": "admin", "authorized_via": "local", "caller_addr": "127.0.0.1:52014", "caller_uid": 4711,
    "caller_id": f"spiffe://{DOMAIN}/{PERSONS[2]}", "level": "info", "method": "BatchCreateEntry",
    "msg": "API accessed", "request_id": "5d90fdff", "selectors": "unix:uid:4711", "service": "entry.v1.Entry",
    "spiffe_id": f"spiffe://{DOMAIN}/{ENTRY}", "status": "success", "subsystem_name": "api", "type": "audit",
}  # fmt: skip


def word(text: str) -> str:
    """A pattern for a number that stands alone, and is not some digits of another."""
    return rf"(?<![0-9a-z.]){re.escape(text)}(?![0-9a-z])"


def told(text: str, needles: dict[str, str]) -> list[str]:
    """Which of the needles, patterns by what they are, a text has on which line, in whatever case."""
    patterns = {what: re.compile(needle, re.IGNORECASE) for what, needle in needles.items()}
    return [
        f"{what} in: {line}"
        for line in text.splitlines()
        for what, pattern in patterns.items()
        if pattern.search(line)
    ]


class PrivacyTest(ExporterTestCase):
    def setUp(self) -> None:
        super().setUp()
        for name, text in (("server.conf", SERVER_CONF), ("agent.conf", AGENT_CONF), ("audit.log", "")):
            (self.folder / name).write_text(text)

    def sidecar(self, role: str, spire: SimulatedSpire, more: str) -> Exporter:
        """Before its SPIRE is started, whose telemetry then finds the sidecar's socket; at level info."""
        config = spire.server_sidecar(more) if role == "server" else spire.agent_sidecar(more)
        (self.folder / role).mkdir()
        exporter = Exporter(self.folder / role, config, "--log.level=info")
        self.addCleanup(exporter.close)
        return exporter

    def needles(self, spire: SimulatedSpire) -> dict[str, str]:
        serials = spire.serials()
        # Above SPIRE, agent, two workloads: what one could not get, nobody would look for.
        self.assertGreaterEqual(len(serials), 4)
        found: dict[str, str] = {}
        for serial in serials:
            padded = f"{serial:x}".zfill(len(f"{serial:x}") + len(f"{serial:x}") % 2)
            found[f"the serial {serial}"] = word(str(serial))
            found[f"the serial {serial} as hex"] = rf"(?<![1-9a-z.])(0x)?0*{serial:x}(?![0-9a-z])"
            found[f"the serial {serial} with colons"] = ":".join(re.findall("..", padded))
        found |= {"a SPIFFE ID": "spiffe://", "a selector": "unix:uid", "a token": "eyJ"}
        for path in (CANARY, ENTRY, *PERSONS, *SECRETS, *spire.issued_paths("agent")):
            found[f"the name {path}"] = re.escape(path)
        return found

    @staticmethod
    def peers(spire: SimulatedSpire) -> dict[str, str]:
        """Sockets of the peers, as a label's value could have them."""
        ports = (spire.port, spire.health, spire.metrics, spire.agent_health, spire.agent_metrics, 52014)
        found = {f"the port {port}": rf'[:"]{port}"' for port in ports}
        return found | {f"the path {path}": re.escape(str(path)) for path in (spire.workload_socket, spire.admin_socket)}

    def test_finds_what_is_planted(self) -> None:
        spire = SimulatedSpire(self.folder)
        self.addCleanup(spire.close)
        spire.start()
        needles = self.needles(spire) | self.peers(spire)
        serial = max(spire.serials())
        planted = (
            f'a_total{{serial="{serial}"}} 1', f'a_total{{serial="{serial:X}"}} 1', f'a{{id="spiffe://{DOMAIN}/x"}} 1',
            f"level=info path=/{ENTRY}", 'a{selector="unix:uid:0"} 1', 'level=info token="eyJhbGciOi"',
            f'a{{peer="127.0.0.1:{spire.port}"}} 1', f'a{{port="{spire.port}"}} 1', f"level=warn error={SECRETS[0]}",
        )  # fmt: skip
        for line in planted:
            with self.subTest(line):
                self.assertTrue(told("other_total 1\n" + line, needles))
        self.assertEqual(told('spire_svid_state{kind="canary"} 1.795e+09', needles), [])

    def test_no_page_and_no_log_names_an_identity_or_a_peer(self) -> None:
        audit = self.folder / "audit.log"
        spire = SimulatedSpire(self.folder)
        self.addCleanup(spire.close)
        server = self.sidecar("server", spire, f'spire_config: {{server: "{self.folder}/server.conf", '
                              f'audit_log: "{audit}", audit_interval: 1s}}\n')  # fmt: skip
        agent = self.sidecar("agent", spire, f'spire_config: {{agent: "{self.folder}/agent.conf"}}\n')
        spire.start()
        self.saw_everything(server, agent, audit)
        pages = {
            "the server's page": server.page().text,
            "the agent's page": agent.page().text,
        }
        needles = self.needles(spire)
        for what, text in pages.items():
            self.assertEqual(told(text, needles | self.peers(spire)), [], what)
        # What fails is logged: the same holds of it.
        spire.close()
        wait_for("the outage", lambda: agent.page().get("spire_outage_issuing", state="no") == 1, 60)
        for what, text in (("the server's page", server.page().text), ("the agent's page", agent.page().text)):
            self.assertEqual(told(text, needles | self.peers(spire)), [], what)
        for what, sidecar in (("the server's log", server), ("the agent's log", agent)):
            self.assertIn("level=info", sidecar.text())
            self.assertIn("level=warn", sidecar.text(), "something failed and nothing was said")
            self.assertEqual(told(sidecar.text(), needles), [], what)

    def saw_everything(self, server: Exporter, agent: Exporter, audit: pathlib.Path) -> None:
        """Several rounds of every collector, with values of each: a page that is empty tells nothing."""
        wait_for("the look at the log", lambda: server.page().get("spire_audit_file_state", state="read") == 1)
        with audit.open("a") as log:
            log.write(json.dumps(AUDIT) + "\n")
        wait_for("the audit line", lambda: server.page().get("spire_audit_lines_total", kind="audit") == 1)
        for exporter, wanted in (
            (server, [("spire_config_findings", {"rule": "admin_ids"}),
                      ("spire_upstream_chain_expiry_timestamp_seconds", {}),
                      ("spire_reach_verdict", {})]),
            (agent, [("spire_outage_runway_seconds", {"source": "cache"}),
                     ("spire_outage_runway_seconds", {"source": "bound"}),
                     ("spire_svid_remaining_ratio", {"kind": "canary"}),
                     ("spire_cache_svids", {})]),
        ):  # fmt: skip
            for name, labels in wanted:
                wait_for(f"{name} {labels}", lambda e=exporter, n=name, ls=labels: e.page().all(n, **ls))
        for exporter, target in ((server, "servers"), (agent, "servers"), (agent, "canary")):
            for _ in range(2):
                last = self.last_round(exporter, target)
                wait_for(f"a round of {target}", lambda e=exporter, t=target, b=last: self.last_round(e, t) > b)

    @staticmethod
    def last_round(exporter: Exporter, target: str) -> float:
        name = "spire_exporter_collector_last_success_timestamp_seconds"
        return exporter.page().get(name, collector="svid", target=target) or 0


if __name__ == "__main__":
    unittest.main()
