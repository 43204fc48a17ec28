"""A validator of a half of the lanes beside one of all: its memory and its start; and what a feed and an answer take of the network

Companies are not spread evenly, so the peer is the whole's cost times the half's share of the tokens. docs/scaling.md extrapolates
from these figures.

A feed's bytes are those that its feeder has sent when a validator was fed with everything, and in 200 changes of a token each:
over HTTP/2, as they are on the wire without TLS. Their peer is what COPY (FORMAT binary) sends of the same row.

An answer's are those to gRPC's C library on a connection that has been in use, one call at a time, each about another token; the peer is
the message alone. What comes in is counted without HTTP/2's own bytes, and so not shown.
"""

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

from bench_memory import _copied_bytes
from dataset import PERMISSION
from figures import Figure
from latchkey_test import Client, FedServer, program, stubs
from latchkey_test.waiting import wait_until

_decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
_validation_pb2 = stubs.messages("latchkey/v1/validation.proto")

_LANES = "0-31"
_MEMORY_GOAL = 1.1
_CHANGES = 200
_CHECKS = 1000
_SENT = "latchkey_sent_bytes_total"
_SHARE = """SELECT avg((latchkey.company_lane(company_id) < 32)::integer)::float FROM latchkey.token"""
_SOME = "SELECT token_id FROM latchkey.token ORDER BY token_id LIMIT %s"


def run(world):
    small, large = world.filled(world.small), world.filled(world.large)
    return [*_of_halves(world, small, large), *_of_feeds(world, large), *_of_checks(small)]


def _of_halves(world, small, large):
    share = _ask(large, _SHARE)
    memory, start = ([], []), ([], [])
    for _ in world.rounds(3):
        for of, settings in enumerate(({"lanes": _LANES}, {})):
            bytes_of = []
            for filled in (small, large):
                with filled.validator(**settings) as validator:
                    bytes_of.append(_resident_bytes(validator))
                    seconds = _metric(validator, "latchkey_follower_load_seconds")
            memory[of].append((bytes_of[1] - bytes_of[0]) / 1e6)
            start[of].append(seconds * 1e3)
    case = f"lanes {_LANES}, {share:.0%} of {world.large} tokens"
    goal = None if world.quick else _MEMORY_GOAL  # records come by 6 MB, which is much beside few of them
    return [Figure("lanes", f"{case}: memory", memory[0], [share * whole for whole in memory[1]], "its share of the whole", "MB", goal),
            Figure("lanes", f"{case}: load", start[0], [share * whole for whole in start[1]], "its share of the whole", "ms")]


def _of_feeds(world, filled):
    operator = _Operator(world, filled)
    rows = _copied_bytes(filled) / world.large
    with filled.validator(poll_interval="60s") as feeder:
        before = _metric(feeder, "latchkey_sent_bytes_total")
        with FedServer(operator, feeder.address, poll_interval="60s") as fed:
            snapshot = (_metric(feeder, "latchkey_sent_bytes_total") - before) / world.large
            change = _bytes_of_changes(filled, feeder, fed)
    case = f"fed with {world.large} tokens"
    return [Figure("lanes", f"{case}: a token", [snapshot], [rows], "COPY's bytes", "B"),
            Figure("lanes", f"{case}: a change", [change], [rows], "COPY's bytes", "B")]


def _bytes_of_changes(filled, feeder, fed):
    before = _metric(feeder, "latchkey_sent_bytes_total")
    applied = _metric(fed, "latchkey_follower_changes_total")
    with closing(filled.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(_SOME, (_CHANGES,))
        for token, in cursor.fetchall():
            cursor.execute("UPDATE latchkey.token SET channels = 3 - channels %% 2 WHERE token_id = %s", (token,))
            cursor.execute("NOTIFY latchkey_change")
    wait_until(lambda: _metric(fed, "latchkey_follower_changes_total") >= applied + _CHANGES, 60, "the changes to be fed")
    return (_metric(feeder, "latchkey_sent_bytes_total") - before) / _CHANGES


def _of_checks(filled):
    requests = [_validation_pb2.ValidateRequest(token=secret, channel=_decision_pb2.CHANNEL_API, client_ip=filled.data.client_ip,
                                                permissions=[PERMISSION]) for secret in filled.data.secrets[:_CHECKS]]
    with filled.validator() as validator, Client(validator.address) as client:
        def ask():
            return [client.validation.Validate(request, timeout=60) for request in requests]
        ask()
        before = _metric(validator, _SENT)
        answers = ask()
        sent = _metric(validator, _SENT) - before
    assert {answer.decision for answer in answers} == {_decision_pb2.DECISION_ALLOW}
    return [Figure("lanes", "an answer of Validate", [sent / len(answers)], [sum(map(_message_bytes, answers)) / len(answers)], "the message", "B")]


def _message_bytes(message):
    return message.ByteSize() + 5  # as gRPC frames it


class _Operator:
    """The secrets of a deployment that has only an operator, who may watch."""

    def __init__(self, world, filled):
        path = world.directory / "operator.env"
        subprocess.run([program("latchkey"), "bootstrap", "--env-file", path], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LATCHKEY_DATABASE_URL": filled.url})
        secret, = re.findall(r"LATCHKEY_OPERATOR_TOKEN=['\"]?([^'\"\n]+)", path.read_text())
        self.secrets = {"LATCHKEY_OPERATOR_TOKEN": secret}


def _ask(filled, statement):
    with closing(filled.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _resident_bytes(server):
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


def _metric(server, name):
    return sum(float(line.split()[-1]) for line in server.admin("/metrics")[1].splitlines() if line.startswith(name + " "))
