"""What the tests about processes killed in the middle of changes share: a deployment on a PostgreSQL of its own, with each of
the three management servers a process of its own behind a tap.

Of all pairs of a method and a (process, point) a run tries some, so that every method has its turn and every (process,
point) too; LATCHKEY_TEST_KILLS=all tries all of them. LATCHKEY_SEED repeats a run, and LATCHKEY_TEST_SHARE makes it shorter.
"""

import itertools
import os
import random

import grpc

from latchkey_test import QUIET, CallCase, Deployment, PrivatePostgres, Stage, contract, error_info
from latchkey_test.effect import Effect
from latchkey_test.repetition import content, with_id
from latchkey_test.strikes import Strike
from latchkey_test.tap import Tap, trips_of_last_call
from latchkey_test.waiting import wait_until

CHANGES = [method for method in contract.served_methods() if method.is_change]
SERVERS = {"TokenService": "latchkey-token", "WhitelistService": "latchkey-whitelist",
           "InvitationService": "latchkey-invitation", "MemberService": "latchkey-invitation",
           "CompanyService": "latchkey-invitation"}
# Drafts of stopped calls add up.
SETTINGS = {"latchkey-whitelist": QUIET}
SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
SHARE = int(os.environ.get("LATCHKEY_TEST_SHARE", "100"))
TRIES_ALL = os.environ.get("LATCHKEY_TEST_KILLS") == "all"
RANDOM = random.Random(SEED)


def choose(things, processes, points):
    """(thing, process, point) of each try."""
    print(f"LATCHKEY_SEED={SEED}", end=" ", flush=True)
    places = list(itertools.product(processes, points))
    if TRIES_ALL:
        return [(thing, *place) for thing in things for place in places]
    count = max(len(places), len(things) * SHARE // 100)
    chosen = zip(_again_and_again(things), _again_and_again(places))
    return [(thing, *place) for thing, place in itertools.islice(chosen, count)]


def _again_and_again(things):
    """In some order, which is another one each time."""
    while True:
        yield from RANDOM.sample(things, len(things))


class KillCase(CallCase):
    """`self.servers`: a method's service -> the server that serves it. What a change needs is made by another server, which
    nobody kills."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.deployment = cls.enterClassContext(Deployment(cls.postgres, **QUIET))
        cls.tap = cls.enterClassContext(Tap(cls.deployment.url))
        cls.stage = cls.enterClassContext(Stage(cls.deployment))
        started = {name: cls.enterClassContext(cls.deployment.beside(
            name, database_url=cls.tap.url, log_level="warning", **SETTINGS.get(name, {})))
                   for name in sorted(set(SERVERS.values()))}
        cls.servers = {service: started[name] for service, name in SERVERS.items()}

    def server_of(self, method):
        return self.servers[method.service]

    def call(self, method, request):
        """At the server that may be killed, over a connection of its own: none remembers that it was refused."""
        with self.stage.caller(method).at(self.server_of(method).address) as client:
            return client.call(method, request)

    def request(self, method):
        wait_until(self.is_stage_ready, 60, "the server that makes what a change needs")
        request = self.stage.request(method)
        return request if method.is_open else with_id(request)

    def is_stage_ready(self):
        caller, = (method for method in contract.served_methods() if method.name == "GetCaller")
        try:
            return self.stage.administrator.call(caller, caller.request())
        except grpc.RpcError:
            return None

    # ---- one call, whole and struck ----

    def measure(self, method):
        """(what one call does, how many trips it makes), after another of its kind: a list that was published then replaces
        one like it."""
        self.call_until_answered(method, self.request(method))
        request = self.request(method)
        effect = Effect(self.deployment)
        self.tap.take()
        self.call(method, request)
        return effect.since(), len(trips_of_last_call(self.tap.take()))

    def strike(self, method, point, kill, revive):
        """Kills in the middle of a call; (the error that the caller saw, its request, what was done, what one call does)."""
        once, trips = self.measure(method)
        request = self.request(method)
        effect, strike = Effect(self.deployment), Strike(point, kill)
        strike.arm(self.tap, self.deployment, before=RANDOM.randrange(trips - 1))
        try:
            with self.assertRaises(grpc.RpcError) as caught:
                self.call(method, request)
            self.assertTrue(self.tap.disarm())
        finally:
            revive()
            strike.end()
        return caught.exception, request, effect, once

    def assert_once(self, method, request, effect, once):
        """The request again, and again: it is there once."""
        first = self.call_until_answered(method, request)
        self.assertEqual(effect.since(), once, "asked again")
        second = self.call_until_answered(method, request)
        self.assertEqual(effect.since(), once, "asked once more")
        if not method.is_open:
            self.assertEqual(content(second), content(first))

    def call_until_answered(self, method, request):
        """By a server that recovers by itself."""
        return wait_until(lambda: self.try_to_call(method, request), 30, "an answer")

    def try_to_call(self, method, request):
        """The answer, or None where it is to come yet. A link that has been used is none any more: that is an answer, too."""
        try:
            return self.call(method, request)
        except grpc.RpcError as error:
            info = error_info(error)
            if method.name == "AcceptInvitation" and info and info.reason == "INVITATION_BROKEN":
                return info
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE, error.details())
            return None

    def assert_unavailable(self, error, reason):
        info = error_info(error)
        self.assertEqual((error.code(), info and info.reason), (grpc.StatusCode.UNAVAILABLE, reason), error.details())
