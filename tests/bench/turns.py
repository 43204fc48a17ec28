"""Servers driven in turn, so that what disturbs the machine disturbs all of them."""

import subprocess

from pinned import cpu_ns_per_call

# Calls under way on each connection -> calls in a round. Rounds are short and many: a disturbance then spoils few.
_CALLS = {1: 2000, 10: 5000, 100: 10000}
_WARM_UP_CALLS = 20000  # enough for compilers that work at run time
STREAMS = tuple(_CALLS)


def measure(servers, path, body, world):
    """(name of the server, streams) -> CPU-ns of the server for each call, a sample a round. A peer that fails is left out."""
    servers = dict(servers)
    samples = {(name, streams): [] for name in servers for streams in STREAMS}

    def ask(name, streams, calls):
        try:
            samples[name, streams].append(cpu_ns_per_call(servers[name], path, body, streams, calls))
        except (RuntimeError, subprocess.SubprocessError) as error:
            if name == "ours":
                raise
            print(f"    {name} is left out: {error}", flush=True)
            del servers[name]
    for name in tuple(servers):
        ask(name, 100, _WARM_UP_CALLS)
    for found in samples.values():
        found.clear()
    for _ in world.rounds():
        for streams, calls in _CALLS.items():
            for name in tuple(servers):
                ask(name, streams, calls)
    return {(name, streams): found for (name, streams), found in samples.items() if name in servers}
