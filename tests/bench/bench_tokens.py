"""Validate among 10 million tokens, asked at random and as the world asks, beside a thousand of them: CPU time for each call

The rows are in PostgreSQL, and a validator has loaded them. A tenth of the tokens, spread over all companies, is asked about:
each as likely as the next (uniform), the n-th an n-th as often as the first (Zipf), and a thousand in turn, which stay in
the cache. The server is asked in a closed loop, while the database stands still. With --quick they are 200 000.
"""

import random
from contextlib import ExitStack
from itertools import accumulate

import dataset
import open_loop
from figures import Figure
from pinned import SERVER_CORE, on_core
from validation import PATH, check_admits, framed, question
from world import Filled

_WARM = 1000
_GOAL = 1.3
_STREAMS = (10, 100)
_SECONDS = 1


def run(world):
    filled = Filled(world.postgres(), 200_000 if world.quick else 10_000_000, dataset.fill_for_all)
    asked = {name: world.file(f"tokens.{name}", b"".join(questions)) for name, questions in _draw(filled.data).items()}
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(filled.validator(use_flush_interval="1m", max_staleness="1h"))
        check_admits(server, filled.data)
        stack.enter_context(world.database_at_rest())
        samples = _measure(world, server, asked)
    return [Figure("tokens", f"{name}, {streams} streams", samples[name, streams], samples["warm", streams], f"{_WARM} tokens",
                   "CPU-ns/call", _GOAL if (name, streams) == ("uniform", 100) else None)
            for streams in _STREAMS for name in ("uniform", "Zipf")]


def _draw(data):
    """Name -> framed questions, in the order in which they are asked."""
    framed_ones = [framed(question(data, secret)) for secret in data.secrets]
    weights = list(accumulate(1 / n for n in range(1, len(framed_ones) + 1)))
    return {"warm": framed_ones[:_WARM], "uniform": framed_ones,
            "Zipf": random.Random(1).choices(framed_ones, cum_weights=weights, k=len(framed_ones))}


def _measure(world, server, asked):
    samples = {(name, streams): [] for name in asked for streams in _STREAMS}
    for _ in world.rounds(3 if world.quick else 10):
        for streams in _STREAMS:
            for name, bodies in asked.items():
                samples[name, streams].append(open_loop.cpu_ns_per_call(server, PATH, bodies, streams, _SECONDS))
    return samples
