"""What scenarios do to SPIRE, real or simulated, so that a script needs to know neither."""

from __future__ import annotations

from spirelab import database
from spirelab.database import database_of
from spirelab.plan import Member
from spirelab.stage import Lab


def kill_server(lab: Lab, member: Member) -> None:
    """With its sidecar: they share a pod."""
    lab.spire(member).kill()
    lab.sidecar(member).kill()


def start_servers(lab: Lab, *members: Member) -> None:
    """These, all without a name, with those of their sidecars that are gone."""
    chosen = members or tuple(lab.plan.servers())
    for member in chosen:
        lab.spire(member).start()
    for member in chosen:
        lab.wait_spire(member)
        if not lab.sidecar(member).running():
            lab.sidecar(member).start()
            lab.wait_sidecar(member)


def lose_keys(lab: Lab, member: Member) -> None:
    """Of a server that does not run: it starts with an authority that nobody has seen."""
    spire = lab.real or lab.simulated
    assert spire is not None
    spire.lose_keys(member)


def forget_trust(lab: Lab, member: Member) -> None:
    """An agent that does not run starts anew, with the bundle that servers serve now."""
    spire = lab.real or lab.simulated
    assert spire is not None
    spire.forget_trust(member)


def cut_off(lab: Lab, member: Member) -> None:
    """The node of an agent: neither it nor its sidecar reaches a server."""
    lab.supervisor.find(member.network).kill()


def connect_again(lab: Lab, member: Member) -> None:
    lab.supervisor.find(member.network).start()


def freeze_database(lab: Lab) -> None:
    """The primary takes connections and answers nothing; a simulated server does what SPIRE does
    with one that hangs, since it has none."""
    database.freeze(lab, database_of(lab).primary)
    if lab.simulated is not None:
        lab.simulated.command("database hung")


def thaw_database(lab: Lab) -> None:
    database.thaw(lab, database_of(lab).primary)
    if lab.simulated is not None:
        lab.simulated.command("database well")
