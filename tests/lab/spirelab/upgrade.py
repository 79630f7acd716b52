"""Stops a member of the lab and starts it as another version of SPIRE, on the same data."""

from __future__ import annotations

import signal

from spirelab.errors import LabError
from spirelab.plan import Member
from spirelab.spire import wait_first_start
from spirelab.stage import Lab
from spirelab.wait import try_until

_STOP_SECONDS = 10.0
# A server that refuses its database says so in a second or two.
_REFUSES_WITHIN = 30.0


def stop(lab: Lab, member: Member) -> None:
    """As an orchestrator does: it is asked, and killed if it does not go."""
    process = lab.spire(member)
    process.signal(signal.SIGTERM)
    if not process.wait(_STOP_SECONDS):
        process.kill()


def upgrade(lab: Lab, member: Member, version: str) -> None:
    """Returns when it is ready; LabError when it does not become so."""
    stop(lab, member)
    lab.set_version(member, version)
    if not _tables_take(lab, member, version):
        raise LabError(f"{member.name} refuses its database as {version}")
    process = lab.spire(member)
    process.start()
    if member.role == "server":
        # The standby may lack for a moment what a migration has just made on the primary.
        wait_first_start(member, process)
    else:
        lab.wait_spire(member)


def refused(lab: Lab, member: Member, version: str) -> str:
    """Restarts a server that should refuse to run: its own last words; empty when it runs."""
    stop(lab, member)
    if lab.simulated is not None:
        return ("" if _tables_take(lab, member, version)
                else "the simulator does not start it, by SPIRE's rule")
    process = lab.spire(member)
    process.start()
    if not try_until(lambda: not process.running(), _REFUSES_WITHIN):
        return ""
    words = [line for line in process.log_tail(20).splitlines() if "incompatible" in line.lower()]
    return words[-1].strip() if words else f"it ended:\n{process.log_tail(2)}"


def _tables_take(lab: Lab, member: Member, version: str) -> bool:
    """The simulator has no database of its own; real SPIRE answers for itself."""
    if lab.tables is None:
        return True
    if member.role == "server":
        return lab.tables.server_starts(version)
    lab.tables.agent_starts(member, lab.attestor(member), version)
    return True
