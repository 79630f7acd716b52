"""The user the lab's programs run as: never root. PostgreSQL refuses it, and nothing needs it."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass

from spirelab.errors import LabError

# Users every Debian has, best first. `postgres` comes with PostgreSQL.
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user and group to run a program as; `switch` is false when we already are that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    def prefix(self, death_signal: str = "KILL") -> list[str]:
        """Command prefix: become this user and die when the lab dies, however it dies."""
        words = ["setpriv", "--pdeathsig", death_signal]
        if self.switch:
            words += ["--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups",
                      "--inh-caps=-all"]
        return words + ["--"]

    def own(self, path: str) -> None:
        """Gives a file or folder to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: str) -> bool:
        """Whether the user may walk to the file and read and execute it."""
        if not self.switch:
            return os.access(path, os.R_OK | os.X_OK)
        current = os.path.realpath(path)
        if not self._allows(current, 0o5):
            return False
        while current != "/":
            current = os.path.dirname(current)
            if not self._allows(current, 0o1):
                return False
        return True

    def _allows(self, path: str, bits: int) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return False
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & bits == bits


def lab_account() -> Account:
    """The unprivileged user of the lab: ourselves, or a stand-in when we are root."""
    if shutil.which("setpriv") is None:
        raise LabError("setpriv is missing: install the package util-linux")
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=False)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, switch=True)
    raise LabError("PostgreSQL refuses to run as root and neither `postgres` nor `nobody` exists")


def fleet_account(lab: Account, offset: int) -> Account:
    """The user of one fleet's workloads: a uid of its own where we may choose, else our own."""
    if not lab.switch:
        return lab
    uid = 61000 + offset
    return Account(f"uid-{uid}", uid, uid, switch=True)
