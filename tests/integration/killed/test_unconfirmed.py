"""A COMMIT whose wait for the standby is cut short is on one disk alone: everybody sees it, and a failover may lose it. Nobody is
told that it is done, however often he asks, until the standby has it."""

import unittest
from contextlib import closing

import grpc
from psycopg2.extensions import make_dsn

from latchkey_test import (QUIET, CallCase, Client, Deployment, PrivatePostgres, Stage, StandbyPostgres, contract,
                           error_info)
from latchkey_test.effect import Effect
from latchkey_test.repetition import content, with_id
from latchkey_test.waiting import wait_until

METHODS = {method.name: method for method in contract.served_methods()}
CUT_SHORT = ("SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
             " WHERE wait_event = 'SyncRep' AND application_name LIKE 'latchkey%'")


class Unconfirmed(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.deployment = cls.enterClassContext(Deployment(cls.postgres, **QUIET))
        cls.stage = Stage(cls.deployment)
        cls.addClassCleanup(cls.stage.close)

    def call_cut_short(self, method, request):
        """What the caller hears when each wait for the standby is cut short."""
        call = self.stage.caller(method).begin(method, request, timeout=60)

        def is_over():
            self.postgres.execute(CUT_SHORT)
            return call.done()

        wait_until(is_over, 60, "an answer")
        error = call.exception()
        self.assertIsInstance(error, grpc.RpcError, "acknowledged without the standby")
        info = error_info(error)
        self.assertEqual((error.code(), info and info.reason), (grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"), error.details())

    def check(self, name, *requests):
        """The requests one after the other, each cut short, and then once more with the standby there."""
        method, effect = METHODS[name], Effect(self.deployment)
        self.postgres.hold_commits()
        try:
            for request in requests:
                self.call_cut_short(method, request)
                self.assertGreater(effect.since().get("audit_event", 0), 0, "everybody sees it")
        finally:
            self.postgres.let_commits_end()
        done = effect.since()
        answer = self.stage.caller(method).call(method, requests[-1])
        self.assertEqual(effect.since(), done, "there once")
        return answer

    def test_the_same_request_is_answered_once_the_standby_has_it(self):
        for name in ("CreateAccessToken", "DeactivateAccessToken", "AddWhitelistEntries", "CreateRole", "RemoveMember"):
            with self.subTest(name):
                request = with_id(self.stage.request(METHODS[name]))
                answer = self.check(name, request, request, request)
                self.assertEqual(content(self.stage.caller(METHODS[name]).call(METHODS[name], request)), content(answer))

    def test_nor_is_a_request_acknowledged_that_finds_it_done_by_another(self):
        request = self.stage.request(METHODS["DeactivateAccessToken"])
        self.assertFalse(request.request_id)
        self.check("DeactivateAccessToken", request, request)

    def test_a_server_on_a_standby_can_only_not_say_so(self):
        """As behind an address that names whoever answers, before it is promoted."""
        method = METHODS["CreateAccessToken"]
        request = with_id(self.stage.request(method))
        self.stage.caller(method).call(method, request)
        with StandbyPostgres(self.postgres) as standby:
            url = make_dsn(self.deployment.url, host=str(standby.directory), port=standby.port, target_session_attrs="any")
            (written,), = self.postgres.execute("SELECT pg_current_wal_lsn()::text")
            wait_until(lambda: standby.execute(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == [(True,)], 60,
                       "the standby to have it")
            with self.deployment.beside("latchkey-token", database_url=url) as server, \
                    closing(Client(server.address, self.deployment.secrets["LATCHKEY_TOKEN"])) as client:
                with self.assertRaises(grpc.RpcError) as raised:
                    client.call(method, request, timeout=60)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE, raised.exception.details())


if __name__ == "__main__":
    unittest.main()
