"""Questions to Prometheus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spirelab import web

Labels = dict[str, str]


@dataclass(frozen=True)
class Sample:
    """One series of an instant answer."""

    labels: Labels
    value: float

    def label(self, name: str) -> str:
        return self.labels.get(name, "")


@dataclass(frozen=True)
class Track:
    """One series of a range answer: (seconds since the epoch, value)."""

    labels: Labels
    points: list[tuple[float, float]]


class PrometheusApi:
    """Raises web.WebError when Prometheus does not answer or refuses the query."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/v1"

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """Instant vector, or a scalar as one sample without labels."""
        data = self._ask(expression, at)
        if data["resultType"] == "scalar":
            return [Sample({}, parse_value(data["result"][1]))]
        return [Sample(row["metric"], parse_value(row["value"][1])) for row in data["result"]]

    def raw(self, selector: str, seconds: int, at: float | None = None) -> list[Track]:
        """Stored points of the last seconds, with the times they were scraped at."""
        data = self._ask(f"{selector}[{seconds}s]", at)
        return [Track(row["metric"], [(float(when), parse_value(value))
                                      for when, value in row["values"]])
                for row in data["result"]]

    def rule_groups(self) -> list[dict[str, Any]]:
        return list(self._get("rules", {})["groups"])

    def alerts(self) -> list[dict[str, Any]]:
        return list(self._get("alerts", {})["alerts"])

    def targets(self) -> list[dict[str, Any]]:
        return list(self._get("targets", {"state": "active"})["activeTargets"])

    def _ask(self, expression: str, at: float | None) -> dict[str, Any]:
        query = {"query": expression}
        if at is not None:
            query["time"] = f"{at:.3f}"
        return self._get("query", query)

    def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = web.get_json(f"{self._base}/{path}", query)
        if answer.get("status") != "success":
            raise web.WebError(f"{path}: {answer.get('error', 'refused')}")
        return dict(answer["data"])


def parse_value(text: str) -> float:
    """Prometheus writes NaN and infinities as words, which float() knows."""
    try:
        return float(text)
    except ValueError:
        return math.nan
