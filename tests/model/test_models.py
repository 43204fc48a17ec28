"""The models of docs/model, checked by spin: each as it is, in every state that it can reach, and with each fault that it names.

A fault (WRONG_...) must break an assertion: then the model sees what the rule is for. A claim that something never happens
(REACH_...) must be broken, too: then the model is not right because nothing ever happens in it.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

_MODELS = Path(__file__).resolve().parents[2] / "docs/model"
_DEPTH, _TIMEOUT_S = 1_000_000, 600


def check(model, variant):
    """What the verifier said, every state searched or the first violation found."""
    with tempfile.TemporaryDirectory() as directory:
        def run(*command):
            return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        made = run("spin", "-a", *([f"-D{variant}"] if variant else []), str(model))
        if made.returncode != 0:
            raise AssertionError(made.stdout + made.stderr)
        built = run("cc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c")
        if built.returncode != 0:
            raise AssertionError(built.stderr)
        return run("./pan", f"-m{_DEPTH}", "-E").stdout


class Models(unittest.TestCase):
    """Made below: a case for each model, and for each of its variants."""

    def setUp(self):
        self.assertTrue(shutil.which("spin"), "spin is not installed")

    def holds(self, model):
        said = check(model, None)
        self.assertRegex(said, r"errors: 0\b", said)
        self.assertNotIn("max search depth too small", said)
        self.assertNotIn("Search not completed", said)

    def breaks(self, model, variant):
        said = check(model, variant)
        self.assertIn("assertion violated", said.split("Full statespace")[0], f"{variant} breaks nothing:\n{said}")


def _add(name, method, *arguments):
    setattr(Models, f"test_{name}", lambda self: getattr(self, method)(*arguments))


for _model in sorted(_MODELS.glob("*.pml")):
    _add(_model.stem, "holds", _model)
    for _variant in sorted(set(re.findall(r"\b(?:WRONG|REACH)_\w+", _model.read_text(encoding="utf-8")))):
        _add(f"{_model.stem}_{_variant.lower()}", "breaks", _model, _variant)


if __name__ == "__main__":
    unittest.main()
