"""Peers that are built on demand, out of the registries of their languages: peers/NAME has the source and a build.sh."""

import shutil
import subprocess
from pathlib import Path

from latchkey_test import BUILD, ROOT
from pinned import Yardstick

_SOURCES = Path(__file__).parent / "peers"
_MINUTES = 10

# What each is called in tables -> its directory, and the tools that it is built with.
_PEERS = {
    "tonic": ("tonic", ("cargo", "protoc")),
    "grpc-java": ("grpc_java", ("java", "mvn")),
    "grpc-go": ("grpc_go", ("go", "protoc")),
    "pajamax": ("pajamax", ("cargo", "protoc")),
}


def start(world, stack, names=tuple(_PEERS)):
    """Name -> server, on the server's core, of those that could be had; of the others it is said why not."""
    servers = {}
    for name in names:
        try:
            servers[name] = stack.enter_context(Yardstick(_build(world, *_PEERS[name])))
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"    {name} is left out: {error}", flush=True)
    return servers


def _build(world, directory, tools):
    """The path of its server. A quick benchmark waits for no compiler."""
    built = BUILD / "bench" / "peers" / directory
    if (built / "server").exists():
        return built / "server"
    if world.quick:
        raise RuntimeError("it is not built, and this run is quick")
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        raise RuntimeError(f"{missing[0]} is not there")
    shutil.copytree(_SOURCES / directory, built, dirs_exist_ok=True)
    done = subprocess.run(["./build.sh", str(ROOT / "proto")], cwd=built, capture_output=True, text=True, check=False,
                          timeout=_MINUTES * 60)
    if done.returncode != 0:
        raise RuntimeError(f"it does not build: {(done.stderr + done.stdout).strip()[:2000]}")
    return built / "server"
