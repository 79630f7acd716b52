"""Servers' keys sign slowly, then not at all: everything is up, and nothing is issued any more."""

from __future__ import annotations

from typing import Callable

from spirelab import names
from spirelab.expect import all_up, collectors_recovered
from spirelab.keys_watch import KeysLook, KeysWatch
from spirelab.outage_watch import Ends
from spirelab.scenario import Expectation, Scenario
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, brief

_DELAY = 3.0
_SLOW = f"every signature takes {_DELAY:g} s"
_DENIED = "every signature is denied"
_WELL = "keys sign as before"
# Of an SVID of four minutes: renewed when between 137 and 112 s are left.
_FRESH = 170.0
_DUE = 142.0
_SECONDS = 10.0  # announced against true
# A canary every 5 s, which may have begun before and take as long as its deadline; a judgement
# every 5 s.
_SEEN_WITHIN = 25.0
# A server signs for its own health once a minute, and its sidecar asks each 15 s.
_TOLD_WITHIN = 85.0


class _Play:
    """Runs it and keeps the looks for the expectations."""

    def __init__(self) -> None:
        self._watch: KeysWatch | None = None

    def run(self, lab: Lab, timeline: Timeline) -> None:
        with KeysWatch(lab, timeline) as self._watch:
            self._script(lab, self._watch)

    @staticmethod
    def _script(lab: Lab, watch: KeysWatch) -> None:
        def keys(mood: str, words: str) -> None:
            lab.sign(mood)
            watch.note(words)

        def left(looks: list[Ends]) -> float:
            return min((look.true_workload or 0.0) - look.now for look in looks)

        watch.until(lambda looks: all(look.end("workload", "ledger") for look in looks)
                    and left(looks) > _FRESH, 400,
                    "the ledger is whole, and no renewal is due for a while")
        keys(f"{_DELAY:g}", _SLOW)
        watch.until(lambda looks: left(looks) < _DUE, 240, "a renewal is due")
        keys("denied", _DENIED)
        # Not for so long that agents lose their own and end: that is another scenario.
        watch.until(lambda looks: left(looks) < -5, 300, "the first SVID has ended")
        keys("well", _WELL)
        watch.watch(100)

    def looks(self, broken: str, within: float = _SEEN_WITHIN) -> list[KeysLook]:
        return ([look for look in self._watch.signing if look.ends.broken == broken
                 and look.ends.since >= within] if self._watch else [])

    def says(self, broken: str, title: str, said: Callable[[KeysLook], str],
             right: Callable[[str], bool], within: float = _SEEN_WITHIN) -> Expectation:
        """After so many seconds, by every agent's sidecar, at every look."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del timeline
            looks = self.looks(broken, within)
            wrong = [f"{look.ends.member} {said(look)} at {look.ends.at:.0f} s" for look in looks
                     if not right(said(look))]
            enough = {look.ends.member for look in looks} == {one.name for one in lab.plan.agents()}
            return Line(enough and not wrong, f"{broken}: {title}",
                        brief(wrong) or f"{len(looks)} looks")
        return judge

    def announced(self, clock: str, source: str) -> Expectation:
        """While nothing is signed, to the end, by every agent's sidecar."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del timeline
            title = f"{clock} clock by {source}: within {_SECONDS:g} s of the truth"
            apart = []
            for look in self.looks(_DENIED):
                ends = look.ends
                true = ends.true_workload if clock == "workload" else ends.true_agent
                said = ends.end(clock, source)
                if true is None or ends.now > true:
                    continue
                if said is None:
                    return Line(False, title, f"{ends.member} says nothing at {ends.at:.0f}")
                apart.append((abs(said - true), said - true, ends.member))
            members = {member for _, _, member in apart}
            if members != {member.name for member in lab.plan.agents()}:
                return Line(False, title, f"looks at {brief(sorted(members)) or 'nobody'} alone")
            worst = max(apart)
            return Line(worst[0] <= _SECONDS, title,
                        f"{worst[1]:+.0f} s at worst ({worst[2]}), {len(apart)} looks")
        return judge

    def slow_is_measured(self, lab: Lab, timeline: Timeline) -> Line:
        del timeline
        took = [look.took for look in self.looks(_SLOW) if look.took is not None]
        members = {look.ends.member for look in self.looks(_SLOW) if look.took is not None}
        return Line(members == {one.name for one in lab.plan.agents()} and min(took) >= _DELAY,
                    f"{_SLOW}: a token is told to take that long",
                    f"{min(took):.2f} to {max(took):.2f} s" if took else "no token was answered")


def _token(look: KeysLook) -> str:
    return look.token


def _issuing(look: KeysLook) -> str:
    return look.ends.issuing()


def _reach(look: KeysLook) -> str:
    return look.ends.said.state(names.REACH_VERDICT, "verdict")


def _servers(look: KeysLook) -> str:
    return ", ".join(sorted({state for state, _ in look.servers}))


_IT = _Play()

SCENARIO = Scenario(
    name="slow-key-manager",
    summary="servers sign slowly, then not at all, while all else is well",
    run=_IT.run,
    expectations=(
        _IT.says(_SLOW, "tokens are good", _token, "ok".__eq__),
        _IT.slow_is_measured,
        _IT.says(_SLOW, "identities are issued", _issuing, "yes".__eq__),
        _IT.says(_DENIED, "no server signs", _token, "server_path".__eq__),
        _IT.says(_DENIED, "nothing is issued", _issuing, "no".__eq__),
        _IT.says(_DENIED, "the servers are reached", _reach, "all_serving".__eq__),
        _IT.says(_DENIED, "they are said to serve and not to sign", _servers,
                 "not_signing".__eq__, _TOLD_WITHIN),
        _IT.announced("workload", "ledger"),
        _IT.announced("agent", "cache"),
        _IT.says(_WELL, "tokens are good", _token, "ok".__eq__),
        _IT.says(_WELL, "identities are issued", _issuing, "yes".__eq__),
        _IT.says(_WELL, "they are healthy again", _servers, "healthy".__eq__, _TOLD_WITHIN),
        all_up,
        collectors_recovered,
    ),
    # The canary that gets no token is a collector that fails, for more than two minutes.
    alerts=frozenset({"SpireExporterCollectorFailing"}),
    keys=True,
)
