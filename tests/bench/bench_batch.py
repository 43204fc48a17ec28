"""Checks by the thousand: the server's CPU time for each, in batches and on streams, beside a call of its own

The same validator, questions and tokens as in `validate`, about a thousand tokens in turn; and what unary calls wait for while
somebody else sends batches as fast as they are answered.
"""

import threading
from contextlib import ExitStack

import open_loop
from figures import Figure
from latchkey_test import Client
from pinned import SERVER_CORE, cpu_ns_per_call, on_core
from validation import PATH, TOKENS, check_admits, decision, framed, messages, question

_SERVICE = "/latchkey.v1.ValidationService/"
_SIZES = (10, 100, 1000)
_CHECKS = 200000  # in a round
_GOAL = 1 / 6
_RATE, _SECONDS = 2000, 2


def run(world):
    filled = world.filled(TOKENS)
    questions = [question(filled.data, secret) for secret in filled.data.secrets[:max(_SIZES)]]
    unary = world.file("batch.unary", framed(questions[0]))
    bodies = {("ValidateBatch", size): world.file(f"batch.{size}", framed(messages().ValidateBatchRequest(requests=questions[:size])))
              for size in _SIZES}
    bodies["ValidateStream", 1000] = world.file("batch.stream", b"".join(
        framed(messages().ValidateStreamRequest(id=number, request=asked)) for number, asked in enumerate(questions)))
    samples = {case: [] for case in (*bodies, "unary")}
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            ours = stack.enter_context(filled.validator())
        check_admits(ours, filled.data)
        _check_batch_admits(ours, questions)
        for _ in world.rounds():
            samples["unary"].append(cpu_ns_per_call(ours, PATH, unary, 100, 10000))
            for (method, size), body in bodies.items():
                calls = _CHECKS // size
                samples[method, size].append(cpu_ns_per_call(ours, _SERVICE + method, body, 4, calls) / size)
        waits = [(_ask(ours, unary), _ask_beside_batches(ours, unary, bodies["ValidateBatch", 1000])) for _ in world.rounds(5)]
    return [Figure("batch", f"{method} of {size}", samples[method, size], samples["unary"], "unary, 100 streams", "CPU-ns/check",
                   _GOAL if size >= 100 else None) for method, size in bodies] + [
            Figure("batch", f"unary beside batches, {quantile}", [beside[key] for _, beside in waits],
                   [alone[key] for alone, _ in waits], "unary alone", "us")
            for quantile, key in (("p50", "p50_us"), ("p99", "p99_us"))]


def _check_batch_admits(server, questions):
    with Client(server.address) as client:
        answers = client.validation.ValidateBatch(messages().ValidateBatchRequest(requests=questions), timeout=10).responses
    if any(answer.decision != decision().DECISION_ALLOW for answer in answers):
        raise RuntimeError("a batch is not admitted")


def _ask(server, body):
    return open_loop.ask(server, PATH, body, _RATE, _SECONDS, connections=4)


def _ask_beside_batches(server, body, batch):
    """One connection has eight batches of a thousand under way, from before the first unary call to behind the last."""
    stop = threading.Event()

    def send():
        while not stop.is_set():
            cpu_ns_per_call(server, _SERVICE + "ValidateBatch", batch, 8, 200, connections=1)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        return _ask(server, body)
    finally:
        stop.set()
        thread.join()
