"""The printed rights on a real PostgreSQL, and a real SPIRE that migrates its tables under them."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import unittest

from harness import PROGRAM, SOURCE, ExporterTestCase, wait_for
from postgres_server import PostgresServer, free_port


def spire_server() -> str | None:
    folder = os.environ.get("SPIRE_BIN_DIR")
    if folder and os.access(pathlib.Path(folder) / "spire-server", os.X_OK):
        return str(pathlib.Path(folder) / "spire-server")
    return shutil.which("spire-server")


class GrantsTestCase(ExporterTestCase):
    tls = False

    def setUp(self) -> None:
        super().setUp()
        self.server = PostgresServer(self.tls)
        self.addCleanup(self.server.close)
        self.server.sql("CREATE ROLE spire LOGIN", database="postgres")
        self.server.sql("CREATE DATABASE spire OWNER spire", database="postgres")

    def make_tables(self, version: int) -> None:
        text = (SOURCE / f"tests/testdata/spire_schema_{version}.sql").read_text()
        self.server.sql(text, "spire")

    def grants(self, *flags: str) -> str:
        done = subprocess.run([PROGRAM, "grants", *flags], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def refusal(self, statement: str, user: str) -> str:
        done = self.server.psql(statement, user)
        self.assertNotEqual(done.returncode, 0, f"{user} may: {statement}")
        return done.stderr


class Grants(GrantsTestCase):
    def test_what_is_printed_gives_the_least_rights_and_takes_them_away(self) -> None:
        self.make_tables(25)
        self.server.sql(self.grants("--connection-limit=2"))
        watcher = "spire_exporter"
        self.assertEqual(self.server.sql("SELECT max(version) FROM public.migrations", watcher), "25")
        self.assertIn("permission denied", self.refusal("SELECT token FROM public.join_tokens", watcher))
        self.server.sql(self.grants("--level=2"))
        self.assertEqual(self.server.sql("SELECT schema_version FROM spire_exporter.versions()", watcher), "25")
        self.assertIn("permission denied", self.refusal("SELECT id FROM public.migrations", watcher))
        self.server.sql(self.grants("--remove"))
        self.assertEqual(self.server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'spire_exporter'"), "0")
        self.server.sql(self.grants("--remove"))

    def test_a_wrong_database_changes_nothing_and_says_so(self) -> None:
        done = self.server.psql(self.grants("--role=watcher"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("schema public of database spire has no table registered_entries", done.stderr)
        self.assertEqual(self.server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'watcher'"), "0")

    def test_a_wrong_flag_ends_with_two(self) -> None:
        for flag in ("--level=3", "--postgres-version=11", "--role=a$b", "--no-such-flag"):
            done = self.run_once("grants", flag)
            self.assertEqual((done.returncode, done.stdout), (2, ""), flag)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


class Check(GrantsTestCase):
    tls = True

    def check(self, conninfo: str) -> tuple[int, str]:
        file = self.folder / "rw.conninfo"
        file.write_text(f"host=127.0.0.1 port={self.server.port} dbname=spire {conninfo}\n")
        config = self.folder / "check.yaml"
        config.write_text(f"postgres:\n  nodes:\n    - {{name: rw, conninfo_file: {file}, expect: primary}}\n")
        done = self.run_once("check", f"--config.file={config}", "--role=standalone", "--no-collector.telemetry")
        return done.returncode, done.stdout

    def test_what_check_asks_for_is_what_grants_gives(self) -> None:
        self.make_tables(25)
        self.server.sql("CREATE ROLE spire_exporter LOGIN")
        well = f"user=spire_exporter sslrootcert={self.server.certificate}"  # verify-full by default
        code, text = self.check(well)
        self.assertEqual(code, 1, text)
        self.assertIn("may read nothing of SPIRE's tables", text)
        self.assertIn("has no pg_read_all_stats", text)
        self.assertIn("spire-exporter grants --level=1 --role=spire_exporter | psql -X -d spire -f -", text)
        for level, words in (("1", "level 1: "), ("2", "level 2: ")):
            self.server.sql(self.grants(f"--level={level}"))
            code, text = self.check(well)
            self.assertEqual(code, 0, text)
            self.assertIn(words, text)
            self.assertRegex(text, r"ok +postgres rw/0 +PostgreSQL \S+, a primary, TLSv1\.3, as role spire_exporter")

    def test_it_names_too_much_power_and_a_certificate_that_is_not_trusted(self) -> None:
        self.make_tables(25)
        code, text = self.check("user=postgres sslmode=require")
        self.assertEqual(code, 1)
        self.assertIn("role postgres is SUPERUSER", text)
        self.assertIn("reads join_tokens.token, which makes its bearer an agent", text)
        code, text = self.check("user=postgres sslrootcert=/nonexistent")
        self.assertEqual(code, 1)
        self.assertIn("sslrootcert", text)
        self.assertIn("see postgres rw/0", text)


@unittest.skipUnless(spire_server(), "no spire-server in SPIRE_BIN_DIR or PATH")
class RealMigration(GrantsTestCase):
    """SPIRE 1.15 takes tables of schema 23 to 25 by adding columns; later ones do what they do."""

    def start_spire(self) -> None:
        program = spire_server()
        assert program
        data = self.folder / "spire"
        data.mkdir()
        config = data / "server.conf"
        config.write_text(
            f'server {{\n  bind_address = "127.0.0.1"\n  bind_port = "{free_port()}"\n'
            f'  socket_path = "{self.folder}/api.sock"\n  trust_domain = "example.org"\n'
            f'  data_dir = "{data}"\n}}\nplugins {{\n  DataStore "sql" {{\n    plugin_data {{\n'
            '      database_type = "postgres"\n      connection_string = "host=127.0.0.1 '
            f'port={self.server.port} dbname=spire user=spire sslmode=disable"\n    }}\n  }}\n'
            '  KeyManager "memory" {\n    plugin_data {}\n  }\n'
            '  NodeAttestor "join_token" {\n    plugin_data {}\n  }\n}\n'
        )
        log = open(data / "log", "wb")
        process = subprocess.Popen([program, "run", "-config", str(config)], stdout=log, stderr=log)
        self.addCleanup(log.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def healthy() -> bool:
            assert process.poll() is None, (data / "log").read_text()
            command = [program, "healthcheck", "-socketPath", f"{self.folder}/api.sock"]
            return subprocess.run(command, capture_output=True).returncode == 0

        wait_for("spire-server to be healthy", healthy, 60)

    def test_a_migration_runs_under_both_levels(self) -> None:
        self.make_tables(23)
        self.server.sql(self.grants("--level=1", "--role=watcher_1"))
        self.server.sql(self.grants("--level=2", "--role=watcher_2"))
        column = "SELECT agent_version FROM public.attested_node_entries"
        self.assertIn("does not exist", self.refusal(column, "watcher_1"))
        self.start_spire()
        self.assertGreaterEqual(int(self.server.sql("SELECT version FROM public.migrations", "watcher_1")), 25)
        # What was granted before still holds, and SPIRE writes under it.
        self.assertEqual(self.server.sql("SELECT count(data) FROM public.ca_journals", "watcher_1"), "1")
        ask = "SELECT schema_version >= 25 FROM spire_exporter.versions()"
        self.assertEqual(self.server.sql(ask, "watcher_2"), "t")
        self.server.sql("SELECT * FROM spire_exporter.agent_totals()", "watcher_2")
        # A column that the migration made needs a new grant.
        self.assertIn("permission denied", self.refusal(column, "watcher_1"))
        self.server.sql(self.grants("--level=1", "--role=watcher_1"))
        self.server.sql(column, "watcher_1")
        for role in ("watcher_1", "watcher_2"):
            self.server.sql(self.grants("--remove", f"--role={role}"))
        self.assertEqual(self.server.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'watcher%'"), "0")

    def test_spire_makes_its_tables_beside_the_functions(self) -> None:
        """As after a database was emptied: the rights are there first."""
        self.make_tables(25)
        self.server.sql(self.grants("--level=2", "--role=watcher_2"))
        tables = self.server.sql("SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables WHERE schemaname = 'public'")
        self.server.sql(f"DROP TABLE {tables}", "spire")
        self.assertIn("does not exist", self.refusal("SELECT * FROM spire_exporter.versions()", "watcher_2"))
        self.start_spire()
        version = self.server.sql("SELECT schema_version FROM spire_exporter.versions()", "watcher_2")
        self.assertGreaterEqual(int(version), 25)


if __name__ == "__main__":
    unittest.main()
