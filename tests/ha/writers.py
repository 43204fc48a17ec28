"""Clients that make tokens and end some of them again, each request under a request_id until it is acknowledged, whatever becomes of
the database meanwhile.

    with Writers(system) as writers:
        ...
        writers.wait_for_more(20)
    writers.check(system)
"""

import collections
import functools
import time
import uuid

import grpc

from latchkey_test import error_info, stubs, uuid_of_id
from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")

CLIENTS = 4
_KEPT = 3  # of so many tokens one is left alone
_TIMEOUT = 300


class Writers(Background):
    def __init__(self, system):
        super().__init__(*[functools.partial(self._work, number) for number in range(CLIENTS)])
        self._system = system
        self.refusals = collections.Counter()  # (code, reason)
        self.kept, self.ended = [], []  # (token id, secret) as acknowledged; a replay has no secret
        self.acknowledged = []  # (sent at, answered at)

    def __enter__(self):
        super().__enter__()
        self.wait_for_more(10)
        return self

    def _work(self, number):
        """At the end each still has its last request acknowledged."""
        with self._system.deployment.administrator() as client:
            made = 0
            while not self.is_over.is_set():
                made += 1
                self._write(client, f"writer {number} token {made}", made % _KEPT == 0)

    def _write(self, client, label, keeps):
        made = self._until_acknowledged(client.tokens.CreateAccessToken, token_pb2.CreateAccessTokenRequest(
            label=label, request_id=str(uuid.uuid4())))
        token_id = made.access_token.token_id
        if not keeps:
            self._until_acknowledged(client.tokens.DeactivateAccessToken, token_pb2.DeactivateAccessTokenRequest(
                token_id=token_id, request_id=str(uuid.uuid4())))
        (self.kept if keeps else self.ended).append((token_id, made.secret))

    def _until_acknowledged(self, call, request):
        give_up = time.monotonic() + _TIMEOUT
        while True:
            sent_at = time.monotonic()
            try:
                answer = call(request, timeout=120)
            except grpc.RpcError as error:
                info = error_info(error)
                self.refusals[error.code(), info and info.reason] += 1
                if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > give_up:
                    raise
                time.sleep(0.05)  # as a client backs off
            else:
                self.acknowledged.append((sent_at, time.monotonic()))
                return answer

    def wait_for_more(self, count):
        wanted = len(self.acknowledged) + count
        wait_until(lambda: self.failure or len(self.acknowledged) >= wanted, _TIMEOUT, f"{count} more acknowledged changes")
        self._check_alive()

    def first_after(self, instant):
        """When the first change was acknowledged that was asked for after that."""
        return min(answered_at for sent_at, answered_at in self.acknowledged if sent_at > instant)

    def _check_alive(self):
        if self.failure:
            raise AssertionError(f"a writer heard {self.failure!r}; all refusals: {self.refusals}")

    def check(self, system):
        """Nothing acknowledged is lost, and no request was done twice; (tokens, tokens ended)."""
        self._check_alive()
        kept, ended = list(self.kept), list(self.ended)
        states = {str(token): ended_at is not None for token, ended_at in system.deployment.execute(
            "SELECT token_id, deactivated_at FROM latchkey.token")}
        lost = [token for token, _ in kept + ended if uuid_of_id(token) not in states]
        revived = [token for token, _ in ended if not states.get(uuid_of_id(token), True)]
        twice = system.deployment.execute(
            "SELECT label, count(*) FROM latchkey.token WHERE label LIKE 'writer %' GROUP BY 1 HAVING count(*) > 1")
        if lost or revived or twice:
            raise AssertionError(f"lost: {lost}\nnot ended any more: {revived}\ntwice: {twice}")
        return len(kept) + len(ended), len(ended)
