"""One fleet on one node: holds X.509-SVIDs by stream and asks for JWT-SVIDs at a rate.

Writes what it holds as JSON into a file once a second, for the lab's summary and checks.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time

import der
import grpc_client as grpc

_METADATA = [("workload.spiffe.io", "true")]
# Expired tokens never leave the agent's cache by themselves, so audiences come back: the ring is
# longer than the lifetime of a token divided by the interval between two calls.
_RING_SECONDS = 180.0


class State:
    """Counters of all threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: dict[str, float] = {
            "x509_updates": 0, "x509_failures": 0, "x509_held": 0, "x509_at": 0.0, "x509_ends": 0.0,
            "jwt_ok": 0, "jwt_failed": 0, "jwt_at": 0.0}
        self.last_error = ""
        self.served = threading.Event()

    def add(self, name: str, step: float = 1) -> None:
        with self.lock:
            self.values[name] += step

    def put(self, name: str, value: float) -> None:
        with self.lock:
            self.values[name] = value

    def fail(self, name: str, error: Exception) -> None:
        with self.lock:
            self.values[name] += 1
            self.last_error = str(error)

    def write(self, path: str) -> None:
        with self.lock:
            text = json.dumps(self.values | {"last_error": self.last_error})
        half_done = path + ".new"
        with open(half_done, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(half_done, path)


def _ends(svid: bytes) -> float:
    """When an SVID of a message ends."""
    return min(der.first_not_after(chain) for number, chain in grpc.fields(svid) if number == 2)


def hold_x509(path: str, state: State) -> None:
    """Keeps one X.509 stream open, as a workload does."""
    while True:
        try:
            connection = grpc.Connection(path, 5.0)
            try:
                for message in connection.stream("/SpiffeWorkloadAPI/FetchX509SVID", b"",
                                                 _METADATA, patience=600.0):
                    held = [svid for number, svid in grpc.fields(message) if number == 1]
                    state.add("x509_updates")
                    state.put("x509_held", len(held))
                    state.put("x509_ends", min(_ends(svid) for svid in held))
                    state.put("x509_at", time.time())
                    state.served.set()
                raise grpc.GrpcError("no identity issued")
            finally:
                connection.close()
        except grpc.GrpcError as error:
            state.fail("x509_failures", error)
            time.sleep(1.0)


def ask_for_tokens(path: str, spiffe_id: str, interval: float, state: State) -> None:
    """Asks for a JWT-SVID of one identity again and again, on a connection that stays."""
    connection: grpc.Connection | None = None
    ring = max(1, int(_RING_SECONDS / interval))
    turn = 0
    state.served.wait()  # before the agent's first sync there is no identity to ask for
    due = time.monotonic()
    while True:
        due = max(due + interval, time.monotonic() - interval)
        request = grpc.text_field(1, f"audience-{turn % ring}") + grpc.text_field(2, spiffe_id)
        turn += 1
        try:
            if connection is None:
                connection = grpc.Connection(path, 5.0)
            connection.unary("/SpiffeWorkloadAPI/FetchJWTSVID", request, _METADATA)
            state.add("jwt_ok")
            state.put("jwt_at", time.time())
        except grpc.GrpcError as error:
            state.fail("jwt_failed", error)
            if connection is not None:
                connection.close()
            connection = None
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("spiffe_id", nargs="+")
    options = parser.parse_args()
    state = State()
    jobs = [threading.Thread(target=hold_x509, args=(options.socket, state), daemon=True)]
    for spiffe_id in options.spiffe_id:
        jobs.append(threading.Thread(target=ask_for_tokens, daemon=True,
                                     args=(options.socket, spiffe_id, options.interval, state)))
    for job in jobs:
        job.start()
    while True:
        state.write(options.state)
        time.sleep(1.0)


if __name__ == "__main__":
    main()
