#!/usr/bin/env python3
"""Counts the instructions of each operation of count_ops with callgrind and holds them to limits.

An operation's figure is (count at N2 - count at N1) / (N2 - N1), less the same of its loop, so that start-up and preparation
cancel out. Unlike times it repeats on any machine with the same compiler: g++ 12, -O2, plain x86-64.

Two things are held: the operation's own limit, which is the goal, and the figure in instructions.txt beside this file, which
is what it was when it was last changed on purpose, with 3 % of slack. Operations without a limit are loops and anchors.

usage: instructions.py COUNT_OPS [--gate] [--update] [NAME ...]
  --gate    leaves the anchors out, which take most of the time
  --update  writes the figures to instructions.txt; the commit says why they changed
Exit code: 0 within the limits, 1 beyond one, 2 when it could not be measured.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

N1, N2 = 2_000, 22_000
SLACK = 0.03
FIGURES = pathlib.Path(__file__).with_name("instructions.txt")
HEAD = """\
# Instructions of each operation of count_ops, as instructions.py counts them: g++ 12, -O2, plain x86-64.
# CI allows 3 % more. Written by: tests/bench/instructions.py build/release/bench-bin/count_ops --update
"""


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


def read_figures(path):
    """{operation: instructions}; an error names the line."""
    figures = {}
    if not path.exists():
        return figures
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, figure = line.split()
            figures[name] = float(figure)
        except ValueError:
            raise RuntimeError(f"{path.name}:{number}: expected an operation and a number") from None
    return figures


def write_figures(path, figures):
    lines = [f"{name:<36} {figure:12.1f}\n" for name, figure in sorted(figures.items())]
    path.write_text(HEAD + "".join(lines))


def judge(name, figure, limit, committed):
    """What is wrong with a figure, or nothing."""
    if not limit:
        return ""
    if figure > limit:
        return f"beyond its limit of {limit:g}"
    if name not in committed:
        return f"not in {FIGURES.name}"
    if figure > committed[name] * (1 + SLACK):
        return f"more than the {committed[name]:g} of {FIGURES.name}"
    return ""


def measure(program, operations):
    """[(name, limit, figure)] in the order given; loops are counted once."""
    loops = sorted({loop for _, loop, _ in operations if loop})
    names = loops + [name for name, _, _ in operations if name not in loops]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        raw = dict(zip(names, pool.map(lambda name: per_operation(program, name), names)))
    return [(name, float(limit), raw[name] - raw.get(loop, 0)) for name, loop, limit in operations]


def main(arguments):
    update, gate = "--update" in arguments, "--gate" in arguments
    arguments = [argument for argument in arguments if argument not in ("--update", "--gate")]
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    program, wanted = arguments[0], set(arguments[1:])
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    operations = [line.split("\t") for line in listing.stdout.splitlines()]
    known = {name for name, _, _ in operations}
    committed = read_figures(FIGURES)
    for name in sorted(wanted - known):
        print(f"no such operation: {name}", file=sys.stderr)
    if wanted - known:
        return 2
    chosen = [operation for operation in operations if not wanted or operation[0] in wanted]
    if gate:
        chosen = [operation for operation in chosen if float(operation[2])]

    wrong = 0 if wanted or update else len(set(committed) - known)
    for name in [] if update else sorted(set(committed) - known):
        print(f"{FIGURES.name}: {name} is no operation any more")
    print(f"{'operation':36} {'instructions':>12} {'committed':>10} {'limit':>8}")
    for name, limit, figure in measure(program, chosen):
        if update and limit:
            committed[name] = round(figure, 1)
        complaint = judge(name, figure, limit, committed)
        wrong += bool(complaint)
        shown = f"{committed[name]:.1f}" if name in committed else "-"
        print(f"{name:36} {figure:12.1f} {shown:>10} {f'{limit:g}' if limit else '-':>8}  {complaint}".rstrip(), flush=True)
    if update:
        write_figures(FIGURES, {name: figure for name, figure in committed.items() if name in known})
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
