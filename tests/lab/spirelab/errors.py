"""Errors that end the lab with one clear line."""


class LabError(Exception):
    """Something the person at the terminal can act on; its text is the whole message."""


class Stopped(Exception):
    """Somebody asked the lab to end (Ctrl-C, SIGTERM)."""
