"""House rules on text of any kind. A rule takes all files and yields (file, line, message)."""

import re

# Put together so that this file does not break its own rules.
_PROMISES = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
_NUMBERED = re.compile(r"^\(#\d+\)")
_MACHINE_PATHS = re.compile(r"(?<![\w.~}/-])/(?:wo" + r"rk|ro" + r"ot|home/[a-z_][\w-]*)/")


def one_title(files):
    """A page starts with its title, and has one."""
    for file in files:
        if not file.path.endswith(".md"):
            continue
        titles, fenced = [], False
        for number, line in enumerate(file.lines, 1):
            if re.match(r"\s*(```|~~~)", line):
                fenced = not fenced
            elif not fenced and re.match(r"# \S", line):
                titles.append(number)
        if not titles:
            yield file, 1, "no title: expected `# Title` in the first line"
        elif titles[0] != 1:
            yield file, titles[0], "the title is not in the first line"
        for number in titles[1:]:
            yield file, number, "a second title: expected one"


def promises_have_issues(files):
    for file in files:
        for number, line in enumerate(file.lines, 1):
            for match in _PROMISES.finditer(line):
                if not _NUMBERED.match(line[match.end() :]):
                    yield file, number, f"{match.group()} without an issue: expected {match.group()}(#N)"


def no_machine_paths(files):
    for file in files:
        for number, line in enumerate(file.lines, 1):
            match = _MACHINE_PATHS.search(line)
            if match:
                yield file, number, f"{match.group()} is a path of one machine"


def plain_text(files):
    for file in files:
        if "\r" in file.text:
            yield file, file.line_of(file.text.index("\r")), "a carriage return"
        if file.text and not file.text.endswith("\n"):
            yield file, len(file.lines), "no line feed at the end"
        if file.path.endswith((".cc", ".h", ".py", ".sh", ".txt", ".cmake", ".json", ".yaml")):
            for number, line in enumerate(file.lines, 1):
                if line != line.rstrip():
                    yield file, number, "blanks at the end of the line"
                    break


def targets_not_globals(files):
    """Options belong to targets, and sources are listed."""
    calls = re.compile(
        r"^\s*(include_directories|link_directories|link_libraries|add_compile_options"
        r"|add_definitions|add_link_options|file\s*\(\s*GLOB\w*)\b"
    )
    for file in files:
        if not file.path.endswith("CMakeLists.txt"):
            continue
        for number, line in enumerate(file.lines, 1):
            match = calls.match(line)
            if match:
                yield file, number, f"{match.group(1)}: expected options of targets, sources by name"


RULES = (one_title, promises_have_issues, no_machine_paths, plain_text, targets_not_globals)
