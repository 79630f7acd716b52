"""A PostgreSQL of a test's own: in a folder, on a loopback port, gone with the test."""

from __future__ import annotations

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import wait_for


def programs() -> pathlib.Path:
    """PG_BIN_DIR, or the newest that Debian has installed."""
    given = os.environ.get("PG_BIN_DIR")
    if given:
        return pathlib.Path(given)
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    assert found, "PostgreSQL is missing: install the package postgresql"
    return pathlib.Path(max(found, key=lambda path: int(path.split("/")[4]))).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """Everybody on the loopback is trusted; the superuser is `postgres`."""

    def __init__(self, tls: bool = False) -> None:
        self.programs = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="se-pg-", dir="/tmp"))
        self.prefix = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:  # which PostgreSQL refuses
            names = {user.pw_name: user for user in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.prefix += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        self.port = free_port()
        data = self.folder / "data"
        self._tool("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with open(data / "postgresql.conf", "a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\n"
                f"port = {self.port}\nfsync = off\nshared_buffers = 16MB\n"
            )
        if tls:
            self._use_tls(data)
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [*self.prefix, self.programs / "postgres", "-D", data], stdout=self.log, stderr=self.log, cwd=self.folder
        )
        wait_for("PostgreSQL to answer", lambda: self.psql("SELECT 1", database="postgres").returncode == 0)

    def _tool(self, name: str, *arguments: object) -> None:
        command = [*self.prefix, self.programs / name, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def _use_tls(self, data: pathlib.Path) -> None:
        """With a certificate for 127.0.0.1 that signs itself: `certificate`."""
        self.certificate = data / "server.crt"
        command = [
            *self.prefix, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=db", "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(self.certificate),
            "-keyout", str(data / "server.key"),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)
        with open(data / "postgresql.conf", "a") as settings:
            settings.write("ssl = on\n")

    def psql(self, text: str, user: str = "postgres", database: str = "spire") -> subprocess.CompletedProcess[str]:
        """Hands the text to `psql -f -`, as an operator would."""
        command = [self.programs / "psql", "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", user]
        return subprocess.run(
            [*command, "-d", database, "-v", "ON_ERROR_STOP=1", "-f", "-"], input=text, capture_output=True, text=True
        )

    def sql(self, text: str, user: str = "postgres", database: str = "spire") -> str:
        done = self.psql(text, user, database)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once; what it holds is thrown away
        self.process.wait(timeout=30)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
