"""Every server comes back without its keys: they serve, and no agent can trust them.

An agent that may not rebootstrap ends at its next sync. What workloads hold is then all there is.
"""

from __future__ import annotations

from spirelab import names
from spirelab.breaking import forget_trust, lose_keys, start_servers
from spirelab.expect_outage import OutagePlay, until_ended, until_whole
from spirelab.outage_watch import OutageWatch
from spirelab.scenario import Scenario
from spirelab.stage import Lab

_LOST = "all servers are back with new keys"
_NEW = "agent-1 has been started anew with the new bundle"
_ANEW = ("agent-1",)


def _script(lab: Lab, watch: OutageWatch) -> None:
    until_whole(watch)
    watch.watch(20)
    for member in lab.plan.servers():
        lab.spire(member).kill()
    for member in lab.plan.servers():
        lose_keys(lab, member)
    start_servers(lab)
    watch.note(_LOST)
    until_ended(watch)
    anew = lab.plan.member("agent-1")
    lab.spire(anew).kill()
    forget_trust(lab, anew)
    lab.spire(anew).start()
    lab.wait_spire(anew)
    watch.note(_NEW)
    watch.watch(40)


_IT = OutagePlay(_script)

SCENARIO = Scenario(
    name="keys-lost",
    summary="all servers lose their keys and serve with new authorities, which no agent's bundle "
            "has; one agent is then started anew",
    run=_IT.run,
    expectations=(
        _IT.announced(_LOST, "workload", "ledger"),
        _IT.announced(_LOST, "agent", "cache"),
        _IT.bound_never_late(_LOST),
        _IT.agents_say(_LOST, "nothing is issued", names.ISSUING, "no"),
        _IT.agents_say(_LOST, "yet all servers serve", names.REACH_VERDICT, "all_serving"),
        _IT.agents_show(_LOST, "the agents have ended: they found no server to trust",
                        lambda look: look.said.state(names.CANARY_OUTCOME, "outcome",
                                                     operation="x509"),
                        lambda shown: shown == "agent_gone"),
        _IT.agents_show(_LOST, "the bundle that they held verifies no server",
                        lambda look: look.chains(), lambda shown: shown == "3 untrusted"),
        _IT.agents_show(_LOST, "they would not return, with that or with the one to start with",
                        lambda look: look.comeback(), lambda shown: str(shown).startswith(
                            "no (bootstrap_bundle_unverified, bundle_unverified")),
        _IT.servers_say(_LOST, "the servers are healthy", names.SERVER_STATE, "healthy"),
        _IT.agents_show(_NEW, "its bundle verifies all servers", lambda look: look.chains(),
                        lambda shown: shown == "3 good", members=_ANEW),
        _IT.agents_say(_NEW, "it is served", names.ISSUING, "yes", members=_ANEW),
    ),
    alerts=frozenset({"SpireExporterCollectorFailing"}),
)
