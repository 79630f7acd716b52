#!/usr/bin/env python3
"""Writes the list of code that a sidecar's work runs, for cmake/hot_code.txt.

Of a program whose code is not in order yet (-DHOUSE_LINKER_TAKES_HOT_CODE=OFF), MAP is the linker's
(-DCMAKE_EXE_LINKER_FLAGS=-Wl,-Map=FILE) and each TRACE callgrind's, with --dump-instr=yes and --instr-atstart=no,
instrumentation switched on by callgrind_control when the start is over, for some minutes beside an agent of the lab. What the
first trace has run comes first. Of a program whose code is in order valgrind tells of the rest alone: what the list lacks.
Members of archives are listed by name, what they share (templates, inline functions) by the first letters of its section:
that takes some 10 % more than is run, and a fifth of the list.

usage: hot_code.py MAP PROGRAM TRACE... > cmake/hot_code.txt
"""

from __future__ import annotations

import bisect
import os
import re
import sys
from typing import Iterable, NamedTuple

LETTERS = 42
HEAD = """\
# What a sidecar's work runs, written by tests/bench/hot_code.py; HotCode.cmake says what for.
# archive:member, or the beginning of the name of a function that several members share.
"""


class Section(NamedTuple):
    begin: int
    size: int
    name: str
    source: str


def sections(lines: Iterable[str]) -> list[Section]:
    """Sections of code, by address. The linker breaks a line after a long name."""
    found, name, begun = [], "", False
    for line in lines:
        begun = begun or line.startswith("Linker script and memory map")
        if begun and (alone := re.match(r" (\.\S+)$", line)):
            name = alone[1]
        elif begun and (whole := re.match(r" (\.\S+)? +0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)$", line)):
            found.append(Section(int(whole[2], 16), int(whole[3], 16), whole[1] or name, whole[4]))
            name = ""
    return sorted(one for one in found if one.size and one.begin and one.name.startswith(".text"))


def addresses(lines: Iterable[str], program: str) -> set[int]:
    """Of instructions of `program` that were run. An address may be given by its distance to the last one."""
    names: dict[str, str] = {}
    found, here, last = set(), False, 0
    for line in lines:
        if named := re.match(r"c?ob=(\(\d+\))(?: (.*))?$", line):
            if named[2]:
                names[named[1]] = named[2]
            if line.startswith("ob="):
                here = os.path.basename(names[named[1]]) == program
        elif cost := re.match(r"(\*|[+-]\d+|0x[0-9a-f]+) ", line):
            place = cost[1]
            last = last if place == "*" else last + int(place) if place[0] in "+-" else int(place, 16)
            if here:
                found.add(last)
    return found


def listed(section: Section) -> str:
    """What the list calls it; empty for what the linker puts together by itself."""
    if section.name.startswith(".text._Z"):
        return section.name[len(".text."):][:LETTERS]
    member = re.search(r"lib([^/]+)\.a\((.+)\)$", section.source)
    # Some libraries run what the compiler held for unlikely.
    kinds = {".text": "", ".text.unlikely": ":unlikely"}
    return f"{member[1]}:{member[2]}{kinds[section.name]}" if member and section.name in kinds else ""


def hot(code: list[Section], run: set[int]) -> set[str]:
    begins = [section.begin for section in code]
    return {listed(code[bisect.bisect_right(begins, at) - 1]) for at in run if at >= begins[0]} - {""}


def main(arguments: list[str]) -> int:
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        code = sections(file)
    whole: list[str] = []
    for trace in arguments[2:]:
        with open(trace, encoding="utf-8") as file:
            whole += sorted(hot(code, addresses(file, arguments[1])) - set(whole), key=lambda one: (":" not in one, one))
    print(HEAD + "\n".join(whole))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
