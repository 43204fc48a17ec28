"""Everything that management does, through PgBouncer in transaction mode with the settings of deploy/postgres: Debian 12's 1.18, which
keeps no prepared statements, and so `--database-prepare=off`; and Debian 13's 1.24, which keeps them."""

import contextlib
import io
import shutil
import socket
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psycopg2
import psycopg2.extensions

from latchkey_test import QUIET, ROOT, CallCase, Deployment, PrivatePostgres, Stage, contract, free_port, scenario, stubs
from latchkey_test.background import Background
from latchkey_test.postgres import account
from latchkey_test.waiting import wait_until

import programs

token_pb2 = stubs.messages("latchkey/v1/token.proto")

SERVER_CONNECTIONS = 3
CALLERS, CALLS = 12, 15


class PgBouncer:
    """In front of a PostgreSQL that trusts it; the database is the one of that name."""

    def __init__(self, program, postgres, database):
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-pgbouncer-"))
        self._program = self._directory / "pgbouncer"
        shutil.copy(program, self._program)
        self._settings = self._directory / "pgbouncer.ini"
        self._users = self._directory / "userlist.txt"
        self._users.write_text('"deployer" "a password"\n')
        settings = (ROOT / "deploy/postgres/pgbouncer.ini").read_text(encoding="utf-8")
        for written, here in (
                ("latchkey = host=127.0.0.1 port=5432 dbname=latchkey", f"latchkey = host=127.0.0.1 port={postgres.port} dbname={database}"),
                ("listen_port = 6432", f"listen_port = {self.port}"),
                ("/etc/pgbouncer/userlist.txt", str(self._users)),
                ("default_pool_size = 40", f"default_pool_size = {SERVER_CONNECTIONS}")):
            assert written in settings, written
            settings = settings.replace(written, here)
        self._settings.write_text(settings)
        for path in (self._directory, self._program, self._users, self._settings):
            if account():
                shutil.chown(path, "postgres", "postgres")
        self.url = f"host=127.0.0.1 port={self.port} dbname=latchkey user=deployer password='a password'"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self._directory)

    def start(self):
        with open(self._directory / "log", "ab") as log:
            self._process = subprocess.Popen([self._program, self._settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             **account())
        wait_until(self._is_listening, 60, "PgBouncer")

    def _is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self._process.kill()
        self._process.wait(30)


class Pooled:
    """`program`, and the server's `settings` that go with it."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.deployment = Deployment(cls.postgres, workers=8, **QUIET)
        database = psycopg2.extensions.parse_dsn(cls.deployment.url)["dbname"]
        cls.bouncer = cls.enterClassContext(PgBouncer(cls.program, cls.postgres, database))
        cls.deployment.server.settings.update(
            database_url=cls.bouncer.url, database_direct_url=cls.deployment.url, **cls.settings)
        cls.enterClassContext(cls.deployment)

    def count_connections(self):
        """PgBouncer's: all others come by the socket."""
        return self.deployment.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                       " AND client_addr IS NOT NULL")[0][0]

    def test_the_scenario_of_all_clients_does_every_step(self):
        with self.deployment.administrator() as client:
            scenario.prepare(client)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            scenario.Scenario(self.deployment.server.address, self.deployment.secrets["LATCHKEY_TOKEN"]).run()
        self.assertEqual(scenario.find_failures(output.getvalue()), [])

    def test_every_method_answers(self):
        stage = Stage(self.deployment)
        self.addCleanup(stage.close)
        for method in contract.served_methods():
            with self.subTest(method.name):
                stage.caller(method).call(method, stage.request(method))

    def test_many_calls_of_several_companies_share_few_connections_and_see_nothing_of_each_other(self):
        stages = [self.enterContext(Stage(self.deployment)) for _ in range(CALLERS)]
        most = [0]

        def count():
            while not counter.is_over.wait(0.05):
                most[0] = max(most[0], self.count_connections())

        counter = Background(count)
        with counter, ThreadPoolExecutor(CALLERS) as pool:
            seen = list(pool.map(self.make_tokens, stages))
        for stage, labels in zip(stages, seen):
            self.assertEqual(labels, {"of the stage", *(f"{stage.company_id} {number}" for number in range(CALLS))})
        self.assertIn(most[0], range(1, SERVER_CONNECTIONS + 1))

    def make_tokens(self, stage):
        """The labels of all tokens that it has seen meanwhile."""
        tokens, labels = stage.administrator.tokens, set()
        for number in range(CALLS):
            tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label=f"{stage.company_id} {number}"), timeout=120)
            listed = tokens.ListAccessTokens(token_pb2.ListAccessTokensRequest(page_size=1000), timeout=120).access_tokens
            labels |= {token.label for token in listed}
        return labels

    def test_a_pooler_that_was_away_is_used_again(self):
        with self.deployment.administrator() as client:
            self.bouncer.kill()
            with self.assertRaises(grpc.RpcError) as caught:
                self.create(client)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.bouncer.start()
            wait_until(lambda: self.try_to_create(client), 60, "management to work again")

    def create(self, client):
        return client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="of a test"), timeout=60)

    def try_to_create(self, client):
        try:
            return self.create(client)
        except grpc.RpcError:
            return None


class WithoutPreparedStatements(Pooled, CallCase):
    program = programs.PGBOUNCER_12
    settings = {"database_prepare": "off"}


class WithPreparedStatements(Pooled, CallCase):
    program = programs.PGBOUNCER_13
    settings = {}

    def test_statements_are_prepared_and_no_session_keeps_a_role(self):
        with self.deployment.administrator() as client:
            self.create(client)
        sessions = self.look_into_all_sessions()
        self.assertEqual({role for role, _ in sessions}, {"none"})
        self.assertTrue(any(prepared for _, prepared in sessions))

    def look_into_all_sessions(self):
        """PgBouncer's: of each the role, and how many statements it has prepared."""
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(psycopg2.connect(self.bouncer.url)))
                           for _ in range(SERVER_CONNECTIONS)]
            return [self.look_into_one(connection) for connection in connections]

    def look_into_one(self, connection):
        """The transaction stays open, so that the next looks into another."""
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('role'), (SELECT count(*) FROM pg_prepared_statements)")
        return cursor.fetchone()


if __name__ == "__main__":
    unittest.main()
