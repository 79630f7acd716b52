"""SPIRE's tables beside the simulator, which has no database: what a server and an agent of a
version would do to them when they start."""

from __future__ import annotations

import os

from spirelab.options import REPOSITORY
from spirelab.plan import Member
from spirelab.postgres import Postgres
from spirelab.spire_config import TRUST_DOMAIN

_FOLDER = os.path.join(REPOSITORY, "tests", "testdata")
_FILES = {23: "spire_schema_23.sql", 24: "spire_schema_23.sql", 25: "spire_schema_25.sql"}
_STEPS = {24: "ALTER TABLE attested_node_entries ADD COLUMN agent_version text;",
          25: "ALTER TABLE registered_entries ADD COLUMN additional_attributes bytea;"}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def schema_of(version: str) -> int:
    """The schema that a version of 1.8 and later makes (its migration.go)."""
    return {14: 24, 15: 25}.get(numbers(version)[1], 23)


class SimulatedTables:
    """The tables as the first server makes them, and as later ones leave them."""

    def __init__(self, postgres: Postgres, version: str) -> None:
        self._postgres = postgres
        self._highest = version
        self._schema = schema_of(version)
        file = _FILES[self._schema]
        postgres.load_tables(os.path.join(_FOLDER, file))
        if self._schema == 24:
            self._sql(_STEPS[24])
        self._mark()

    def server_starts(self, version: str) -> bool:
        """Whether it would run, by SPIRE's rule; if so, the tables are as it leaves them."""
        known = schema_of(version)
        if self._schema > known:
            return abs(numbers(self._highest)[1] - numbers(version)[1]) <= 1
        for step in range(self._schema + 1, known + 1):
            self._sql(_STEPS[step])
        self._schema = known
        if numbers(version) > numbers(self._highest):
            self._highest = version
        self._mark()
        return True

    def agent_starts(self, member: Member, attestor: str, version: str) -> None:
        """It posts its version at its start; servers keep it from 1.14 on."""
        column, value = (", agent_version", f", '{version}'") if self._schema >= 24 else ("", "")
        self._sql(
            "INSERT INTO attested_node_entries (created_at, updated_at, spiffe_id, data_type, "
            f"serial_number, expires_at, can_reattest{column}) VALUES (now(), now(), "
            f"'spiffe://{TRUST_DOMAIN}/spire/agent/{attestor}/{member.name}', '{attestor}', '1', "
            f"now() + interval '1 hour', {attestor == 'x509pop'}{value}) "
            "ON CONFLICT (spiffe_id) DO UPDATE SET updated_at = now()"
            + (", agent_version = excluded.agent_version;" if column else ";"))

    def _mark(self) -> None:
        self._sql(f"UPDATE migrations SET version = {self._schema}, "
                  f"code_version = '{self._highest}';")

    def _sql(self, text: str) -> None:
        self._postgres.run_sql("SET ROLE spire;\n" + text, "spire")
