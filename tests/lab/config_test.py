"""Rendering of configuration files, and the plan they come from."""

import dataclasses
import json
import os
import random
import socket
import tempfile
import unittest

from spirelab import spire_config
from spirelab.account import Account
from spirelab.errors import LabError
from spirelab.monitoring import alertmanager_config, parse_notification, prometheus_config
from spirelab.plan import AGENTS, SERVERS, make_plan
from spirelab.ports import PortPicker, ephemeral_start, is_free
from spirelab.postgres import host_access, primary_settings
from spirelab.sidecar import render_config
from spirelab.spire_config import AgentConfig, Fleet, ServerConfig, Telemetry
from spirelab.workspace import Workspace, remove_leftovers

_TELEMETRY = Telemetry(9988, ("unix:///run/a.sock", "127.0.0.1:8125"))


class PortsTest(unittest.TestCase):
    def test_ports_are_distinct_and_below_the_ephemeral_range(self) -> None:
        picker = PortPicker(random.Random(7))
        ports = [picker.take() for _ in range(50)]
        self.assertEqual(len(set(ports)), 50)
        if ephemeral_start() >= 19000:
            self.assertLess(max(ports), ephemeral_start())

    def test_a_port_with_a_listener_of_either_kind_is_not_free(self) -> None:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as taken:
                taken.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    taken.listen(1)
                self.assertFalse(is_free(taken.getsockname()[1]))

    def test_an_unreadable_range_falls_back_to_the_kernels_default(self) -> None:
        self.assertEqual(ephemeral_start("/nonexistent"), 32768)


class PlanTest(unittest.TestCase):
    def setUp(self) -> None:
        self.plan = make_plan("/tmp/spire-lab-x", PortPicker())

    def test_cast(self) -> None:
        self.assertEqual(len(self.plan.servers()), SERVERS)
        self.assertEqual(len(self.plan.agents()), AGENTS)

    def test_both_kinds_of_stream_are_played_by_both_roles_together(self) -> None:
        kinds = {member.stream_listen.split(":")[0] for member in self.plan.members}
        self.assertEqual(kinds, {"udp", "unixgram"})

    def test_only_the_tee_stands_between_spire_and_a_sidecar(self) -> None:
        for member in self.plan.members:
            sent = member.stream_send.removeprefix("unix://")
            heard = member.stream_listen.split("://")[1]
            self.assertEqual(sent == heard, member.tee_ports is None, member.name)

    def test_no_port_is_used_twice(self) -> None:
        ports = [self.plan.prometheus_port, self.plan.alertmanager_port, self.plan.receiver_port]
        for member in self.plan.members:
            ports += [member.health_port, member.prometheus_port, member.web_port]
            ports += [member.api_port] if member.api_port else []
            ports += member.tee_ports or ()
            ports += [member.service_port, *member.server_links] if member.server_links else []
        self.assertEqual(len(ports), len(set(ports)))


class SpireConfigTest(unittest.TestCase):
    def test_quotes_and_backslashes_survive(self) -> None:
        self.assertEqual(spire_config.quote('a"b\\c'), '"a\\"b\\\\c"')

    def test_server_has_both_databases_both_attestors_and_all_telemetry(self) -> None:
        text = ServerConfig(8081, "/s/api.sock", "/s/data", "host=primary", "host=standby",
                            "/ca.crt", 8080, _TELEMETRY).render()
        for part in ('connection_string = "host=primary"', 'ro_connection_string = "host=standby"',
                     'NodeAttestor "join_token"', 'ca_bundle_path = "/ca.crt"', "port = 9988",
                     '{ address = "unix:///run/a.sock" }, { address = "127.0.0.1:8125" }',
                     'ca_ttl = "24m"', 'default_x509_svid_ttl = "4m"', 'agent_ttl = "6m"',
                     'default_jwt_svid_ttl = "2m"', 'bind_port = "8080"'):
            self.assertIn(part, text)
        self.assertEqual(text.count("{"), text.count("}"))

    def test_server_has_its_own_keys_or_those_of_a_program(self) -> None:
        own = ServerConfig(8081, "/s/api.sock", "/s/data", "", "", "/ca.crt", 8080, _TELEMETRY)
        self.assertIn('keys_path = "/s/data/keys.json"', own.render())
        text = dataclasses.replace(own, key_manager=("/keys", "/s/k.sock", "/s/signing")).render()
        self.assertIn('plugin_cmd = "/keys"\n    plugin_args = ["/s/k.sock", "/s/signing"]', text)
        self.assertNotIn("keys_path", text)
        self.assertEqual(text.count("{"), text.count("}"))

    def test_agent_attests_with_what_it_is_given(self) -> None:
        token = AgentConfig(1, "/a/api.sock", "/a/admin/admin.sock", "/a", "/b.pem", 2,
                            _TELEMETRY, "secret").render()
        self.assertIn('join_token = "secret"', token)
        self.assertIn('NodeAttestor "join_token"', token)
        proof = AgentConfig(1, "/a/api.sock", "/a/admin/admin.sock", "/a", "/b.pem", 2, _TELEMETRY,
                            certificate="/c.crt", key="/c.key").render()
        self.assertNotIn("join_token", proof)
        self.assertIn('certificate_path = "/c.crt"', proof)

    def test_every_identity_has_an_entry_on_every_node(self) -> None:
        fleets = [Fleet("alpha", 61000, ("api", "web")), Fleet("beta", 61001, ("pay",))]
        found = spire_config.entries(fleets, ["agent-0", "agent-1"], "agent-1",
                                     109)["entries"]
        assert isinstance(found, list)
        self.assertEqual(len(found), 1 + (3 + 1) * 2)
        self.assertEqual(found[0]["selectors"][0]["type"], "x509pop")
        pay = [one for one in found if one["spiffe_id"].endswith("/fleet/beta/pay")]
        self.assertEqual({one["selectors"][0]["value"] for one in pay}, {"uid:61001"})
        self.assertEqual(len({one["parent_id"] for one in pay}), 2)


