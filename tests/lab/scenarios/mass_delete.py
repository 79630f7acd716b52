"""Entries are deleted in masses: once through SPIRE, once behind its back."""

from __future__ import annotations

from spirelab import names
from spirelab.database_watch import Look, Watch
from spirelab.expect_watch import WatchPlay
from spirelab.lookout import NOTHING
from spirelab.registry import Registry
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from scenarios.database_empty import other, ours

_COUNT = 300
_MADE = f"nothing: {_COUNT} entries are made"
_API = f"{_COUNT} entries are deleted through SPIRE"
_SQL = "the fleets' entries are deleted by SQL"


def _script(lab: Lab, watch: Watch) -> None:
    registry = Registry(lab)
    registry.create(_COUNT)
    watch.note(_MADE)
    watch.watch(70)  # the deep reading, once a minute, counts them
    registry.delete()
    watch.note(_API)
    watch.watch(70)
    registry.delete_behind()
    watch.note(_SQL)
    watch.watch(70)
    watch.note(NOTHING)


def _changed(look: Look, change: str) -> float:
    """Since the first look: the sidecars have followed what was made before it, too."""
    first = _IT.looks()[0].said.value(names.ENTRY_CHANGES, change=change) or 0
    return (look.said.value(names.ENTRY_CHANGES, change=change) or 0) - first


def _rows(look: Look, low: int, high: int) -> bool:
    rows = look.said.rows()
    return rows is not None and low <= rows <= high


def _counted(look: Look, low: int, high: int) -> bool:
    counted = look.first(names.ENTRIES)
    return counted is not None and low <= counted <= high


_IT = WatchPlay(_script, lambda lab: Registry(lab).truth(), ours, other,
                prepare=lambda lab: Registry(lab).populate())

SCENARIO = Scenario(
    name="mass-delete",
    summary=f"{_COUNT} entries are deleted through SPIRE, then the fleets' entries by SQL",
    run=_IT.run,
    expectations=(
        _IT.says(_MADE, "each creation is counted", lambda look:
                 _changed(look, "created") == _COUNT),
        _IT.says(_MADE, "the deep reading has them", lambda look:
                 _counted(look, _COUNT, _COUNT + 50), within=75),
        _IT.says(_API, "each deletion is counted", lambda look:
                 _changed(look, "deleted") == _COUNT),
        _IT.says(_API, "the rows are gone", lambda look: _rows(look, 1, 50)),
        _IT.says(_API, "the deep reading sees it", lambda look: _counted(look, 1, 50), within=75),
        _IT.says(_SQL, "the rows are gone without a deletion that SPIRE announced", lambda look:
                 _rows(look, 0, 2) and _changed(look, "deleted") == _COUNT),
        _IT.says(_SQL, "the deep reading sees it", lambda look: _counted(look, 0, 2), within=75),
        _IT.never(_SQL, "called restored", lambda look: look.said.condition() == "restored",
                  after=0),
        _IT.one_connection_each,
    ),
)
