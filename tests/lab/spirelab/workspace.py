"""The lab's own folder: short, because a unix socket's path holds 107 bytes at most."""

from __future__ import annotations

import os
import shutil
import tempfile

from spirelab.account import Account
from spirelab.errors import LabError

SOCKET_PATH_LIMIT = 107
_PREFIX = "spire-lab-"
_PID_FILE = "lab.pid"
_PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
# What a program of the lab may need below the folder, at its longest.
_LONGEST_SOCKET = "server-0/sidecar/dogstatsd.sock"


class Workspace:
    """Makes the folder, gives out places in it, removes it."""

    def __init__(self, account: Account, wanted: str | None = None) -> None:
        self._account = account
        if wanted is None:
            parent = _short_parent()
            remove_leftovers(parent, account.uid)
            self.root = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
        else:
            self.root = os.path.abspath(wanted)
            if os.path.exists(self.root) and (not os.path.isdir(self.root)
                                              or os.listdir(self.root)):
                raise LabError(f"--dir {wanted}: is not an empty folder; the lab removes what is "
                               "in its folder, so it wants one of its own")
            os.makedirs(self.root, exist_ok=True)
        longest = os.path.join(self.root, _LONGEST_SOCKET)
        if len(longest) > SOCKET_PATH_LIMIT:
            os.rmdir(self.root)
            raise LabError(f"--dir {self.root}: too long for a unix socket by "
                           f"{len(longest) - SOCKET_PATH_LIMIT} bytes")
        # Workloads run as users of their own and must reach the agents' sockets.
        os.chmod(self.root, 0o755)
        account.own(self.root)
        self.write(_PID_FILE, f"{os.getpid()}\n")

    def folder(self, name: str, mode: int = 0o755) -> str:
        """A folder of the lab's user."""
        path = os.path.join(self.root, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        self._account.own(path)
        return path

    def write(self, name: str, text: str, mode: int = 0o640) -> str:
        """A file of the lab's user; returns its path."""
        path = os.path.join(self.root, name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        self._account.own(path)
        return path

    def program(self, path: str, under: str = "bin") -> str:
        """A path under which the lab's user can run the program; copied when it cannot reach it."""
        if self._account.can_reach(path):
            return path
        target = os.path.join(self.folder(under), os.path.basename(path))
        shutil.copyfile(path, target)
        os.chmod(target, 0o755)
        return target

    def helpers(self) -> str:
        """Folder with the lab's own small programs, readable by every user."""
        folder = self.folder("helpers")
        for name in os.listdir(_PROGRAMS):
            target = os.path.join(folder, name)
            # Written once: whoever starts one while it is written again runs an empty program.
            if name.endswith(".py") and not os.path.exists(target):
                shutil.copyfile(os.path.join(_PROGRAMS, name), target)
                os.chmod(target, 0o644)
        return folder

    def disown(self) -> None:
        """Keeps the folder: no later lab takes it for a leftover."""
        os.remove(os.path.join(self.root, _PID_FILE))

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def remove_leftovers(parent: str, uid: int) -> list[str]:
    """Removes the folders of labs that were killed before they could; returns what was removed.

    The programs of such a lab are gone: the kernel ends them with it.
    """
    removed = []
    for name in os.listdir(parent):
        folder = os.path.join(parent, name)
        if not name.startswith(_PREFIX) or os.path.islink(folder):
            continue
        try:
            if os.stat(folder).st_uid != uid:
                continue
            with open(os.path.join(folder, _PID_FILE), encoding="ascii") as file:
                owner = int(file.read())
        except (OSError, ValueError):
            continue  # being made by another lab right now, or kept without its owner's mark
        if not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _short_parent() -> str:
    """/tmp unless TMPDIR is short enough and ours to use."""
    wanted = os.environ.get("TMPDIR", "/tmp")
    return wanted if len(wanted) <= 40 and os.access(wanted, os.W_OK | os.X_OK) else "/tmp"
