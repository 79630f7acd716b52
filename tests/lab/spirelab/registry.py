"""SPIRE's registry, changed as an operator would and asked without SPIRE: real or simulated.

The simulator has no database. Beside it the rows, and the events of their changes, are written here
as SPIRE writes them.
"""

from __future__ import annotations

import json

from spirelab.database import database_of
from spirelab.errors import LabError
from spirelab.spire_config import TRUST_DOMAIN
from spirelab.stage import Lab

_MASS = f"spiffe://{TRUST_DOMAIN}/mass/"
_NODE = f"spiffe://{TRUST_DOMAIN}/node/agent-0"
_STAMPS = "now(), now()"

# What holds an identity, in an order that needs no cascade; the schema's version is left.
TABLES = ("registered_entries", "selectors", "dns_names", "federated_registration_entries",
          "registered_entries_events", "attested_node_entries", "node_resolver_map_entries",
          "attested_node_entries_events", "bundles", "federated_trust_domains", "join_tokens",
          "ca_journals")


class Registry:
    """The entries and agents in the lab's database."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._postgres = database_of(lab)

    def populate(self) -> None:
        """Beside the simulator: something to lose."""
        if self._lab.real is not None:
            return
        self._insert(10, f"spiffe://{TRUST_DOMAIN}/fleet/")
        self._insert(2, f"spiffe://{TRUST_DOMAIN}/node/")
        self._sql(
            "INSERT INTO attested_node_entries (created_at, updated_at, spiffe_id, data_type, "
            "serial_number, expires_at, new_serial_number, can_reattest, agent_version) "
            f"SELECT {_STAMPS}, 'spiffe://{TRUST_DOMAIN}/spire/agent/' || n, 'x509pop', n::text, "
            "now() + interval '1 hour', '', true, '1.15.3' FROM generate_series(1, 2) n;\n"
            "INSERT INTO attested_node_entries_events (created_at, updated_at, spiffe_id) "
            f"SELECT {_STAMPS}, spiffe_id FROM attested_node_entries;")

    def create(self, count: int) -> None:
        """That many new entries."""
        if self._lab.real is None:
            self._insert(count, _MASS)
            return
        self._lab.real.create_entries([
            {"spiffe_id": f"{_MASS}{number}", "parent_id": _NODE,
             "selectors": [{"type": "unix", "value": f"uid:{70000 + number}"}]}
            for number in range(count)])

    def delete(self) -> None:
        """Those that `create` made, by the API: each deletion is an event."""
        if self._lab.real is None:
            self._sql("WITH gone AS (DELETE FROM registered_entries WHERE "
                      f"spiffe_id LIKE '{_MASS}%' RETURNING entry_id) "
                      "INSERT INTO registered_entries_events (created_at, updated_at, entry_id) "
                      f"SELECT {_STAMPS}, entry_id FROM gone;")
            return
        ids = self._postgres.run_sql("SELECT entry_id FROM registered_entries WHERE "
                                     f"spiffe_id LIKE '{_MASS}%';", "spire").split()
        self._lab.real.delete_entries(ids)

    def delete_behind(self) -> None:
        """The fleets' entries, by SQL and behind SPIRE's back: no event says so."""
        self._sql("DELETE FROM registered_entries WHERE "
                  f"spiffe_id LIKE 'spiffe://{TRUST_DOMAIN}/fleet/%';")

    def empty(self) -> None:
        self._sql("TRUNCATE " + ", ".join(TABLES) + ";")

    def truth(self) -> str:
        """Counted in the primary, and what workloads hold where there are any."""
        text = self._postgres.ask(
            self._postgres.primary,
            "SELECT (SELECT count(*) FROM registered_entries) || ' entries, ' || "
            "(SELECT count(*) FROM attested_node_entries) || ' agents, event ' || "
            "(SELECT coalesce(max(id)::text, 'none') FROM registered_entries_events)", "spire")
        held = self._held()
        return (text or "no answer") + (f", {held}" if held else "")

    def serials(self) -> str:
        """The certificates of the agents: other ones once each agent has renewed."""
        return self._postgres.ask(
            self._postgres.primary,
            "SELECT string_agg(serial_number, ',' ORDER BY id) FROM attested_node_entries", "spire")

    def _held(self) -> str:
        if self._lab.real is None:
            return ""
        try:
            states = self._lab.real.workloads()
        except (LabError, json.JSONDecodeError):
            return ""
        held = sum(int(state["x509_held"]) for state in states.values())
        agents = sum(self._lab.spire(member).running() for member in self._lab.plan.agents())
        return f"{held} SVIDs held, {agents} of {len(self._lab.plan.agents())} agents run"

    def _insert(self, count: int, prefix: str) -> None:
        self._sql(
            "WITH made AS (INSERT INTO registered_entries (created_at, updated_at, entry_id, "
            "spiffe_id, parent_id, ttl, admin, downstream, expiry, revision_number, store_svid, "
            f"hint, jwt_svid_ttl) SELECT {_STAMPS}, gen_random_uuid()::text, '{prefix}' || n, "
            f"'{_NODE}', 0, false, false, 0, 0, false, '', 0 FROM generate_series(1, {count}) n "
            "RETURNING id, entry_id), chosen AS (INSERT INTO selectors (created_at, updated_at, "
            f"registered_entry_id, type, value) SELECT {_STAMPS}, id, 'unix', 'uid:70000' "
            "FROM made) INSERT INTO registered_entries_events (created_at, updated_at, entry_id) "
            f"SELECT {_STAMPS}, entry_id FROM made;")

    def _sql(self, text: str) -> None:
        self._postgres.run_sql("SET ROLE spire;\n" + text, "spire")
