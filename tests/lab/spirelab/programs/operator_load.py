"""What an operator's tools do all day: reads bundle, entries and agents of one SPIRE server."""

from __future__ import annotations

import argparse
import time

import grpc_client as grpc

# (calls per round, method, message). A page of five: listing must not become the load itself.
_ROUND = [
    (4, "/spire.api.server.bundle.v1.Bundle/GetBundle", b""),
    (2, "/spire.api.server.entry.v1.Entry/ListEntries", grpc.number_field(3, 5)),
    (1, "/spire.api.server.agent.v1.Agent/ListAgents", grpc.number_field(3, 5)),
]


def play_round(connection: grpc.Connection, pause: float) -> None:
    for times, method, message in _ROUND:
        for _ in range(times):
            connection.unary(method, message, [])
            time.sleep(pause)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--pause", type=float, default=0.15)
    options = parser.parse_args()
    while True:
        try:
            connection = grpc.Connection(options.socket, 5.0)
            try:
                while True:
                    play_round(connection, options.pause)
            finally:
                connection.close()
        except grpc.GrpcError:
            time.sleep(0.5)


if __name__ == "__main__":
    main()
