"""A second sidecar that has SPIRE's page alone, held against the first one's stream.

Breaks nothing. The verdict says which share of the observations is exact and how far the ranks of
the polled histograms are from the stream's in the same minutes.
"""

from __future__ import annotations

import os
from dataclasses import replace

from spirelab import exposition, names, web
from spirelab.plan import Member
from spirelab.ports import PortPicker
from spirelab.process import Program
from spirelab.scenario import Expectation, Scenario
from spirelab.scrape_judge import judge_ranks, judge_share
from spirelab.sidecar import wait_healthy
from spirelab.spire_config import TRUST_DOMAIN
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line

_SECONDS = 120
_SCRAPED = "spire_exporter_telemetry_scraped_observations_total"
_SERVING = "spire_exporter_telemetry_scrape_serving_seconds_total"
# How far the share of observations up to a bound may differ, by who tells the family at all: two or
# three times what was measured (decision 7). Of an agent's JWT calls, ten a second and series, SPIRE's
# summary tells little below the median.
RANK_MAX = {
    "server-0": {names.RPC: 0.1, names.DATASTORE: 0.12, names.CALL: 0.05},
    "agent-0": {names.RPC: 0.15, names.CALL: 0.15},
}


def _page(member: Member) -> exposition.Page:
    text, _ = web.get(f"http://127.0.0.1:{member.web_port}/metrics")
    return exposition.parse_page(text)


def _cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start(lab: Lab, member: Member, port: int) -> Member:
    polled = replace(member, web_port=port)
    config = lab.workspace.write(
        f"{member.name}/polled.yaml",
        f"role: {member.role}\ntrust_domain: {TRUST_DOMAIN}\ntelemetry:\n  stream: {{listen: []}}\n"
        f'  scrape: {{url: "http://127.0.0.1:{member.prometheus_port}/"}}\n')
    process = lab.supervisor.start(Program(
        f"polled@{member.name}",
        [lab.exporter_program, f"--config.file={config}",
         f"--web.listen-address=127.0.0.1:{port}"],
        lab.account, os.path.join(member.directory, "polled.log")))
    wait_healthy(polled, process)
    return polled


class ScrapeOnly:
    """What the pages of both sidecars said at the start and at the end."""

    def __init__(self) -> None:
        self._pages: dict[str, list[tuple[exposition.Page, exposition.Page]]] = {}
        self._cores: dict[str, float] = {}

    def run(self, lab: Lab, timeline: Timeline) -> None:
        ports = PortPicker()
        pairs = [(lab.plan.member(name), _start(lab, lab.plan.member(name), ports.take()))
                 for name in RANK_MAX]
        timeline.add("note", f"sidecars without a stream beside {' and '.join(RANK_MAX)}")
        timeline.watch(10)
        used = {}
        for member, polled in pairs:
            self._pages[member.name] = [(_page(member), _page(polled))]
            used[member.name] = _cpu_seconds(lab.supervisor.find(f"polled@{member.name}").pid)
        timeline.watch(_SECONDS)
        for member, polled in pairs:
            self._pages[member.name].append((_page(member), _page(polled)))
            now = _cpu_seconds(lab.supervisor.find(f"polled@{member.name}").pid)
            self._cores[member.name] = (now - used[member.name]) / _SECONDS

    def _rise(self, name: str, which: int, sample: str, **labels: str) -> float:
        def total(page: exposition.Page) -> float:
            return sum(one.value for one in page.named(sample)
                       if all(one.labels.get(key) == value for key, value in labels.items()))

        first, last = self._pages[name]
        return total(last[which]) - total(first[which])

    def share(self, name: str) -> Expectation:
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            told = {placement: self._rise(name, 1, _SCRAPED, placement=placement)
                    for placement in ("exact", "estimated", "unplaced")}
            return judge_share(name, told, self._rise(name, 1, _SERVING) / _SECONDS,
                               self._cores[name])
        return judge

    def agrees(self, name: str, family: str, limit: float) -> Expectation:
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            bounds = sorted({one.labels["le"] for one in self._pages[name][1][0].named(
                family + "_bucket")} - {"+Inf"}, key=float)
            truth, told = ([self._rise(name, which, family + "_bucket", le=bound)
                            for bound in bounds] for which in (0, 1))
            return judge_ranks(name, family, bounds, truth, told, limit)
        return judge


_IT = ScrapeOnly()

SCENARIO = Scenario(
    name="scrape-only",
    summary="histograms from SPIRE's page alone, against the stream of the same minutes",
    run=_IT.run,
    expectations=tuple(
        expectation for name, limits in RANK_MAX.items()
        for expectation in (_IT.share(name), *(_IT.agrees(name, family, limit)
                                               for family, limit in limits.items()))),
)
