"""How many series a page has, by profile: the real program beside servers and agents with true identities."""

from __future__ import annotations

import re
import unittest

from harness import Exporter, ExporterTestCase, wait_for
from simulated_spire import SimulatedSpire

FILES = {
    "server": 'server { trust_domain = "e2e.example" data_dir = "/d" }\n'
    'plugins { DataStore "sql" { plugin_data { database_type = "postgres" } } }\n',
    "agent": 'agent { trust_domain = "e2e.example" server_address = "s" data_dir = "/d" }\n'
    'plugins { NodeAttestor "x509pop" { plugin_data {} } WorkloadAttestor "unix" { plugin_data {} } }\n',
}
# By role and profile: all series of a page, which stands for as many in Prometheus.
BARS = {
    ("agent", "minimal"): 60,
    ("agent", "standard"): 400,
    ("server", "minimal"): 300,
    ("server", "standard"): 1000,
    ("server", "full"): 1000,
    ("agent", "full"): 1000,
}
# What pages somebody, and so has to be in each profile.
NEEDED = {
    "agent": (
        "spire_outage_runway_seconds", "spire_outage_first_expiry_timestamp_seconds", "spire_outage_issuing",
        "spire_outage_comeback", "spire_reach_verdict", "spire_canary_issuing",
        "spire_exporter_collector_success",
    ),
    "server": ("spire_reach_verdict", "spire_exporter_collector_success"),
}  # fmt: skip


class PageSizeTest(ExporterTestCase):
    def sidecar(self, role: str, spire: SimulatedSpire) -> Exporter:
        (self.folder / role).mkdir()
        (self.folder / f"{role}.conf").write_text(FILES[role])
        more = f'spire_config: {{{role}: "{self.folder}/{role}.conf"}}\n'
        config = spire.server_sidecar(more) if role == "server" else spire.agent_sidecar(more)
        exporter = Exporter(self.folder / role, "profile: full\n" + config, profile="")
        self.addCleanup(exporter.close)
        return exporter

    def page_in(self, exporter: Exporter, profile: str) -> dict[str, float]:
        """The page once the profile is in force: the same process has seen the same in each."""
        text = exporter.config_file.read_text()
        exporter.config_file.write_text(re.sub("^profile: .*", f"profile: {profile}", text))
        self.assertEqual(exporter.request("/-/reload", "POST")[0], 200)
        return exporter.page().samples

    def test_the_pages_stay_small(self) -> None:
        spire = SimulatedSpire(self.folder, svid_ttl="30s")
        self.addCleanup(spire.close)
        sidecars = {role: self.sidecar(role, spire) for role in ("server", "agent")}
        spire.start()
        for source in ("bound", "cache", "ledger"):
            wait_for(
                f"the runway by {source}",
                lambda s=source: sidecars["agent"].page().all("spire_outage_runway_seconds", source=s), 60,
            )  # fmt: skip
        wait_for("a token", lambda: sidecars["agent"].page().get("spire_canary_issuing") == 1)
        wait_for("the server's port", lambda: sidecars["server"].page().get("spire_reach_verdict", verdict="all_serving") == 1)
        for role, exporter in sidecars.items():
            self.hold(role, exporter)
        # Failures have series of their own, and this is the hour that counts.
        spire.close()
        wait_for("the outage", lambda: sidecars["agent"].page().get("spire_outage_issuing", state="no") == 1, 60)
        for role, exporter in sidecars.items():
            self.hold(role, exporter)

    def hold(self, role: str, exporter: Exporter) -> None:
        sizes = {}
        for profile in ("minimal", "standard", "full"):
            samples = self.page_in(exporter, profile)
            sizes[profile] = len(samples)
            names = {sample.split("{", 1)[0] for sample in samples}
            self.assertEqual([name for name in NEEDED[role] if name not in names], [], (role, profile))
            self.assertLessEqual(len(samples), BARS[role, profile], "\n".join([role, profile, *samples]))
        self.assertLess(sizes["minimal"], sizes["standard"])
        self.assertLess(sizes["standard"], sizes["full"])


if __name__ == "__main__":
    unittest.main()
