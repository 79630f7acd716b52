"""Passes datagrams on and keeps a copy: the raw truth the sidecar's histograms are held against.

Each record is the time of arrival (little-endian double, seconds since the epoch), the length
(little-endian uint32) and the datagram.
"""

from __future__ import annotations

import argparse
import socket
import struct
import time

_BUFFER = 4 << 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True, help="UDP port on 127.0.0.1")
    parser.add_argument("--forward", type=int, required=True, help="UDP port on 127.0.0.1")
    parser.add_argument("--record", required=True)
    options = parser.parse_args()
    incoming = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    incoming.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    incoming.bind(("127.0.0.1", options.listen))
    outgoing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target = ("127.0.0.1", options.forward)
    with open(options.record, "ab", buffering=0) as record:
        while True:
            datagram = incoming.recv(65536)
            try:
                outgoing.sendto(datagram, target)
            except OSError:
                pass  # nobody listens: the ledger must notice, not we
            record.write(struct.pack("<dI", time.time(), len(datagram)) + datagram)


if __name__ == "__main__":
    main()
