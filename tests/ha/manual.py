"""The commands that docs/operations.md tells an administrator to run."""

import re
import textwrap

from latchkey_test import ROOT

_MANUAL = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def commands(beginning):
    """Those of Backup and restore, from the comment that begins so to the next empty line."""
    section = re.search(r"^## Backup and restore$(.*?)^## ", _MANUAL, re.MULTILINE | re.DOTALL)[1]
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)]
    block, = (block for block in blocks if block.startswith(f"# {beginning}"))
    return block
