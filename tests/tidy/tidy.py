#!/usr/bin/env python3
"""Holds the repository against the rules of the house.

    tidy.py ROOT

Prints `path:line: rule: what is wrong` for each violation and exits with 1 if there is any.
"""

import sys

import cpp_rules
import text_rules
import tree

RULES = cpp_rules.RULES + text_rules.RULES


def violations(root):
    """(path, line, rule, message) of each violation under `root`, in order."""
    files = tree.read_tree(root)
    found = []
    for rule in RULES:
        for file, line, message in rule(files):
            found.append((file.path, line, rule.__name__, message))
    return len(files), sorted(found)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    count, found = violations(arguments[1])
    if count == 0:
        print(f"{arguments[1]}: no files", file=sys.stderr)
        return 2
    for path, line, rule, message in found:
        print(f"{path}:{line}: {rule}: {message}")
    print(f"{count} files, {len(RULES)} rules, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
