"""Python code of the contract, generated into the build tree: by grpcio-tools where this Python has them, as in
tests/interop, else by Debian's protoc and grpc_python_plugin. What generates must match what runs.

    from latchkey_test import stubs
    token_pb2 = stubs.messages("latchkey/v1/token.proto")
    token_grpc = stubs.services("latchkey/v1/token.proto")
"""

import fcntl
import importlib
import importlib.util
import shutil
import subprocess
import sys
from functools import cache

import grpc

from .paths import BUILD, ROOT

_PROTO = ROOT / "proto"
_HAS_TOOLS = importlib.util.find_spec("grpc_tools") is not None
_OUTPUT = BUILD / ("python-grpcio-tools" if _HAS_TOOLS else "python")
_STAMP = _OUTPUT / ".generated"


def messages(proto):
    return _import(proto, "_pb2")


def services(proto):
    return _import(proto, "_pb2_grpc")


def _import(proto, suffix):
    _prepare()
    return importlib.import_module(proto.removesuffix(".proto").replace("/", ".") + suffix)


@cache
def _prepare():
    """Generates what is out of date and lets Python find it, also grpc/health beside the installed package grpc."""
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    with open(_OUTPUT / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_stale():
            _generate()
    sys.path.insert(0, str(_OUTPUT))
    grpc.__path__.append(str(_OUTPUT / "grpc"))


def _is_stale():
    newest = max(path.stat().st_mtime for path in _PROTO.rglob("*.proto"))
    return not _STAMP.exists() or _STAMP.stat().st_mtime < newest


def _generate():
    protos = sorted(str(path.relative_to(_PROTO)) for path in _PROTO.rglob("*.proto"))
    subprocess.run([*_find_compiler(), "-I.", f"--python_out={_OUTPUT}", f"--grpc_python_out={_OUTPUT}", *protos],
                   cwd=_PROTO, check=True)
    _STAMP.touch()


def _find_compiler():
    if _HAS_TOOLS:
        return [sys.executable, "-m", "grpc_tools.protoc", f"-I{_find_well_known_protos()}"]
    plugin = shutil.which("grpc_python_plugin")
    if not plugin:
        raise FileNotFoundError("grpc_python_plugin is not installed (package protobuf-compiler-grpc)")
    return ["protoc", f"--plugin=protoc-gen-grpc_python={plugin}"]


def _find_well_known_protos():
    (directory,) = importlib.util.find_spec("grpc_tools").submodule_search_locations
    return f"{directory}/_proto"
