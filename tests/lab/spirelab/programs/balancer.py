"""Spreads TCP connections over the SPIRE servers, as the service in front of them does."""

from __future__ import annotations

import argparse
import selectors
import socket

_CHUNK = 65536
_CONNECT_SECONDS = 1.0


class Balancer:
    """One listener, two sockets per connection, no limits: the lab has two agents."""

    def __init__(self, port: int, targets: list[int]) -> None:
        self._targets = targets
        self._turn = 0
        self._selector = selectors.DefaultSelector()
        self._peer: dict[socket.socket, socket.socket] = {}
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(64)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._pump(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = self._connect()
        if server is None:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.settimeout(5.0)
            self._peer[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _connect(self) -> socket.socket | None:
        for _ in self._targets:
            port = self._targets[self._turn % len(self._targets)]
            self._turn += 1
            try:
                return socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
            except OSError:
                continue
        return None

    def _pump(self, source: socket.socket) -> None:
        target = self._peer.get(source)
        if target is None:
            return  # closed by its peer in this very round
        try:
            data = source.recv(_CHUNK)
            if data:
                target.sendall(data)
                return
        except OSError:
            pass
        for one in (source, target):
            self._peer.pop(one, None)
            self._selector.unregister(one)
            one.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("targets", type=int, nargs="+")
    options = parser.parse_args()
    Balancer(options.listen, options.targets).run()


if __name__ == "__main__":
    main()
