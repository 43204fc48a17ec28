"""Servers driven in turn, so that what disturbs the machine disturbs all of them."""

from pinned import cpu_ns_per_call

# Calls under way on each connection -> calls in a round. Rounds are short and many: a disturbance then spoils few.
_CALLS = {1: 2000, 10: 5000, 100: 10000}
STREAMS = tuple(_CALLS)


def measure(servers, path, body, world):
    """(name of the server, streams) -> CPU-ns of the server for each call, a sample a round."""
    samples = {(name, streams): [] for name in servers for streams in STREAMS}
    for server in servers.values():
        cpu_ns_per_call(server, path, body, 10, 2000)
    for _ in world.rounds():
        for streams, calls in _CALLS.items():
            for name, server in servers.items():
                samples[name, streams].append(cpu_ns_per_call(server, path, body, streams, calls))
    return samples
