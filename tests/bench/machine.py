"""Where and of what figures come: the machine, the commit, and the versions of what was measured."""

import os
import platform
import re
import subprocess
from pathlib import Path

from latchkey_test import ROOT

_PACKAGES = {"nghttp2": "libnghttp2-14", "OpenSSL": "libssl3", "PostgreSQL": "postgresql-15", "grpc++": "libgrpc++-dev",
             "DPDK": "libdpdk-dev", "liburcu": "liburcu8", "gcc": "gcc"}
# Where the source of a peer says its version.
_MANIFESTS = {"tonic": ("tonic/Cargo.toml", r'^tonic = "=(.+)"'), "pajamax": ("pajamax/Cargo.toml", r'^pajamax = "=(.+)"'),
              "grpc-go": ("grpc_go/go.mod", r"google.golang.org/grpc v(\S+)"),
              "grpc-java": ("grpc_java/pom.xml", r"<grpc.version>(.+)</grpc.version>")}


def describe(load):
    """What -> text. `load` is that of the machine at the start."""
    versions = [f"{name} {version}" for name, version in (*_find_packages(), *_find_peers())]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"machine": f"{_find_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, load {load:.1f} at the start",
            "system": f"{_find_system()}, Linux {platform.release()}", "versions": ", ".join(versions)}


def find_commit():
    """Ends with "-dirty" where anything but the page that is being written has changed since."""
    changed = _ask("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance*")
    return _ask("git", "describe", "--always") + ("-dirty" if changed else "")


def _ask(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _find_processor():
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="ascii"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _find_system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "")


def _find_packages():
    for name, package in _PACKAGES.items():
        if version := _ask("dpkg-query", "--show", "--showformat=${Version}", package):
            yield name, version


def _find_peers():
    for name, (manifest, pattern) in _MANIFESTS.items():
        yield name, re.search(pattern, (Path(__file__).parent / "peers" / manifest).read_text(encoding="utf-8"), re.MULTILINE)[1]
