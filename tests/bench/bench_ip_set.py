"""An address looked up in lists of all sizes: CPU time for each look-up, bytes for each prefix, a change of one

The peers are asked the same questions (look_ups.h): a plain sorted array with binary search, which knows nothing of nesting
and ends; DPDK's rte_lpm (IPv4; where Debian's libdpdk-dev was there when this was built); bart (Go; where go is). Made-up
lists have the lengths of the Internet's routes, or are single hosts in the networks of a few providers.
"""

import json
import os
import random
import shutil
import subprocess
from ipaddress import IPv4Network, ip_network
from pathlib import Path

import country
from figures import Figure
from latchkey_test import BUILD, program
from pinned import CLIENT_CORE, on_core

_QUESTIONS = 200000
_PEER_GOAL = 1.5  # times the best public structure
_BYTES_GOAL = 10
_LPM_MAX = 100000  # it is filled in quadratic time
_CHANGE_GOAL_MS = 50
_BART = Path(__file__).parent / "peers" / "bart"
_LENGTHS = [(16, 2), (19, 4), (20, 6), (21, 6), (22, 14), (23, 12), (24, 56)]


def run(world):
    random.seed(1)
    figures = []
    peers = _find_peers(world)
    for name, prefixes in _lists(world):
        figures += _measure(world, name, prefixes, peers)
    return figures


def _lists(world):
    for count in (1, 8, 10, 100, 1000, 50000) + (() if world.quick else (1000000,)):
        yield f"{count} hosts", _hosts(count)
    routes = _routes(50000 if world.quick else 1000000)
    yield f"{len(routes)} routes", routes
    for code, version in [("DK", 4), ("DK", 6), ("US", 4)] + ([] if world.quick else [("all", 4), ("all", 6)]):
        yield f"{code}, IPv{version}", country.prefixes(code, version)


def _hosts(count):
    networks = [random.randrange(1 << 16) << 16 for _ in range(max(1, count // 2000))]
    found = set()
    while len(found) < count:
        found.add(random.choice(networks) + random.randrange(1 << 16))
    return [IPv4Network((address, 32)) for address in sorted(found)]


def _routes(count):
    """Apart from each other; some fewer, as routes lie inside others."""
    lengths, weights = zip(*_LENGTHS)
    drawn = {}
    while len(drawn) < count * 2:
        bits = random.choices(lengths, weights)[0]
        drawn[random.randrange(1 << 24, 224 << 24) >> (32 - bits) << (32 - bits)] = bits
    found, end = [], 0
    for address in sorted(drawn):
        if address >= end and len(found) < count:
            found.append(IPv4Network((address, drawn[address])))
            end = address + (1 << (32 - drawn[address]))
    return found


def _draw_questions(prefixes):
    """Half of them in a prefix, half anywhere between the first and the last."""
    first, last = int(prefixes[0][0]), int(prefixes[-1][-1])
    width = prefixes[0].max_prefixlen // 8
    drawn = bytearray()
    for i in range(_QUESTIONS):
        prefix = random.choice(prefixes)
        inside = int(prefix.network_address) + random.randrange(prefix.num_addresses)
        address = random.randint(first, last) if i % 2 else inside
        drawn += address.to_bytes(width, "big").ljust(16, b"\0")
    return bytes(drawn)


def _find_peers(world):
    peers = {"sorted array": program("tests/bench-sorted-array")}
    if os.path.exists(lpm := program("tests/bench-rte-lpm")):
        peers["DPDK rte_lpm"] = lpm
    if bart := _build_bart(world):
        peers["bart"] = bart
    return peers


def _build_bart(world):
    """The program, built once; None where that is not possible."""
    go, built = shutil.which("go"), BUILD / "bench" / "bart"
    if not go or built.exists():
        return built if built.exists() else None
    source = shutil.copytree(_BART, world.directory / "bart")
    for command in ([go, "get", "github.com/gaissmai/bart@v0.30.0"], [go, "build", "-o", str(built), "."]):
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            print(f"bart is left out: {done.stderr.strip()}", flush=True)
            return None
    return built


def _ask(path, *arguments):
    """The rounds, and what was said before them."""
    with on_core(CLIENT_CORE):
        said = subprocess.run([path, *arguments], capture_output=True, text=True, check=True, timeout=300).stdout
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    facts = {key: value for line in lines if "listed" not in line for key, value in line.items()}
    return [line for line in lines if "listed" in line], facts


def _measure(world, name, prefixes, peers):
    slug = name.replace(" ", "-").replace(",", "")
    files = [world.file(f"{slug}.txt", "".join(f"{prefix}\n" for prefix in prefixes).encode()),
             world.file(f"{slug}.questions", _draw_questions(prefixes))]
    ours, facts = _ask(program("tests/bench-ip-set"), *files)
    version = ip_network(prefixes[0]).version
    asked = {peer: _ask(path, *files)[0] for peer, path in peers.items()
             if peer != "DPDK rte_lpm" or (version == 4 and len(prefixes) <= _LPM_MAX)}
    for peer, rounds in asked.items():
        if rounds[0]["listed"] != ours[0]["listed"]:
            raise RuntimeError(f"{peer} and the set disagree about {name}")
    figures = [_compare(f"{name}, {mode}", mode, ours, peer, rounds, len(prefixes))
               for mode in ("independent", "dependent") for peer, rounds in asked.items()]
    if len(prefixes) < 100:
        return figures
    return figures + [
        Figure("ip_set", f"{name}, read by look-ups", [facts["hot_bytes"] / len(prefixes)], [_BYTES_GOAL], "the goal",
               "bytes/prefix", 1.0 if version == 4 else None),
        Figure("ip_set", f"{name}, one changed", [facts["change_ms"]], [facts["build_ms"]], "made anew", "ms"),
        Figure("ip_set", f"{name}, one changed", [facts["change_ms"]], [_CHANGE_GOAL_MS], "the goal", "ms", 1.0)]


def _compare(case, mode, ours, peer, rounds, count):
    is_public = peer != "sorted array"
    goal = _PEER_GOAL if is_public and count >= 500000 else 1.0 if not is_public and count >= 10 else None
    return Figure("ip_set", case, [found[mode] for found in ours], [found[mode] for found in rounds], peer, "CPU-ns/look-up",
                  goal)
