"""Starts, watches, signals and surely ends the programs of the lab."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field

from spirelab.account import Account
from spirelab.errors import LabError
from spirelab.wait import Deadline

# Handed on from our own environment; everything else would make runs differ between machines.
_KEPT_VARIABLES = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
_STOP_SECONDS = 6.0


def clean_environment(home: str) -> dict[str, str]:
    """Environment of every program in the lab."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    kept.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    return kept | {"LC_ALL": "C", "TZ": "UTC", "HOME": home}


@dataclass
class Program:
    """What to run: kept so that a scenario can start it again as it was."""

    name: str
    argv: list[str]
    account: Account
    log_path: str
    environment: dict[str, str] = field(default_factory=dict)
    # The signal the kernel sends when the lab dies; PostgreSQL cleans up its memory on QUIT.
    death_signal: str = "KILL"
    stop_signal: int = signal.SIGTERM


class Process:
    """One running program in a session of its own."""

    def __init__(self, program: Program, directory: str) -> None:
        self.program = program
        self._directory = directory
        self._child: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        if self._child is None:
            raise LabError(f"{self.name} was never started")
        return self._child.pid

    def start(self) -> None:
        """Starts it (again). Only from the main thread: the death signal follows the thread."""
        argv = self.program.account.prefix(self.program.death_signal) + self.program.argv
        with open(self.program.log_path, "ab") as log:
            try:
                self._child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._directory,
                    env=clean_environment(self._directory) | self.program.environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise LabError(f"cannot start {self.name}: {argv[0]}: {error.strerror}") from error
        self.starts += 1

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def must_run(self) -> None:
        """Raises with the end of its log when it has ended."""
        if not self.running():
            code = None if self._child is None else self._child.returncode
            raise LabError(f"{self.name} ended early ({describe_exit(code)}):\n{self.log_tail(6)}")

    def signal(self, number: int) -> None:
        """Sends a signal to the program and what it started; a dead one is left in peace."""
        if self._child is None or self._child.poll() is not None:
            return
        try:
            os.killpg(self._child.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within the time."""
        if self._child is None:
            return True
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL, and gone when this returns."""
        self.signal(signal.SIGKILL)
        if not self.wait(_STOP_SECONDS):
            raise LabError(f"{self.name} (pid {self.pid}) survived SIGKILL")

    def log_tail(self, lines: int) -> str:
        """Last lines of its log, indented; empty when there is none."""
        try:
            with open(self.program.log_path, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 16384))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def resident_bytes(self) -> int | None:
        """Resident memory of the program itself, None when it is gone."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith("VmRSS:"):
                        return int(line.split()[1]) * 1024
        except (OSError, ValueError):
            return None
        return None


def describe_exit(code: int | None) -> str:
    """`exit 1`, `SIGKILL`, `never started`."""
    if code is None:
        return "never started"
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Supervisor:
    """Owns every process of the lab, in order of their start."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._processes: list[Process] = []

    def start(self, program: Program) -> Process:
        process = Process(program, self._directory)
        self._processes.append(process)
        process.start()
        return process

    def all(self) -> list[Process]:
        return list(self._processes)

    def find(self, name: str) -> Process:
        for process in self._processes:
            if process.name == name:
                return process
        raise LabError(f"no process is called {name}")

    def stop_all(self) -> list[str]:
        """Ends everything, last started first; names of those that had to be killed."""
        killed = []
        for process in reversed(self._processes):
            # A stopped process would not see the stop signal.
            process.signal(signal.SIGCONT)
            process.signal(process.program.stop_signal)
        deadline = Deadline(_STOP_SECONDS)
        for process in reversed(self._processes):
            if not process.wait(max(0.05, deadline.remaining())):
                killed.append(process.name)
                process.kill()
        self._processes.clear()
        return killed


def run_tool(
    argv: list[str],
    account: Account | None,
    seconds: float,
    environment: dict[str, str] | None = None,
    directory: str = "/",
    text_in: str | None = None,
    with_errors: bool = False,
) -> str:
    """Runs a short command to its end and returns what it printed; LabError with its last words.

    `with_errors` adds what it printed to standard error.
    """
    full = (account.prefix() if account is not None else []) + argv
    env = clean_environment(directory) | (environment or {})
    started = time.monotonic()
    try:
        done = subprocess.run(
            full, capture_output=True, text=True, timeout=seconds, cwd=directory, env=env,
            input=text_in, stdin=None if text_in is not None else subprocess.DEVNULL, check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is missing") from error
    except subprocess.TimeoutExpired as error:
        spent = time.monotonic() - started
        raise LabError(f"{os.path.basename(argv[0])} {argv[1:2]} hung for {spent:.0f} s") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise LabError(f"{os.path.basename(argv[0])} failed ({describe_exit(done.returncode)}): "
                       + " / ".join(words))
    return done.stdout + done.stderr if with_errors else done.stdout
