"""Traefik asking at the door, as docs/http.md configures it. tests/interop/run.sh has put it into build/interop."""

import sys
import unittest

from latchkey_test import ROOT

sys.path.insert(0, str(ROOT / "tests/integration"))
from door_case import DoorCase  # noqa: E402
from proxy_case import Behind, Proxy  # noqa: E402

PROGRAM = ROOT / "build/interop/venv/bin/traefik"


class Traefik(Proxy):
    """The block's first line is the command that runs it."""

    language = "yaml"

    def command(self, text):
        (self.directory / "latchkey.yaml").write_text(text, encoding="ascii")
        name, *options = text.partition("\n")[0].removeprefix("# ").split()
        assert name == "traefik", name
        return PROGRAM, *options, "--global.checknewversion=false", "--global.sendanonymoususage=false"


class BehindTraefik(Behind, DoorCase):
    kind = Traefik
    undecided = (503, "1")


if __name__ == "__main__":
    unittest.main()
