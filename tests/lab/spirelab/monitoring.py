"""Prometheus and Alertmanager with the project's rules, and the receiver that prints pages."""

from __future__ import annotations

import glob
import json
import os
import shutil
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

from spirelab import web
from spirelab.account import Account
from spirelab.errors import LabError
from spirelab.plan import Plan
from spirelab.process import Program, Supervisor
from spirelab.wait import poll_until
from spirelab.workspace import Workspace

JOB = "spire-exporter"
SCRAPE_SECONDS = 5


def find_program(names: tuple[str, ...], package: str) -> str:
    """First of the names on PATH."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise LabError(f"{names[0]} is missing: install the package {package}")


def prometheus_config(plan: Plan, rule_files: list[str]) -> str:
    """Prometheus' configuration; JSON is YAML, so nothing needs quoting by hand."""
    targets = [{"targets": [f"127.0.0.1:{member.web_port}"],
                "labels": {"instance": member.name, "spire_role": member.role}}
               for member in plan.members]
    return json.dumps({
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": "4s",
                   "evaluation_interval": f"{SCRAPE_SECONDS}s"},
        "rule_files": rule_files,
        "alerting": {"alertmanagers": [
            {"static_configs": [{"targets": [f"127.0.0.1:{plan.alertmanager_port}"]}]}]},
        "scrape_configs": [{"job_name": JOB, "static_configs": targets}],
    }, indent=1)


def alertmanager_config(plan: Plan) -> str:
    return json.dumps({
        "route": {"receiver": "lab", "group_by": ["alertname", "instance"], "group_wait": "0s",
                  "group_interval": "5s", "repeat_interval": "1h"},
        "receivers": [{"name": "lab", "webhook_configs": [
            {"url": f"http://127.0.0.1:{plan.receiver_port}/", "send_resolved": True}]}],
    }, indent=1)


@dataclass(frozen=True)
class Page:
    """One alert that reached the receiver."""

    at: float  # seconds since the epoch
    status: str  # firing | resolved
    name: str
    instance: str
    severity: str
    summary: str


def parse_notification(body: bytes, now: float) -> list[Page]:
    """The alerts of one webhook call of Alertmanager."""
    found = []
    for alert in json.loads(body).get("alerts", []):
        labels = alert.get("labels", {})
        found.append(Page(now, str(alert.get("status", "?")), labels.get("alertname", "?"),
                          labels.get("instance", ""), labels.get("severity", ""),
                          alert.get("annotations", {}).get("summary", "")))
    return found


class Receiver:
    """Takes Alertmanager's calls in a thread and keeps the pages."""

    def __init__(self, port: int, announce: Callable[[Page], None]) -> None:
        self._lock = threading.Lock()
        self._pages: list[Page] = []
        self.announce = announce
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is http.server's
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                try:
                    pages = parse_notification(body, time.time())
                except (ValueError, AttributeError):
                    self.send_error(400)
                    return
                receiver.take(pages)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                del format, args  # the pages are announced, the calls are not

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise LabError(f"the receiver cannot listen on 127.0.0.1:{port}: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, pages: list[Page]) -> None:
        with self._lock:
            self._pages += pages
        for page in pages:
            self.announce(page)

    def pages(self) -> list[Page]:
        with self._lock:
            return list(self._pages)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def start_monitoring(supervisor: Supervisor, workspace: Workspace, account: Account, plan: Plan,
                     rules_folder: str) -> None:
    """Starts both and returns when both are ready."""
    prometheus = workspace.program(find_program(("prometheus",), "prometheus"))
    alertmanager = workspace.program(find_program(("prometheus-alertmanager", "alertmanager"),
                                                  "prometheus-alertmanager"))
    workspace.folder("monitoring")
    rules = []
    for path in sorted(glob.glob(os.path.join(rules_folder, "*.rules.yaml"))):
        with open(path, encoding="utf-8") as file:
            rules.append(workspace.write("monitoring/" + os.path.basename(path), file.read()))
    config = workspace.write("monitoring/prometheus.yaml", prometheus_config(plan, rules))
    routing = workspace.write("monitoring/alertmanager.yaml", alertmanager_config(plan))
    log = workspace.folder("log")
    first = supervisor.start(Program("alertmanager", [
        alertmanager, f"--config.file={routing}",
        f"--storage.path={workspace.folder('monitoring/alertmanager')}",
        f"--web.listen-address=127.0.0.1:{plan.alertmanager_port}",
        "--cluster.listen-address="], account, os.path.join(log, "alertmanager.log")))
    second = supervisor.start(Program("prometheus", [
        prometheus, f"--config.file={config}",
        f"--storage.tsdb.path={workspace.folder('monitoring/data')}",
        f"--web.listen-address=127.0.0.1:{plan.prometheus_port}",
        "--storage.tsdb.retention.time=1d"], account, os.path.join(log, "prometheus.log")))
    for process, port in ((first, plan.alertmanager_port), (second, plan.prometheus_port)):
        url = f"http://127.0.0.1:{port}/-/ready"
        poll_until(lambda: web.status(url) == 200, 30, f"{process.name} is ready",
                   watch=process.must_run)
