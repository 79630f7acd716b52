"""The files that the house rules look at."""

import os
import re
import subprocess
from pathlib import Path

# Bytes that others made: captures of real programs, recorded pages, inputs of fuzzers.
FOREIGN = re.compile(r"^tests/(testdata|fuzz/corpus)/|/testdata/")

_TOKENS = re.compile(
    r'R"(?P<mark>[^ ()\\\t\n]{0,16})\((?:.|\n)*?\)(?P=mark)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'  # string
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'"  # character, not a digit separator
    r"|//[^\n]*"
    r"|/\*(?:.|\n)*?\*/"
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


class File:
    """One file: its path from the top with slashes, its text, and views of the text made once."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self._code = None

    @property
    def is_cpp(self):
        return self.path.endswith((".cc", ".h"))

    @property
    def is_test(self):
        return self.path.endswith("_test.cc")

    @property
    def folder(self):
        return os.path.dirname(self.path)

    @property
    def code(self):
        """C++ without comments and the insides of strings; lines keep their numbers."""
        if self._code is None:

            def blank(match):
                ends = "\n" * match.group().count("\n")
                return '""' + ends if match.group()[0] in "R\"'" else " " + ends

            self._code = _TOKENS.sub(blank, self.text)
        return self._code

    def includes(self):
        """(line, `<` or `"`, path) of each include."""
        for match in _INCLUDE.finditer(self.text):
            yield self.line_of(match.start()), match.group(1), match.group(2)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def code_matches(self, pattern):
        """(line, match) of each occurrence in the code."""
        for match in re.finditer(pattern, self.code):
            yield self.code.count("\n", 0, match.start()) + 1, match


def _names(root):
    inside = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True
    )
    if inside.returncode == 0 and Path(inside.stdout.strip()) == root:
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "-c", "-o", "--exclude-standard"],
            capture_output=True,
            check=True,
        )
        return {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}
    names = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", ".git", "__pycache__")]
        for name in files:
            names.add(os.path.relpath(os.path.join(folder, name), root))
    return names


def read_tree(root):
    """The project's own text files under `root`, those not committed yet included."""
    root = Path(root).resolve()
    files = []
    for name in sorted(_names(root)):
        path = root / name
        if FOREIGN.search(name) or path.is_symlink() or not path.is_file():
            continue
        try:
            files.append(File(name, path.read_bytes().decode("utf-8")))
        except UnicodeDecodeError:
            continue  # pictures
    return files
