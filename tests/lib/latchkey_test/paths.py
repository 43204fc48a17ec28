"""Where the tree is, and the build under test: LATCHKEY_BUILD_DIR, for the same tests to run on every preset."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = (ROOT / os.environ.get("LATCHKEY_BUILD_DIR", "build")).resolve()


def program(name):
    """The path of a built program, such as "latchkeyd" or "tests/plain-server"."""
    return _find(BUILD, name)


def foreign_client(name):
    """The path of a client on another library, such as "grpcpp-scenario": built under the preset release only."""
    return _find(ROOT / "build", f"tests/{name}")


def _find(build, name):
    path = build / "bin" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not built: cmake --preset release && cmake --build --preset release")
    return str(path)
