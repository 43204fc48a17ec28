#!/usr/bin/python3
"""Draws docs/architecture.md: layers, services and rooms as common/CMakeLists.txt and services/CMakeLists.txt declare them,
which tests/lint holds every #include to.

usage: docs/write_architecture.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = "docs/architecture.md"
BEGIN, END = "<!-- from here on written by docs/write_architecture.py -->\n", "<!-- to here -->\n"

sys.path.append(str(ROOT / "tests/lint"))
import include_rules  # noqa: E402  pylint: disable=wrong-import-position
from tree import Tree  # noqa: E402  pylint: disable=wrong-import-position


def direct(layer, depends):
    """The layers that it includes and that none of its others includes anyway."""
    below = depends[layer]
    return [name for name in below if not any(name in depends[other] for other in below)]


def draw(depends, services):
    yield "```mermaid"
    yield "flowchart TB"
    yield "  subgraph services"
    for service, rooms in services.items():
        if rooms:
            yield f"    subgraph {service}"
            yield from (f"      {service}_{upper}[{upper}] --> {service}_{lower}[{lower}]" for lower, upper in zip(rooms, rooms[1:]))
            yield "    end"
        else:
            yield f"    {service}"
    yield "  end"
    yield "  subgraph common"
    for layer in depends:
        yield from [f"    {layer} --> {below}" for below in direct(layer, depends)] or [f"    {layer}"]
    yield "  end"
    yield "  services --> common"
    yield "```"


def list_layers(depends, libraries):
    yield "| layer | may include | uses of other people's libraries |"
    yield "|---|---|---|"
    for layer, below in depends.items():
        yield f"| `common/{layer}` | {', '.join(below) or '-'} | {', '.join(libraries[layer]) or '-'} |"


def write(tree):
    """All that stands between the marks."""
    depends = include_rules.layers(tree)
    lines = [*draw(depends, include_rules.services(tree)), "", *list_layers(depends, include_rules.libraries(tree))]
    return "".join(f"{line}\n" for line in lines)


def split(page):
    """(before, written, after)."""
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    return before + BEGIN, written, END + after


def is_stale(tree):
    return split(tree.text(PAGE))[1] != write(tree)


def main():
    tree = Tree(ROOT)
    before, _, after = split(tree.text(PAGE))
    (ROOT / PAGE).write_text(before + write(tree) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
