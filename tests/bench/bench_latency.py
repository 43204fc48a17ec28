"""Validate under an even load: latency from the scheduled instant

An open-loop client sends questions about a thousand tokens in turn, at random instants that do not wait for answers. All servers
are asked at the same rates, those that were asked for and shares of what ours can answer on its core. A server that cannot
keep up is not spared: what waits is counted from when it was due.
"""

import subprocess
from contextlib import ExitStack

import open_loop
import peer_builds
from figures import Figure
from pinned import SERVER_CORE, Yardstick, on_core
from validation import PATH, TOKENS, check_admits, framed, question

_LIMIT = "raw nghttp2"
_SHARES = (10, 50, 80)  # percent of our capacity; only the limit is asked beside us
_QUANTILES = (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))
_GOALS = {("20000 calls/s", "p99", "grpc-go"): 1 / 8, ("50000 calls/s", "p99", _LIMIT): 1.3,
          ("50000 calls/s", "p99", "tonic"): 1 / 3}


def run(world):
    filled = world.filled(TOKENS)
    bodies = world.file("latency.bodies", b"".join(framed(question(filled.data, secret))
                                                   for secret in filled.data.secrets))
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            ours = stack.enter_context(filled.validator())
        limit = {_LIMIT: stack.enter_context(Yardstick("bench-limit"))}
        peers = {**limit, **peer_builds.start(world, stack, ("tonic", "grpc-go", "pajamax"))}
        check_admits(ours, filled.data)
        figures = []
        for rate in (5000,) if world.quick else (20000, 50000):
            figures += _measure(f"{rate} calls/s", ours, peers, bodies, rate, world)
        capacity = open_loop.capacity(ours, PATH, bodies)
        for share in () if world.quick else _SHARES:
            figures += _measure(f"{share} % of capacity", ours, limit, bodies, capacity * share / 100, world)
    return figures


def _measure(case, ours, peers, bodies, rate, world):
    samples = {name: [] for name in ("ours", *peers)}
    for _ in world.rounds(3 if world.quick else 7):
        for name, server in {"ours": ours, **peers}.items():
            try:
                found = open_loop.ask(server, PATH, bodies, f"{rate:.0f}", 1 if world.quick else 2, may_fail=True)
            except (RuntimeError, subprocess.SubprocessError) as error:
                if name == "ours":
                    raise
                print(f"    {name} at {case}: {error}", flush=True)
                continue
            samples[name].append(found)
            if found["ok"] != found["sent"]:
                print(f"    {name} at {case}: {found['sent'] - found['ok']} of {found['sent']} calls not answered", flush=True)
    return [Figure("latency", f"{case}, {quantile}", [found[key] for found in samples["ours"]],
                   [found[key] for found in samples[name]], name, "us", _GOALS.get((case, quantile, name)))
            for quantile, key in _QUANTILES for name in peers if samples[name]]
