"""The parts of the lab: SPIRE in high availability with its sidecars on one machine."""
