"""Spreads TCP connections over servers, as the service in front of them does."""

from __future__ import annotations

import argparse
import selectors
import socket

_CHUNK = 65536
_CONNECT_SECONDS = 1.0


class Balancer:
    """Two sockets per connection, no limits: the lab has two agents."""

    def __init__(self, routes: list[tuple[int, list[int]]]) -> None:
        self._turn = 0
        self._selector = selectors.DefaultSelector()
        self._peer: dict[socket.socket, socket.socket] = {}
        self._targets: dict[socket.socket, list[int]] = {}
        for port, targets in routes:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
            self._targets[listener] = targets
            self._selector.register(listener, selectors.EVENT_READ)

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj in self._targets:
                    self._accept(key.fileobj)
                else:
                    self._pump(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        server = self._connect(self._targets[listener])
        if server is None:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.settimeout(5.0)
            self._peer[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _connect(self, targets: list[int]) -> socket.socket | None:
        for _ in targets:
            port = targets[self._turn % len(targets)]
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


def _route(text: str) -> tuple[int, list[int]]:
    port, targets = text.split(":")
    return int(port), [int(target) for target in targets.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--route", type=_route, action="append", required=True,
                        help="PORT:TARGET[,TARGET...]")
    Balancer(parser.parse_args().route).run()


if __name__ == "__main__":
    main()
