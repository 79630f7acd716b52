"""What was broken, what the metrics said, which alert came when."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable

from spirelab import names, web
from spirelab.errors import LabError
from spirelab.monitoring import JOB, Page
from spirelab.stage import Lab, Say
from spirelab.wait import Deadline

# What a timeline looks at once a second: title, query, the label that tells series apart.
_WATCHED = (
    ("up", f'up{{job="{JOB}"}}', ""),
    ("collector success", names.COLLECTOR_SUCCESS, "target"),
    ("missing lines", names.MISSING, "listener"),
    ("kernel drops", names.KERNEL_DROPS, "listener"),
)


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: float  # seconds since the first event
    kind: str  # broken | mended | metric | alert | note
    text: str

    def render(self) -> str:
        return f"{self.at:8.1f} s  {self.kind:7} {self.text}"


class Timeline:
    """Collects events and says each at once. Alerts arrive from the receiver's thread."""

    def __init__(self, lab: Lab, say: Say) -> None:
        self._lab = lab
        self._say = say
        self._lock = threading.Lock()
        self._zero = time.monotonic()
        self._events: list[Event] = []
        self._alerts: set[str] = set()
        self._last: dict[str, float] = {}
        self._alert_states: dict[str, str] = {}
        self._measured: dict[str, list[float]] = {}
        self._look(first=True)

    @property
    def elapsed(self) -> int:
        """Whole seconds since the start, at least one: a range for Prometheus."""
        return max(1, int(time.monotonic() - self._zero))

    def add(self, kind: str, text: str) -> None:
        with self._lock:
            event = Event(time.monotonic() - self._zero, kind, text)
            self._events.append(event)
        self._say(event.render())

    def page(self, page: Page) -> None:
        """An alert that reached the receiver."""
        if page.status == "firing":
            with self._lock:
                self._alerts.add(page.name)
        self.add("alert", f"{page.name} {page.status} {page.instance} "
                          f"({page.severity}): {page.summary}")

    def events(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    def alert_names(self) -> set[str]:
        with self._lock:
            return set(self._alerts)

    def measure(self, name: str, value: float) -> None:
        """Keeps a number for the expectations. Only from the scenario's own thread."""
        self._measured.setdefault(name, []).append(value)

    def measured(self, name: str) -> list[float]:
        return list(self._measured.get(name, []))

    def watch(self, seconds: float) -> None:
        """Looks on for a while; changes of the watched metrics become events."""
        self.until(lambda: False, seconds)

    def until(self, condition: Callable[[], bool], seconds: float, what: str = "") -> bool:
        """Looks on until the condition holds. With `what`, the deadline is noted as an event."""
        deadline = Deadline(seconds)
        while not deadline.passed():
            self._look()
            try:
                if condition():
                    return True
            except (web.WebError, LabError):
                pass  # the very thing under test may be away
            time.sleep(min(1.0, deadline.remaining()))
        if what:
            self.add("note", f"{what}: not so after {seconds:g} s")
        return False

    def _look(self, first: bool = False) -> None:
        for title, query, label in _WATCHED:
            try:
                samples = self._lab.prometheus.query(query)
            except web.WebError:
                continue
            for sample in samples:
                series = " ".join(filter(None, [title, sample.label("instance"),
                                                sample.label(label) if label else ""]))
                before = self._last.get(series)
                self._last[series] = sample.value
                if not first and before != sample.value:
                    shown = "appears" if before is None else f"{before:g} ->"
                    self.add("metric", f"{series}: {shown} {sample.value:g}")
        self._look_at_alerts(first)

    def _look_at_alerts(self, first: bool) -> None:
        try:
            alerts = self._lab.prometheus.alerts()
        except web.WebError:
            return
        now = {f"{alert['labels'].get('alertname')} {alert['labels'].get('instance', '')}".strip():
               str(alert.get("state")) for alert in alerts}
        for name in sorted(set(now) | set(self._alert_states)):
            if now.get(name) != self._alert_states.get(name) and not first:
                self.add("metric", f"alert {name}: {now.get(name, 'inactive')}")
        self._alert_states = now
