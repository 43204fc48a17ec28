"""A soak: a validator at half of what it can answer, while tokens change: every tenth of the time beside the first

Ten minutes, or what --soak says. A client asks about a thousand tokens in turn at an even rate; beside it tokens are suspended
and resumed, so that what a change leaves behind would show. Memory must stay, and so must the cost of a call.
"""

import itertools
import time
from contextlib import ExitStack, closing
from statistics import median

import open_loop
from figures import Figure
from latchkey_test.background import Background
from pinned import SERVER_CORE, cpu_ns, on_core, resident_bytes
from validation import PATH, TOKENS, check_admits, framed, question

_TENTHS = 10
_SAMPLE_S = 5
_CHANGES_PER_S = 50
_MEMORY_GOAL, _CPU_GOAL = 1.02, 1.05
_IDS = """
SELECT token_id::text FROM latchkey.token t JOIN latchkey.company c USING (company_id) WHERE c.name <> 'Bench 0' LIMIT 1000
"""
_CHANGE = "UPDATE latchkey.token SET suspended = NOT suspended WHERE token_id = %s"
# What, unit, goal of the last tenth.
_MEASURED = (("resident memory", "KiB", _MEMORY_GOAL), ("an answered call", "CPU-ns", _CPU_GOAL), ("p99", "us", None))


def run(world):
    filled = world.filled(TOKENS)
    bodies = world.file("soak.bodies", b"".join(framed(question(filled.data, secret)) for secret in filled.data.secrets))
    sample_s = min(_SAMPLE_S, world.soak_s / _TENTHS)
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(filled.validator())
        check_admits(server, filled.data)
        rate = open_loop.capacity(server, PATH, bodies) / 2
        stack.enter_context(_Changes(filled))
        samples = []
        end = time.monotonic() + world.soak_s
        while len(samples) < _TENTHS or time.monotonic() < end:
            samples.append(_sample(server, bodies, rate, sample_s))
    return list(_compare(samples))


def _sample(server, bodies, rate, seconds):
    before = cpu_ns(server.pid)
    found = open_loop.ask(server, PATH, bodies, f"{rate:.0f}", seconds, may_fail=True)  # a busy machine's server sheds load
    return {"resident memory": resident_bytes(server.pid) / 1024, "an answered call": (cpu_ns(server.pid) - before) / found["ok"],
            "p99": found["p99_us"]}


def _compare(samples):
    bounds = [len(samples) * tenth // _TENTHS for tenth in range(_TENTHS + 1)]
    tenths = [samples[begin:end] for begin, end in zip(bounds, bounds[1:])]
    for name, unit, goal in _MEASURED:
        first = median(sample[name] for sample in tenths[0])
        for number, tenth in enumerate(tenths[1:], 2):
            yield Figure("soak", f"{name}, tenth {number}", [sample[name] for sample in tenth], [first] * len(tenth), "the first",
                         unit, goal if number == _TENTHS else None)


class _Changes(Background):
    """Tokens of other companies are suspended and resumed, one after the other, until the block ends."""

    def __init__(self, filled):
        super().__init__(self._change)
        self._filled = filled

    def _change(self):
        with closing(self._filled.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(_IDS)
            for (token_id,) in itertools.cycle(cursor.fetchall()):
                cursor.execute(_CHANGE, (token_id,))
                if self.is_over.wait(1 / _CHANGES_PER_S):
                    return