class OtherConfigTest(unittest.TestCase):
    def setUp(self) -> None:
        self.plan = make_plan("/tmp/spire-lab-x", PortPicker())

    def test_prometheus_scrapes_every_sidecar_under_its_name(self) -> None:
        config = json.loads(prometheus_config(self.plan, ["/r/a.rules.yaml"]))
        targets = config["scrape_configs"][0]["static_configs"]
        self.assertEqual({target["labels"]["instance"] for target in targets},
                         {member.name for member in self.plan.members})
        self.assertEqual(config["global"]["scrape_interval"], "5s")
        self.assertEqual(config["rule_files"], ["/r/a.rules.yaml"])

    def test_alertmanager_calls_the_receiver(self) -> None:
        config = json.loads(alertmanager_config(self.plan))
        url = config["receivers"][0]["webhook_configs"][0]["url"]
        self.assertEqual(url, f"http://127.0.0.1:{self.plan.receiver_port}/")

    def test_sidecar_listens_where_the_plan_says(self) -> None:
        for member in self.plan.members:
            text = render_config(member, "lab.example", {})
            self.assertIn(f"role: {member.role}\n", text)
            self.assertIn(f'listen: ["{member.stream_listen}"]', text)
            self.assertIn(f'url: "http://127.0.0.1:{member.prometheus_port}/"', text)

    def test_postgres_is_on_loopback_and_asks_for_passwords(self) -> None:
        self.assertIn("listen_addresses = '127.0.0.1'", primary_settings(5, "/d"))
        self.assertNotIn("trust", host_access())

    def test_notification(self) -> None:
        body = json.dumps({"alerts": [{"status": "firing", "labels": {
            "alertname": "A", "instance": "server-0", "severity": "warning"},
            "annotations": {"summary": "s"}}]}).encode()
        page = parse_notification(body, 5.0)[0]
        self.assertEqual((page.name, page.instance, page.status, page.severity, page.summary),
                         ("A", "server-0", "firing", "warning", "s"))
        with self.assertRaises(ValueError):
            parse_notification(b"{", 5.0)


class WorkspaceTest(unittest.TestCase):
    def test_a_folder_too_long_for_a_socket_is_refused(self) -> None:
        me = Account("me", 0, 0, switch=False)
        with self.assertRaisesRegex(LabError, "too long for a unix socket"):
            Workspace(me, "/tmp/" + "x" * 100)

    def test_a_folder_with_something_in_it_is_refused(self) -> None:
        me = Account("me", 0, 0, switch=False)
        with self.assertRaisesRegex(LabError, "not an empty folder"):
            Workspace(me, "/etc")

    def test_a_helper_that_may_run_is_not_written_again(self) -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as parent:
            place = Workspace(Account("me", os.getuid(), os.getgid(), switch=False),
                              os.path.join(parent, "lab"))
            helper = os.path.join(place.helpers(), "balancer.py")
            with open(helper, "w", encoding="ascii") as file:
                file.write("runs")
            place.helpers()
            with open(helper, encoding="ascii") as file:
                self.assertEqual(file.read(), "runs")

    def test_only_folders_of_dead_labs_are_removed(self) -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as parent:
            for name, pid in (("spire-lab-dead", "999999999"), ("spire-lab-live", str(os.getpid())),
                              ("spire-lab-new", None), ("other", "999999999")):
                os.mkdir(os.path.join(parent, name))
                if pid is not None:
                    with open(os.path.join(parent, name, "lab.pid"), "w",
                              encoding="ascii") as file:
                        file.write(pid)
            removed = remove_leftovers(parent, os.getuid())
            self.assertEqual(removed, [os.path.join(parent, "spire-lab-dead")])
            self.assertEqual(sorted(os.listdir(parent)),
                             ["other", "spire-lab-live", "spire-lab-new"])
            self.assertEqual(remove_leftovers(parent, os.getuid() + 1), [])


if __name__ == "__main__":
    unittest.main()
