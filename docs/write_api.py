#!/usr/bin/python3
"""Writes the second half of docs/api.md: what `latchkeyd methods` prints with the errors that the comments of the contract
name, and every request, answer, message and enumeration with its comments.

usage: docs/write_api.py [--check]

With --check it writes nothing, and ends with 1 when the page is not the one that it would write. The build under
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
_COMMENT = re.compile(r"\s*// ?(.*)")
_OPENING = re.compile(r"(message|enum|oneof|service) (\w+) \{(\}?)")
_FIELD = re.compile(r"(repeated |map<\w+, \w+> )?([\w.<>, ]*?) ?(\w+) = (\d+);")
_WHO = re.compile(r"(?:Needs|Any caller)\b")


INTRODUCTION = """
## Requests and answers

Not repeated below, since they mean the same everywhere: every change takes `request_id` and `wait_for_validators`, and answers
`revision` and, if it waited, `validators`; an update takes the resource and `update_mask`; a list takes `page_size` and
`page_token` and answers `next_page_token`, empty on the last page; what answers a secret answers `secret_withheld` in its place
on a repeated request. Times are Timestamp, spans Duration, ids and addresses text. In JSON `update_mask` is a text with commas,
`"label,expiresAt"`; grpcurl wants it as `{"paths": ["label", "expires_at"]}`.
"""

# Fields that mean the same wherever they stand; the page says them once, above.
COMMON = {"request_id", "wait_for_validators", "revision", "validators", "page_size", "page_token", "next_page_token",
          "update_mask", "secret_withheld"}


def served_methods():
    """Path -> (kind, permission or "-"), of the binary."""
    program = ROOT / os.environ.get("LATCHKEY_BUILD_DIR", "build") / "bin/latchkeyd"
    printed = subprocess.run([program, "methods"], stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = (line.split("\t") for line in printed.splitlines())
    return {path: (kind, permission) for path, kind, permission in lines}


class Block:
    """A message or an enumeration: its comment and its fields as (name, type, comment)."""

    def __init__(self, kind, comment):
        self.kind, self.comment, self.fields = kind, comment, []


def parse_blocks(text):
    """Name -> Block, in the order of the file."""
    blocks, comment, stack = {}, [], []
    for line in text.splitlines():
        if match := _COMMENT.fullmatch(line):
            comment.append(match[1])
            continue
        line = line.strip()
        if match := _OPENING.fullmatch(line):
            kind, name, is_empty = match.groups()
            block = stack[-1] if kind == "oneof" else Block(kind, " ".join(comment))
            if kind in ("message", "enum"):
                blocks[name] = block
            if not is_empty:
                stack.append(block)
        elif line == "}" and stack:
            stack.pop()
        elif stack and (match := _FIELD.fullmatch(line)):
            label, kind, name, _ = match.groups()
            stack[-1].fields.append((name, describe_type(label or "", kind), " ".join(comment)))
        comment = []
    return blocks


def describe_type(label, kind):
    kind = kind.removeprefix("google.protobuf.").removeprefix("google.rpc.")
    if label.startswith("map"):
        return "map of text to text"
    kind = {"string": "text", "bool": "yes or no"}.get(kind, kind)
    return f"list of {kind}" if label.startswith("repeated") else kind


def contract():
    """Service -> ([(method, its comment as one paragraph list)], the blocks of its file), in the order of the contract."""
    for path in sorted((ROOT / "proto/latchkey/v1").glob("*.proto")):
        text = path.read_text(encoding="utf-8")
        for name, body in _SERVICE.findall(text):
            methods = [(method, paragraphs(comment)) for comment, method in _METHOD.findall(body)]
            yield f"latchkey.v1.{name}", (methods, parse_blocks(text))


def shared_blocks():
    """Of the files that hold no service."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "proto/latchkey/v1").glob("*.proto"))]
    return {name: block for text in texts if not _SERVICE.search(text) for name, block in parse_blocks(text).items()}


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


def field_lines(fields, left_out=()):
    for name, kind, comment in fields:
        if name not in left_out:
            yield f"- `{name}` ({kind}): {comment}\n" if kind else f"- `{name}`: {comment}\n"


def method_lines(method, text, blocks):
    """What it does, what it takes and what it answers."""
    said = " ".join(part for part in text if not part.startswith("Errors"))
    yield f"\n**{method}**: {said}\n"
    for word, block in (("takes", blocks[f"{method}Request"]), ("answers", blocks[f"{method}Response"])):
        lines = list(field_lines(block.fields, COMMON))
        if lines:
            yield f"\n{word}\n\n"
            yield from lines


def block_lines(name, block):
    yield f"\n**{name}**: {block.comment}\n\n"
    yield from field_lines((field, "" if block.kind == "enum" else kind, comment) for field, kind, comment in block.fields)


def detail_lines(name, methods, blocks, shared):
    yield f"\n### {name.removeprefix('latchkey.v1.')}: requests and answers\n"
    for method, text in methods:
        yield from method_lines(method, text, {**shared, **blocks})
    spoken = {f"{method}{end}" for method, _ in methods for end in ("Request", "Response")}
    others = {other: block for other, block in blocks.items() if other not in spoken}
    for other, block in others.items():
        yield from block_lines(other, block)


def page():
    served = served_methods()
    services = dict(contract())
    known = {f"/{name}/{method}" for name, (methods, _) in services.items() for method, _ in methods}
    foreign = [path for path in served if path.startswith("/latchkey.") and path not in known]
    if foreign:
        sys.exit(f"served, but not in the contract: {', '.join(foreign)}")
    for name, (methods, _) in services.items():
        yield from service_lines(name, methods, served)
    yield INTRODUCTION
    shared = shared_blocks()
    for name, (methods, blocks) in services.items():
        yield from detail_lines(name, methods, blocks, shared)
    yield "\n### Of several services\n"
    for name, block in shared.items():
        yield from block_lines(name, block)


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    present = PAGE.read_text(encoding="utf-8")
    wanted = present.split(BEGIN)[0] + BEGIN + "".join(page())
    if not arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif present != wanted:
        sys.stdout.writelines(difflib.unified_diff(present.splitlines(True), wanted.splitlines(True), "docs/api.md", "wanted"))
        sys.exit("docs/api.md is not what the contract and the method tables say; run docs/write_api.py")


if __name__ == "__main__":
    main(sys.argv[1:])
