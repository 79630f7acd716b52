"""The lab's command line."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))


@dataclass(frozen=True)
class Options:
    """What the person at the terminal asked for."""

    seconds: float | None
    check: bool
    scenario: str
    require_real: bool
    simulator: bool
    keep: bool
    directory: str | None
    build_dir: str
    rules: str
    table: str


def parse_options(argv: list[str]) -> Options:
    """Ends the program with status 2 and one line when the arguments make no sense."""
    parser = argparse.ArgumentParser(
        prog="./dev lab", allow_abbrev=False,
        description="SPIRE in high availability with its sidecars, Prometheus and Alertmanager, "
                    "on 127.0.0.1. Without arguments it runs until Ctrl-C and shows what it sees.",
        epilog="SPIRE's programs come from SPIRE_BIN_DIR, PATH, or the official release archive "
               "(SPIRE_RELEASE_BASE overrides its address); older ones from SPIRE_OLD_BIN_DIR; "
               "else the built-in simulator.")
    parser.add_argument("--for", dest="seconds", type=_seconds, metavar="SECONDS",
                        help="end after this many seconds of watching")
    parser.add_argument("--check", action="store_true",
                        help="hold what is seen against what is expected; exit 0 or 1")
    parser.add_argument("--scenario", default="", metavar="NAME",
                        help="play one scenario and print its timeline; `list` names them")
    parser.add_argument("--require-real", action="store_true",
                        help="refuse to run without real SPIRE")
    parser.add_argument("--simulator", action="store_true", help="use the simulator in any case")
    parser.add_argument("--keep", action="store_true", help="leave the lab's folder behind")
    parser.add_argument("--dir", dest="directory", metavar="DIR",
                        help="folder to make the lab in (default: a new one in /tmp)")
    parser.add_argument("--build-dir", default=os.path.join(REPOSITORY, "build"), metavar="DIR",
                        help="build folder with bin/spire-exporter and bin/spire-sim")
    parser.add_argument("--rules", default=os.path.join(REPOSITORY, "alerts"), metavar="DIR",
                        help="folder with *.rules.yaml")
    parser.add_argument("--table", default="", metavar="FILE",
                        help="write the table of a scenario that makes one there, as Markdown")
    given = parser.parse_args(argv)
    if given.simulator and given.require_real:
        parser.error("--simulator and --require-real exclude each other")
    if given.check and given.seconds is None:
        parser.error("--check needs --for SECONDS")
    if given.check and given.scenario:
        parser.error("--check and --scenario exclude each other: a scenario has its own verdict")
    return Options(given.seconds, given.check, given.scenario, given.require_real,
                   given.simulator, given.keep, given.directory,
                   os.path.abspath(given.build_dir), os.path.abspath(given.rules),
                   given.table)


def _seconds(text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from error
    if not 1 <= value <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 86400 seconds")
    return value
