"""Validate under an even load: latency from the scheduled instant

An open-loop client sends questions about a thousand tokens in turn, at random instants that do not wait for answers.
"""

import json
import subprocess
from contextlib import ExitStack

from figures import Figure
from latchkey_test import program
from pinned import CLIENT_CORE, SERVER_CORE, Yardstick, on_core
from validation import PATH, TOKENS, check_admits, framed, question

_CONNECTIONS, _WARM_UP_S = 8, 0.3


def run(world):
    filled = world.filled(TOKENS)
    bodies = world.file("latency.bodies", b"".join(framed(question(filled.data, secret))
                                                   for secret in filled.data.secrets))
    rates = (5000,) if world.quick else (5000, 20000)
    figures = []
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            ours = stack.enter_context(filled.validator())
        limit = stack.enter_context(Yardstick("bench-limit"))
        check_admits(ours, filled.data)
        for rate in rates:
            samples = [(_ask(ours, bodies, rate, world), _ask(limit, bodies, rate, world))
                       for _ in world.rounds(5)]
            figures += [Figure("latency", f"{rate} calls/s, {quantile}", [pair[0][key] for pair in samples],
                               [pair[1][key] for pair in samples], "raw nghttp2", "us")
                        for quantile, key in (("p50", "p50_us"), ("p99", "p99_us"))]
    return figures


def _ask(server, bodies, rate, world):
    port = server.address.rsplit(":", 1)[1]
    seconds = 1 if world.quick else 3
    with on_core(CLIENT_CORE):
        done = subprocess.run([program("tests/bench-open-loop"), port, PATH, bodies, str(rate), str(seconds),
                               str(_WARM_UP_S), str(_CONNECTIONS)], capture_output=True, text=True, timeout=120,
                              check=False)
    if done.returncode != 0:
        raise RuntimeError(f"not every call was answered: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)
