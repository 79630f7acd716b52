"""Quantiles of what SPIRE really sent, and how far a histogram's answer may stand from them."""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from dataclasses import dataclass
from typing import Iterable, Iterator

_HEAD = struct.Struct("<dI")
_MILLISECONDS = 0.001


@dataclass(frozen=True)
class Timing:
    """One observed RPC."""

    at: float  # seconds since the epoch
    service: str
    method: str
    status: str
    seconds: float

    @property
    def series(self) -> tuple[str, str, str]:
        """What tells its series apart on a sidecar's page."""
        return self.service, self.method, self.status


def read_record(data: bytes) -> Iterator[tuple[float, bytes]]:
    """Datagrams of a tee's record; a record cut off at the end (still being written) is left."""
    at = 0
    while at + _HEAD.size <= len(data):
        when, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if at + size > len(data):
            return
        yield when, data[at:at + size]
        at += size


def rpc_timings(datagrams: Iterable[tuple[float, bytes]]) -> Iterator[Timing]:
    """Timers of RPCs: `spire_server.rpc.<service>.<method>.elapsed_time:<ms>|ms|#status:OK,...`."""
    for when, datagram in datagrams:
        for line in datagram.split(b"\n"):
            timing = parse_timing(when, line)
            if timing is not None:
                yield timing


def parse_timing(when: float, line: bytes) -> Timing | None:
    """None for every line that is no RPC timer."""
    text = line.decode("utf-8", "replace")
    head, _, rest = text.partition(":")
    words = head.split(".")
    if len(words) < 5 or words[1] != "rpc" or words[-1] != "elapsed_time":
        return None
    parts = rest.split("|")
    if len(parts) < 2 or parts[1] != "ms":
        return None
    status = ""
    for part in parts[2:]:
        if part.startswith("#"):
            for tag in part[1:].split(","):
                name, _, value = tag.partition(":")
                if name == "status":
                    status = value
    try:
        seconds = float(parts[0]) * _MILLISECONDS
    except ValueError:
        return None
    return Timing(when, ".".join(words[2:-2]), words[-2], status, seconds)


def read_truth(lines: Iterable[str]) -> list[Timing]:
    """RPC timers of the simulator's record: time, wire type, key, status and value by tabs."""
    found = []
    for line in lines:
        fields = line.split("\t")
        if len(fields) != 5 or fields[1] != "ms":
            continue
        tag = "" if fields[3] == "-" else f"|#status:{fields[3]}"
        timing = parse_timing(float(fields[0]), f"{fields[2]}:{fields[4]}|ms{tag}".encode())
        if timing is not None:
            found.append(timing)
    return found


def bucket_of(value: float, bounds: list[float]) -> int:
    """Index of the bucket that counts the value; `bounds` are sorted upper bounds without +Inf."""
    return bisect_left(bounds, value)


def quantile_range(values: list[float], quantile: float, slack: int) -> tuple[float, float]:
    """Least and greatest value the quantile can have when `slack` observations came or went.

    The window of a query ends between two observations that may belong to either side; each of
    them moves the rank by one at most.
    """
    ordered = sorted(values)
    rank = math.ceil(quantile * len(ordered)) - 1
    low = max(0, rank - slack)
    high = min(len(ordered) - 1, rank + slack)
    return ordered[low], ordered[high]


def within_one_bucket(answer: float, truth: tuple[float, float], bounds: list[float]) -> bool:
    """Whether the histogram's answer lies in a bucket of the truth or in one next to it."""
    if math.isnan(answer):
        return False
    found = bucket_of(answer, bounds)
    # An answer from the +Inf bucket is given as the highest finite bound.
    return (bucket_of(truth[0], bounds) - 1 <= found <= bucket_of(truth[1], bounds) + 1)
