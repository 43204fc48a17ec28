"""Servers driven in turn, so that what disturbs the machine disturbs all of them."""

from pinned import cpu_ns_per_call

# Calls under way on each connection -> calls in a round of --quick.
_CALLS = {1: 10000, 10: 25000, 100: 50000}
STREAMS = tuple(_CALLS)


def measure(servers, path, body, world):
    """(name of the server, streams) -> CPU-ns of the server for each call, a sample a round."""
    factor = 1 if world.quick else 4
    samples = {(name, streams): [] for name in servers for streams in STREAMS}
    for server in servers.values():
        cpu_ns_per_call(server, path, body, 10, 2000)
    for _ in range(world.rounds):
        for streams, calls in _CALLS.items():
            for name, server in servers.items():
                samples[name, streams].append(cpu_ns_per_call(server, path, body, streams, calls * factor))
    return samples
