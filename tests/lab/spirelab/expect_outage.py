"""Expectations of what agents' sidecars announce while nothing is issued, and the play around them."""

from __future__ import annotations

from typing import Callable

from spirelab import names
from spirelab.outage_watch import Ends, OutageWatch, ServerWords
from spirelab.scenario import Expectation
from spirelab.stage import Lab
from spirelab.timeline import Timeline
from spirelab.verdict import Line, brief

APART_SECONDS = 10.0  # announced against true
# A look at the servers every 5 s, a canary every 5 s, a judgement every 5 s, each with its timeout.
SEEN_WITHIN = 25.0

# The label that tells the states of these families; `state` of all others.
_LABELS = {names.REACH_VERDICT: "verdict"}

Script = Callable[[Lab, OutageWatch], None]


class OutagePlay:
    """Runs a script and keeps its looks for the expectations."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._watch: OutageWatch | None = None

    def run(self, lab: Lab, timeline: Timeline) -> None:
        with OutageWatch(lab, timeline) as self._watch:
            self._script(lab, self._watch)

    def looks(self, broken: str, members: tuple[str, ...] = ()) -> list[Ends]:
        """Of these agents' sidecars, of all without a name, while that was broken."""
        return [look for look in self._watch.looks if look.broken == broken
                and (not members or look.member in members)] if self._watch else []

    def announced(self, broken: str, clock: str, source: str,
                  members: tuple[str, ...] = ()) -> Expectation:
        """From soon after it broke to the end, by each of these agents' sidecars."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del timeline
            title = f"{clock} clock by {source}: within {APART_SECONDS:g} s of the truth"
            apart = []
            for look in self.looks(broken, members):
                true = look.true_workload if clock == "workload" else look.true_agent
                said = look.end(clock, source)
                if look.since < SEEN_WITHIN or true is None or look.now > true:
                    continue
                if said is None:
                    return Line(False, title, f"{look.member} says nothing at {look.at:.0f}")
                apart.append((abs(said - true), said - true, look.member))
            seen = {member for _, _, member in apart}
            if seen != set(members or (member.name for member in lab.plan.agents())):
                return Line(False, title, f"looks at {brief(sorted(seen)) or 'nobody'} alone")
            worst = max(apart)
            return Line(worst[0] <= APART_SECONDS, title,
                        f"{worst[1]:+.0f} s at worst ({worst[2]}), {len(apart)} looks")
        return judge

    def ledger_follows(self, broken: str, members: tuple[str, ...]) -> Expectation:
        """While SVIDs are renewed: never late, and too soon in no more looks than a renewal takes
        to be read, judged and scraped. Of agents whose stream goes by a socket file: UDP may lose
        a line, and what is doubted is told too soon until all have been renewed."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            known = [look for look in self.looks(broken, members)
                     if look.true_workload is not None]
            apart = [(look.end("workload", "ledger") or 0.0) - (look.true_workload or 0.0)
                     for look in known]
            late = sum(one > APART_SECONDS for one in apart)
            soon = sum(one < -APART_SECONDS for one in apart)
            return Line(bool(known) and not late and soon <= len(known) // 5,
                        f"{broken}: the ledger follows the renewals",
                        f"{late} of {len(known)} looks late, {soon} too soon")
        return judge

    def bound_never_late(self, broken: str, members: tuple[str, ...] = ()) -> Expectation:
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            known = [look for look in self.looks(broken, members)
                     if look.end("workload", "bound") and look.true_workload is not None]
            late = [look for look in known
                    if (look.end("workload", "bound") or 0.0) > (look.true_workload or 0.0)]
            return Line(bool(known) and not late, "the bound is never later than the truth",
                        f"{len(late)} of {len(known)} looks late")
        return judge

    def agents_say(self, broken: str, what: str, word: str, *values: str,
                   members: tuple[str, ...] = ()) -> Expectation:
        """Soon, on each of these agents' pages, one of these states."""
        label = _LABELS.get(word, "state")
        return self.agents_show(broken, what, lambda look: look.said.state(word, label),
                                lambda shown: shown in values, members)

    def agents_show(self, broken: str, what: str, ask: Callable[[Ends], object],
                    right: Callable[[object], bool], members: tuple[str, ...] = ()) -> Expectation:
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            looks = [look for look in self.looks(broken, members)
                     if look.since >= SEEN_WITHIN and look.said.page is not None]
            wrong = [f"{look.member} {ask(look)} at {look.at:.0f}" for look in looks
                     if not right(ask(look))]
            return Line(bool(looks) and not wrong, f"{broken}: {what}",
                        brief(wrong) or f"{len(looks)} looks")
        return judge

    def one_trust_view(self, broken: str) -> Expectation:
        """Every agent's bundle is the same set of authorities throughout: one number."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            seen = [look.said.value(names.TRUST_VIEW, source="agent", type="x509")
                    for look in self.looks(broken) if look.said.page is not None]
            kinds = {one for one in seen if one is not None}
            return Line(len(kinds) == 1 and None not in seen, f"{broken}: all see one trust domain",
                        f"{len(kinds)} views in {len(seen)} looks, {seen.count(None)} without")
        return judge

    def servers_say(self, broken: str, what: str, word: str, *values: str) -> Expectation:
        """Soon, on the page of each server's sidecar that runs."""
        def judge(lab: Lab, timeline: Timeline) -> Line:
            del lab, timeline
            looks: list[ServerWords] = [
                look for look in (self._watch.servers if self._watch else [])
                if look.broken == broken and look.since >= SEEN_WITHIN
                and look.said.page is not None]
            wrong = [f"{look.member} {look.said.state(word)} at {look.at:.0f}" for look in looks
                     if look.said.state(word) not in values]
            return Line(bool(looks) and not wrong, f"{broken}: {what}",
                        brief(wrong) or f"{len(looks)} looks")
        return judge


def until_whole(watch: OutageWatch) -> None:
    """The ledger is whole once every SVID was seen renewed."""
    watch.until(lambda looks: all(look.end("workload", "ledger") for look in looks), 240,
                "every SVID was seen renewed once, so that the ledger is whole")


def until_ended(watch: OutageWatch, *members: str) -> None:
    """The first workload SVID of each of these agents' nodes has ended, of all without a name."""
    watch.until(lambda looks: all(
        look.true_workload is not None and look.now > look.true_workload + 5 for look in looks
        if not members or look.member in members), 300, "the first SVID of every node has ended")
