"""Yesterday's dump is put in the place of today's data, under a SPIRE that runs."""

from __future__ import annotations

import os

from spirelab import names
from spirelab.database import database_of
from spirelab.database_watch import Watch
from spirelab.expect_watch import WatchPlay
from spirelab.registry import Registry
from spirelab.scenario import Scenario
from spirelab.stage import Lab
from scenarios.database_empty import other, ours

_DAY = "nothing: the day after the dump"
_RESTORED = "the dump is restored"
_NEW_ENTRIES = 20
# Agents renew at half of their six minutes; the dump then has certificates that are worn no more.
_RENEWAL_SECONDS = 240


def _script(lab: Lab, watch: Watch) -> None:
    postgres, registry = database_of(lab), Registry(lab)
    dump = os.path.join(lab.workspace.folder("postgres", 0o700), "yesterday.sql")
    postgres.dump(dump)
    before = registry.serials()
    registry.create(_NEW_ENTRIES)
    watch.note(_DAY)
    if lab.real is not None:
        watch.until(lambda _: _all_other(before, registry.serials()), _RENEWAL_SECONDS,
                    "every agent has renewed", every=15)
    watch.watch(10)
    postgres.restore(dump)
    watch.note(_RESTORED)
    watch.watch(60)


def _all_other(before: str, now: str) -> bool:
    return bool(now) and not set(before.split(",")) & set(now.split(","))


_IT = WatchPlay(_script, lambda lab: Registry(lab).truth(), ours, other,
                prepare=lambda lab: Registry(lab).populate())

SCENARIO = Scenario(
    name="database-restored",
    summary="an older dump is restored under a running SPIRE, which calls itself healthy",
    run=_IT.run,
    expectations=(
        _IT.well_before("nothing is said of it", lambda look: look.said.condition() == "normal"),
        _IT.never(_DAY, "called restored", lambda look: look.said.condition() != "normal",
                  after=0),
        _IT.says(_RESTORED, "called restored, once", lambda look: look.said.condition()
                 == "restored" and look.said.value(names.REWINDS) == 1),
        _IT.says(_RESTORED, "said by every sidecar", lambda look: all(
            said.condition() == "restored" for said in look.every)),
        _IT.one_connection_each,
    ),
)
