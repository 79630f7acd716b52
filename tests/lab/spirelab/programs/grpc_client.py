"""A gRPC client of a few lines for unix sockets: enough to put load on SPIRE's local APIs.

HTTP/2 without TLS (RFC 9113), headers sent as literals without indexing (RFC 7541 6.2.2). Answers'
headers are not decoded: a call that ends without a message has failed, whatever the reason.
"""

from __future__ import annotations

import socket
import struct
from typing import Iterator

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_BIG_WINDOW = 1 << 24


class GrpcError(Exception):
    """The call or the connection failed."""


def _string(text: str) -> bytes:
    data = text.encode("ascii")
    length = len(data)
    if length < 127:
        return bytes([length]) + data
    length -= 127
    out = bytearray([127])
    while length >= 128:
        out.append(length % 128 + 128)
        length //= 128
    out.append(length)
    return bytes(out) + data


def header_block(headers: list[tuple[str, str]]) -> bytes:
    """Header list as literals without indexing."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in headers)


class Connection:
    """One connection; one call at a time, unary or server-streaming. Not for several threads."""

    def __init__(self, path: str, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._buffer = b""
        self._next_stream = 1
        try:
            self._socket.connect(path)
            # Setting 4 is the initial window of each stream: the answers here are small.
            self._socket.sendall(_PREFACE + self._frame(_SETTINGS, 0, 0,
                                                        struct.pack(">HI", 4, _BIG_WINDOW))
                                 + self._frame(_WINDOW_UPDATE, 0, 0,
                                               struct.pack(">I", _BIG_WINDOW)))
        except OSError as error:
            self.close()
            raise GrpcError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def unary(self, method: str, message: bytes, metadata: list[tuple[str, str]]) -> bytes:
        """Answer of one call; GrpcError when it ends without one."""
        for answer in self.stream(method, message, metadata):
            return answer
        raise GrpcError("the call failed")

    def stream(self, method: str, message: bytes,
               metadata: list[tuple[str, str]], patience: float | None = None) -> Iterator[bytes]:
        """Messages of a server stream as they come; ends when the server ends the stream."""
        stream = self._next_stream
        self._next_stream += 2
        headers = [(":method", "POST"), (":scheme", "http"), (":path", method),
                   (":authority", "localhost"), ("content-type", "application/grpc"),
                   ("te", "trailers")] + metadata
        body = b"\x00" + struct.pack(">I", len(message)) + message
        pending = b""
        try:
            self._socket.sendall(
                self._frame(_HEADERS, _END_HEADERS, stream, header_block(headers))
                + self._frame(_DATA, _END_STREAM, stream, body))
            if patience is not None:
                self._socket.settimeout(patience)
            while True:
                kind, flags, owner, payload = self._read_frame()
                if owner not in (0, stream):
                    continue  # the tail of an earlier call
                if kind == _DATA:
                    pending += self._take_data(flags, payload)
                    while len(pending) >= 5:
                        size = struct.unpack(">I", pending[1:5])[0]
                        if len(pending) < 5 + size:
                            break
                        whole, pending = pending[5:5 + size], pending[5 + size:]
                        yield whole
                elif kind == _RST_STREAM:
                    raise GrpcError("stream reset")
                elif kind == _GOAWAY:
                    raise GrpcError("the server closes the connection")
                if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                    return
        except OSError as error:
            raise GrpcError(str(error)) from error

    def _take_data(self, flags: int, payload: bytes) -> bytes:
        if payload:
            update = struct.pack(">I", len(payload))
            self._socket.sendall(self._frame(_WINDOW_UPDATE, 0, 0, update))
        if flags & _PADDED:
            return payload[1:len(payload) - payload[0]]
        return payload

    def _read_frame(self) -> tuple[int, int, int, bytes]:
        """Next frame; settings and pings are answered on the way."""
        while True:
            head = self._read(9)
            length = int.from_bytes(head[:3], "big")
            kind, flags = head[3], head[4]
            stream = int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
            payload = self._read(length)
            if kind == _SETTINGS and not flags & _ACK:
                self._socket.sendall(self._frame(_SETTINGS, _ACK, 0, b""))
            elif kind == _PING and not flags & _ACK:
                self._socket.sendall(self._frame(_PING, _ACK, 0, payload))
            else:
                return kind, flags, stream, payload

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self._socket.recv(65536)
            if not data:
                raise GrpcError("connection closed")
            self._buffer += data
        out, self._buffer = self._buffer[:size], self._buffer[size:]
        return out

    @staticmethod
    def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return (len(payload).to_bytes(3, "big") + bytes([kind, flags])
                + stream.to_bytes(4, "big") + payload)


def text_field(number: int, text: str) -> bytes:
    """A protobuf string field."""
    data = text.encode("utf-8")
    return varint(number << 3 | 2) + varint(len(data)) + data


def number_field(number: int, value: int) -> bytes:
    """A protobuf varint field."""
    return varint(number << 3) + varint(value)


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Length-delimited fields of a protobuf message; others are passed over."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == 0:
            _, at = _read_varint(message, at)
        elif kind == 2:
            size, at = _read_varint(message, at)
            yield key >> 3, message[at:at + size]
            at += size
        elif kind == 1:
            at += 8
        elif kind == 5:
            at += 4
        else:
            raise GrpcError(f"wire type {kind}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise GrpcError("message cut off")
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
