"""Validate as the benchmarks ask it."""

import struct

from dataset import PERMISSION
from latchkey_test import Client, stubs

PATH = "/latchkey.v1.ValidationService/Validate"
TOKENS = 100000  # in the database that is asked


def messages():
    return stubs.messages("latchkey/v1/validation.proto")


def decision():
    return stubs.messages("latchkey/v1/decision.proto")


def question(data, secret):
    return messages().ValidateRequest(token=secret, client_ip=data.client_ip, permissions=[PERMISSION],
                                      channel=decision().CHANNEL_API)


def framed(message):
    """As a body of HTTP/2 carries it, uncompressed."""
    serialized = message.SerializeToString()
    return struct.pack(">BI", 0, len(serialized)) + serialized


def check_admits(server, data, tls=None):
    """A benchmark of refusals or errors would be one of something else. `tls`: as Client has it."""
    with Client(server.address, tls=tls) as client:
        for secret in (data.secrets[0], data.secrets[-1]):
            answer = client.validation.Validate(question(data, secret), timeout=10)
            if answer.decision != decision().DECISION_ALLOW:
                raise RuntimeError(f"{server.address} does not admit: {answer}")
