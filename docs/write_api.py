#!/usr/bin/python3
"""Writes the table of docs/api.md: what `latchkeyd methods` prints, with the errors that the comments of the contract name.

usage: docs/write_api.py [--check]

With --check it writes nothing, and ends with 1 when the table is not the one that it would write. The build under
LATCHKEY_BUILD_DIR (default build) must hold latchkeyd.
"""

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/api.md"
BEGIN = "<!-- from here on written by docs/write_api.py -->\n"

_SERVICE = re.compile(r"^service (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_METHOD = re.compile(r"((?:^  //.*\n)+)  rpc (\w+)\(", re.MULTILINE)
_WHO = re.compile(r"(?:Needs|Any caller)\b")


def served_methods():
    """Path -> (kind, permission or "-"), of the binary."""
    program = ROOT / os.environ.get("LATCHKEY_BUILD_DIR", "build") / "bin/latchkeyd"
    printed = subprocess.run([program, "methods"], stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = (line.split("\t") for line in printed.splitlines())
    return {path: (kind, permission) for path, kind, permission in lines}


def contract():
    """Service -> [(method, its comment as one paragraph list)], in the order of the contract."""
    for path in sorted((ROOT / "proto/latchkey/v1").glob("*.proto")):
        for name, body in _SERVICE.findall(path.read_text(encoding="utf-8")):
            yield f"latchkey.v1.{name}", [(method, paragraphs(comment)) for comment, method in _METHOD.findall(body)]


def paragraphs(comment):
    lines = (line.strip()[2:].strip() for line in comment.splitlines())
    return [" ".join(part.split("\n")) for part in "\n".join(lines).split("\n\n")]


def who_may_call(path, permission, text):
    """The permission of the method table; where the handler decides, the sentence of the comment."""
    if permission != "-":
        return f"`{permission}`"
    sentences = [sentence for sentence in re.split(r"(?<=\.)\s+", text[0]) if _WHO.match(sentence)]
    if not sentences:
        sys.exit(f"{path}: its row names no permission and its comment has no sentence with Needs or Any caller")
    return " ".join(sentences).removeprefix("Needs ").removesuffix(".")


def errors(text):
    named = (re.sub(r"^Errors[^:]*: ", "", part) for part in text if part.startswith("Errors"))
    return next(named, "").removesuffix(".") or "none of its own"


def service_lines(name, methods, served):
    rows, missing = [], []
    for method, text in methods:
        path = f"/{name}/{method}"
        if path not in served:
            missing.append(method)
            continue
        kind, permission = served[path]
        rows.append(f"| {method} | {kind} | {who_may_call(path, permission, text)} | {errors(text)} |\n")
    yield f"\n### {name}\n"
    if rows:
        yield "\n| method | kind | who may call it | errors of its own |\n|---|---|---|---|\n"
        yield from rows
    if missing:
        yield f"\nIn the contract, not served yet (UNIMPLEMENTED): {', '.join(missing)}.\n"


def table():
    served = served_methods()
    services = dict(contract())
    known = {f"/{name}/{method}" for name, methods in services.items() for method, _ in methods}
    foreign = [path for path in served if path.startswith("/latchkey.") and path not in known]
    if foreign:
        sys.exit(f"served, but not in the contract: {', '.join(foreign)}")
    return "".join(line for name, methods in services.items() for line in service_lines(name, methods, served))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    present = PAGE.read_text(encoding="utf-8")
    wanted = present.split(BEGIN)[0] + BEGIN + table()
    if not arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif present != wanted:
        sys.stdout.writelines(difflib.unified_diff(present.splitlines(True), wanted.splitlines(True), "docs/api.md", "wanted"))
        sys.exit("docs/api.md is not what the method tables say; run docs/write_api.py")


if __name__ == "__main__":
    main(sys.argv[1:])
