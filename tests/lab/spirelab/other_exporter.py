"""Debian's prometheus-postgres-exporter beside each node: what most people have."""

from __future__ import annotations

import os

from spirelab import exposition, web
from spirelab.ports import PortPicker
from spirelab.postgres import Node
from spirelab.process import Program
from spirelab.stage import Lab

PROGRAM = "prometheus-postgres-exporter"
# Debian ships the query for the lag as an example; without it the exporter has none.
_QUERIES = f"/usr/share/doc/{PROGRAM}/examples/queries.yaml"
# It asks the database when it is asked, so that a database which hangs hangs it.
_PATIENCE = 3.0


class OtherExporters:
    """One for the primary and one for the standby, started when this is made."""

    def __init__(self, lab: Lab) -> None:
        assert lab.postgres is not None
        ports = PortPicker()
        self._ports: dict[str, int] = {}
        for node in (lab.postgres.primary, lab.postgres.standby):
            port = ports.take()
            argv = [PROGRAM, f"--web.listen-address=127.0.0.1:{port}"]
            if os.path.exists(_QUERIES):
                argv.append(f"--extend.query-path={_QUERIES}")
            lab.supervisor.start(Program(
                f"other@{node.name}", argv, lab.account,
                os.path.join(lab.workspace.folder("log"), f"other-{node.name}.log"),
                lab.postgres.other_watcher(node)))
            self._ports[node.name] = port

    def page(self, node: Node) -> exposition.Page | None:
        """What it says of the node now; None when it has no page to give in time."""
        return read_page(f"http://127.0.0.1:{self._ports[node.name]}/metrics", _PATIENCE)


def read_page(url: str, seconds: float = 5.0) -> exposition.Page | None:
    """A page, None when there is none to be had or to be read."""
    try:
        return exposition.parse_page(web.get(url, seconds)[0])
    except (web.WebError, exposition.PageError):
        return None


def up_words(page: exposition.Page | None) -> str:
    """`up 1`, with the lag where it has one."""
    if page is None:
        return "no page"
    up = page.total("pg_up")
    words = "no pg_up" if up is None else f"up {up:g}"
    for name in ("pg_replication_lag", "pg_replication_lag_seconds"):
        lag = page.total(name)
        if lag is not None:
            return f"{words}, lag {lag:.1f}"
    return words
