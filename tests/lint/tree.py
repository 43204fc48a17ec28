"""The working tree as the rules see it: every file that is, or would be, committed."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# A comment, a string or a character constant; group 1 is set for comments.
_NOT_CODE = re.compile(r"""(//[^\n]*|/\*.*?\*/)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class Tree:
    def __init__(self, root, build=None):
        self.root = Path(root)
        self.build = Path(build) if build else self.root / "build"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True).stdout
        self.files = sorted({name for name in listed.split("\0") if name and (self.root / name).is_file()})
        self.text = cache(self._read_text)

    def named(self, *suffixes, under=""):
        return [name for name in self.files if name.startswith(under) and name.endswith(suffixes)]

    def c_files(self):
        return self.named(".c", ".h")

    def code(self, name):
        """The C file without comments and literals, line numbers kept."""
        return _NOT_CODE.sub(lambda match: "\n" * match[0].count("\n") if match[1] else '""', self.text(name))

    def includes(self, name):
        """(line, header) of every #include."""
        text = self.text(name)
        return [(line_of(text, match.start(1)), match[1]) for match in _INCLUDE.finditer(text)]

    def search(self, name, pattern, text=None):
        """(line, match) of every match in the file, or in the text given in its place."""
        text = self.text(name) if text is None else text
        return [(line_of(text, match.start()), match) for match in pattern.finditer(text)]

    def _read_text(self, name):
        """The file's text; of a binary file the empty text."""
        data = (self.root / name).read_bytes()
        return "" if b"\0" in data else data.decode("utf-8", errors="replace")


def line_of(text, position):
    return text.count("\n", 0, position) + 1
