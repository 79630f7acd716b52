"""The end of a certificate's validity, read from its DER without a library (RFC 5280, 4.1)."""

from __future__ import annotations

import calendar


def first_not_after(chain: bytes) -> float:
    """Unix time at which the first certificate of `chain` ends; ValueError when it is none."""
    _, certificate, _ = _element(chain, 0)
    _, to_be_signed, _ = _element(certificate, 0)
    at = 0
    tag, _, after = _element(to_be_signed, at)
    if tag == 0xA0:  # the version, which may be left out
        at = after
    for _ in range(3):  # serial number, signature algorithm, issuer
        _, _, at = _element(to_be_signed, at)
    _, validity, _ = _element(to_be_signed, at)
    _, _, at = _element(validity, 0)
    tag, text, _ = _element(validity, at)
    return _time(tag, text.decode("ascii"))


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content, and where the next one begins."""
    if at + 2 > len(data):
        raise ValueError("cut off")
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[at:at + count], "big")
        at += count
    if at + size > len(data):
        raise ValueError("cut off")
    return tag, data[at:at + size], at + size


def _time(tag: int, text: str) -> float:
    """UTCTime has two digits of the year, GeneralizedTime four."""
    if tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    parts = (text[:4], text[4:6], text[6:8], text[8:10], text[10:12], text[12:14])
    year, month, day, hour, minute, second = (int(part) for part in parts)
    return float(calendar.timegm((year, month, day, hour, minute, second)))
