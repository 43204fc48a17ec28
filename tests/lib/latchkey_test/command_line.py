"""The command line as a program, with nothing of Latchkey's in its environment but what the test puts there."""

import os
import subprocess

from .paths import program


def run_latchkey(*arguments, stdin="", **environment):
    """The finished process, its output as text. Variables are LATCHKEY_NAME=value; others of that prefix are not passed on."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
    return subprocess.run([program("latchkey"), *map(str, arguments)], env={**inherited, **environment}, input=stdin,
                          capture_output=True, text=True, timeout=120, check=False)
