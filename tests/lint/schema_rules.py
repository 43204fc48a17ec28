"""What a file of the database schema may take from the programs that run while it is applied (docs/upgrade.md)."""

import re

from tree import Violation

_FILE = re.compile(r"common/db/schema/(\d{4})_\w+\.sql")
# The files of the first release: no program is older.
_FIRST_RELEASE = 26

# Comments, texts and the bodies of functions, which are looked up when they run.
_NOT_STATEMENTS = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:''|[^'])*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_CONTRACTING = re.compile(
    r"\bDROP\b|\bRENAME\b|\bREVOKE\b|\bTRUNCATE\b|\bSET\s+NOT\s+NULL\b|\bSET\s+SCHEMA\b|\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b"
    r"|\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b|\bCREATE\s+UNIQUE\s+INDEX\b"
    r"|\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?\w+\s+(?:(?!DEFAULT)[^,;])*\bNOT\s+NULL\b(?:(?!DEFAULT)[^,;])*(?=[,;])",
    re.IGNORECASE)
_BREAKS = re.compile(r"^-- Breaks (?:programs before (\d{4})|no program): \S", re.MULTILINE)


def schema_files_leave_older_programs_what_they_use(tree):
    """A file that takes something away says from which schema on programs work without it, or why nobody misses it."""
    for name in tree.files:
        match = _FILE.fullmatch(name)
        if not match or int(match[1]) <= _FIRST_RELEASE:
            continue
        text = tree.text(name)
        said = _BREAKS.search(text)
        if said and said[1] and int(said[1]) > int(match[1]):
            yield Violation(name, 1, f"breaks programs before {said[1]}, which is later than itself")
        statements = _NOT_STATEMENTS.sub(lambda blank: "\n" * blank[0].count("\n"), text)
        if not said:
            for line, taken in tree.search(name, _CONTRACTING, statements):
                yield Violation(name, line, f"{' '.join(taken[0].split())[:40]}: older programs may need it; the header lacks a line "
                                            "`-- Breaks programs before NNNN: why` or `-- Breaks no program: why`")


RULES = (schema_files_leave_older_programs_what_they_use,)
