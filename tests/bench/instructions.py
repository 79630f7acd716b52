#!/usr/bin/env python3
"""Counts the instructions of each operation of count_ops with callgrind and holds them to limits.

An operation's figure is (count at N2 - count at N1) / (N2 - N1), less the same of its loop, so that
start-up and preparation cancel out. Unlike times it repeats on any machine with the same compiler.

usage: instructions.py COUNT_OPS [NAME ...]
Exit code: 0 within the limits, 1 beyond one, 2 when it could not be measured.
"""

import re
import subprocess
import sys

N1, N2 = 2_000, 22_000


def count(program, what, n):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program, f"--what={what}", f"--n={n}"],
        capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        raise RuntimeError(f"{what}: valgrind failed: {run.stderr.strip()[-500:]}")
    return int(found.group(1))


def per_operation(program, what):
    return (count(program, what, N2) - count(program, what, N1)) / (N2 - N1)


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    program, wanted = arguments[0], set(arguments[1:])
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    operations = [line.split("\t") for line in listing.stdout.splitlines()]
    unknown = wanted - {name for name, _, _ in operations}
    if unknown:
        print(f"no such operation: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2

    loops = {}
    beyond = []
    print(f"{'operation':32} {'instructions':>12} {'limit':>8}")
    for name, loop, limit in operations:
        if wanted and name not in wanted:
            continue
        if loop and loop not in loops:
            loops[loop] = per_operation(program, loop)
        figure = per_operation(program, name) - loops.get(loop, 0)
        limit = float(limit)
        verdict = ""
        if limit and figure > limit:
            verdict = "  BEYOND"
            beyond.append(name)
        print(f"{name:32} {figure:12.1f} {f'{limit:g}' if limit else '-':>8}{verdict}", flush=True)
    return 1 if beyond else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
