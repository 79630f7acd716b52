"""Small HTTP client: short deadlines, loopback only, no proxies."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class WebError(Exception):
    """No answer, or not the wanted one."""


def get(url: str, seconds: float = 3.0, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """Body and content type of a 200 answer."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with _OPENER.open(request, timeout=seconds) as answer:
            return answer.read().decode("utf-8", "replace"), answer.headers.get("Content-Type", "")
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise WebError(f"{url}: {error}") from error


def post(url: str, body: str, seconds: float = 3.0) -> None:
    """WebError unless it is taken."""
    request = urllib.request.Request(url, data=body.encode("utf-8"), method="POST")
    try:
        with _OPENER.open(request, timeout=seconds):
            pass
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise WebError(f"{url}: {error}") from error


def status(url: str, seconds: float = 2.0) -> int:
    """Status code; 0 when there is no answer."""
    try:
        with _OPENER.open(url, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, OSError, ValueError):
        return 0


def get_json(url: str, query: dict[str, str] | None = None, seconds: float = 5.0) -> Any:
    """Parsed body of a JSON answer."""
    full = url + ("?" + urllib.parse.urlencode(query) if query else "")
    body, _ = get(full, seconds)
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise WebError(f"{url}: no JSON") from error
