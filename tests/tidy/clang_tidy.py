#!/usr/bin/env python3
"""Runs clang-tidy over the sources that stand in its input, many of a library in one go.

    clang_tidy.py BUILD <SOURCES

BUILD is configured with unity builds: most of clang-tidy's time goes into the headers that sources include, and those
of one unity source are read once. Fails when a source is in none of what is built, as it would pass unseen.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Built by a project of their own; clang-tidy takes the commands of their neighbours.
ALONE = ("exporter/expose/example/",)
CHATTER = re.compile(r"^\d+ warnings?( and \d+ errors?)? generated\.?$|^$")


def sources_of(file):
    """The sources that one translation unit compiles."""
    if "/Unity/" not in str(file):
        return {file}
    return {Path(name) for name in re.findall(r'^#include "(.+)"$', file.read_text(), re.M)}


def units_for(wanted, build):
    """(the units that hold `wanted`, those of `wanted` that no unit holds)."""
    units, left = [], set(wanted)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = Path(entry["directory"], entry["file"])
        new = sources_of(file) & left
        if new:
            units.append((sum(source.stat().st_size for source in new), file))
            left -= new
    # The longest first, so that no processor waits for it in the end.
    return [file for _, file in sorted(units, reverse=True)], left


def make_generated_headers(build):
    listed = subprocess.run(
        ["ninja", "-C", str(build), "-t", "targets", "all"], check=True, capture_output=True, text=True
    )
    headers = re.findall(r"^(\S+\.pb\.h): ", listed.stdout, re.M)
    if headers:
        subprocess.run(["ninja", "-C", str(build), "--quiet", *headers], check=True)


def check(unit, build):
    """(whether it is clean, what clang-tidy says)."""
    done = subprocess.run(
        ["clang-tidy", "-p", str(build), "--quiet", str(unit)], capture_output=True, text=True
    )
    said = (done.stdout + done.stderr).splitlines()
    return done.returncode == 0, "\n".join(line for line in said if not CHATTER.match(line))


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    build = Path(arguments[1]).resolve()
    wanted = {Path(line.strip()).resolve() for line in sys.stdin if line.strip()}
    make_generated_headers(build)
    units, left = units_for(wanted, build)
    alone = {source for source in left if any(folder in str(source) for folder in ALONE)}
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(lambda unit: check(unit, build), [*units, *sorted(alone)]))
    for _, said in results:
        if said:
            print(said)
    for source in sorted(left - alone):
        print(f"{source}:1: error: not in {build}: clang-tidy would not see it")
    print(f"{len(wanted)} sources in {len(results)} units")
    return 0 if wanted and left == alone and all(clean for clean, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
