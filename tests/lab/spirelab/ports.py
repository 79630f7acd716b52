"""Free ports on 127.0.0.1, each given out once."""

from __future__ import annotations

import random
import socket

from spirelab.errors import LabError

# Below this nobody listens by chance but services with a fixed place.
_LOWEST = 18000
_DEFAULT_EPHEMERAL_START = 32768


def ephemeral_start(path: str = "/proc/sys/net/ipv4/ip_local_port_range") -> int:
    """First port the kernel may give to an outgoing connection."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL_START


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether both a TCP listener and a UDP socket could be bound to the port right now."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


class PortPicker:
    """Gives out ports below the ephemeral range.

    A port from the ephemeral range ("port 0") could be taken by any outgoing connection between
    our look and the start of the program that gets it; below that range only another listener can.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        top = ephemeral_start()
        if top - _LOWEST < 1000:
            candidates = list(range(_LOWEST, 60000))
        else:
            candidates = list(range(_LOWEST, top))
        (rng or random.Random()).shuffle(candidates)
        self._candidates = candidates

    def take(self) -> int:
        """A port nobody listens on and that this picker has not given out before."""
        while self._candidates:
            port = self._candidates.pop()
            if is_free(port):
                return port
        raise LabError("no free port left on 127.0.0.1")
