"""The life of a server process: settings, refusals to start, probes, metrics, stopping."""

import contextlib
import os
import re
import socket
import subprocess
import unittest
from pathlib import Path

import grpc

from latchkey_test import Deployment, PrivatePostgres, Server, free_port, program, shared_postgres, stubs
from latchkey_test.paths import ROOT
from latchkey_test.waiting import wait_until

health_pb2 = stubs.messages("grpc/health/v1/health.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

SERVERS = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation", "latchkey-validator", "latchkeyd")

EXIT_USAGE = 64
EXIT_UNAVAILABLE = 69
EXIT_TEMPORARY = 75
EXIT_SCHEMA = 76
EXIT_NOPERM = 77
EXIT_CONFIG = 78


def run(name, *arguments, **environment):
    return subprocess.run([program(name), *arguments], env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=60, check=False)


class Settings(unittest.TestCase):
    def test_every_server_prints_its_settings(self):
        for name in (*SERVERS, "latchkey-console"):
            with self.subTest(name):
                done = run(name, "--help")
                self.assertEqual(done.returncode, 0)
                self.assertIn("--database-url", done.stdout)
                self.assertIn("LATCHKEY_ADMIN_LISTEN", done.stdout)

    def test_a_server_prints_what_it_serves(self):
        done = run("latchkey-token", "methods")
        self.assertEqual(done.returncode, 0)
        self.assertIn("/latchkey.v1.TokenService/ListAccessTokens\tread\tlatchkey.tokens.read\n", done.stdout)

    def test_an_unknown_setting_is_refused_with_the_nearest_known_one(self):
        done = run("latchkeyd", "--listne", "127.0.0.1:1")
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("--listen", done.stderr)

    def test_a_value_out_of_range_is_refused_with_the_range(self):
        done = run("latchkeyd", "--workers", "0")
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("1024", done.stderr)

    def test_a_bad_value_in_the_environment_names_the_variable(self):
        done = run("latchkeyd", LATCHKEY_WORKERS="many")
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("LATCHKEY_WORKERS", done.stderr)

    def test_an_address_without_a_port_is_refused_by_the_name_that_was_given(self):
        for done, name in ((run("latchkey-validator", LATCHKEY_LISTEN="10"), "LATCHKEY_LISTEN"),
                           (run("latchkey-validator", "--listen=10"), "--listen"),
                           (run("latchkeyd", LATCHKEY_ADMIN_LISTEN="localhost"), "LATCHKEY_ADMIN_LISTEN"),
                           (run("latchkeyd", "--admin-listen=off"), "--admin-listen")):
            with self.subTest(name):
                self.assertEqual(done.returncode, EXIT_USAGE)
                self.assertIn(f" {name}: ", done.stderr)
                self.assertIn("type ADDRESS:PORT", done.stderr)

    def test_plaintext_beyond_loopback_is_refused_unless_it_is_allowed(self):
        done = run("latchkeyd", "--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("--allow-plaintext", done.stderr)

    def test_a_brand_that_is_not_two_letters_is_refused(self):
        self.assertEqual(run("latchkeyd", "--brand", "LK9").returncode, EXIT_USAGE)

    def test_a_trusted_proxy_that_is_no_prefix_is_refused_by_name(self):
        done = run("latchkeyd", "--trusted-proxies", "10.0.0.0/8,10.0.0.1/33")
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("10.0.0.1/33", done.stderr)


class RefusalsToStart(unittest.TestCase):
    """One sentence and one exit code for what an operator has to mend."""

    def assert_ends(self, server, status, *words):
        server.start(ready=False)
        self.addCleanup(server.remove)
        self.assertEqual(server.wait(), status, server.log())
        for word in words:
            self.assertIn(word, server.log())

    def test_an_empty_database_says_to_migrate(self):
        url = shared_postgres().create_database()
        with Deployment():  # makes the roles, which belong to the whole cluster
            for name in SERVERS:
                with self.subTest(name):
                    self.assert_ends(Server(name, database_url=url), EXIT_SCHEMA, "latchkey migrate")

    def test_an_empty_database_of_a_cluster_without_our_roles_says_to_migrate_in_one_sentence(self):
        with PrivatePostgres() as postgres:
            url = postgres.create_database()
            for name in SERVERS:
                with self.subTest(name):
                    server = Server(name, database_url=url)
                    self.assert_ends(server, EXIT_SCHEMA, "latchkey migrate")
                    self.assertEqual(server.log().count("\n"), 1, server.log())

    def test_a_user_who_may_not_take_the_role_is_told_so(self):
        with Deployment() as deployment:
            user = "stranger"
            deployment.execute(f"DROP ROLE IF EXISTS {user}; CREATE ROLE {user} LOGIN")
            url = deployment.postgres.url_of(deployment.url.split("dbname=")[1].split()[0], user)
            self.assert_ends(Server("latchkeyd", database_url=url), EXIT_NOPERM, "grant the role")

    def test_a_database_that_does_not_exist_is_named(self):
        url = shared_postgres().url_of("nosuch", "postgres")
        self.assert_ends(Server("latchkeyd", database_url=url), EXIT_NOPERM, "nosuch")

    def test_a_connection_string_that_can_not_be_read_is_wrong_usage(self):
        self.assert_ends(Server("latchkeyd", database_url="postgresql://[::1"), EXIT_USAGE)

    def test_a_port_in_use_is_named(self):
        with Deployment() as deployment, socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for setting in ("listen", "admin_listen", "http_listen"):
                with self.subTest(setting):
                    server = Server("latchkeyd", database_url=deployment.url, **{setting: address})
                    self.assert_ends(server, EXIT_UNAVAILABLE, address)
                    self.assertEqual(server.log().count("\n"), 1, "one line, and nothing of what had begun")

    def test_a_file_that_can_not_be_read_now_is_told_from_one_that_is_wrong(self):
        # Reading the first byte of a process's memory is a real I/O error.
        unreadable, wrong = Path("/proc/self/mem"), ROOT / "README.md"
        for setting in ("config", "tls_certificate", "routes_file"):
            for path, status in ((unreadable, EXIT_TEMPORARY), (wrong, EXIT_USAGE)):
                with self.subTest(setting, path=path):
                    more = {"tls_key": path} if setting == "tls_certificate" else {}
                    self.assert_ends(Server("latchkeyd", database_url="postgresql:///none", **{setting: path}, **more), status,
                                     str(path))

    def test_what_is_wrong_beside_a_file_that_can_not_be_read_now_is_wrong_all_the_same(self):
        self.assertEqual(run("latchkeyd", "--config", "/proc/self/mem", "--workers", "0").returncode, EXIT_USAGE)

    def test_its_unit_is_started_again_after_all_but_wrong_settings(self):
        unit = (ROOT / "deploy/systemd/server.service.in").read_text(encoding="utf-8")
        never, = re.findall("^RestartPreventExitStatus=(.*)$", unit, re.MULTILINE)
        self.assertEqual({int(status) for status in never.split()}, {EXIT_USAGE, EXIT_CONFIG})
        self.assertIn("\nRestart=on-failure\n", unit)
        self.assertIn("\nStartLimitIntervalSec=0\n", unit)  # however often

    def test_a_connection_string_that_is_empty_is_refused_by_the_name_that_was_given(self):
        self.assert_ends(Server("latchkeyd", environment={"LATCHKEY_DATABASE_URL": ""}), EXIT_USAGE,
                         'LATCHKEY_DATABASE_URL: ""', "postgresql://")
        self.assert_ends(Server("latchkeyd", database_url=""), EXIT_USAGE, '--database-url: ""', "postgresql://")


class Life(unittest.TestCase):
    def assert_health_becomes(self, deployment, name):
        wanted = getattr(health_pb2.HealthCheckResponse, name)
        with deployment.anybody() as client:
            wait_until(lambda: client.health.Check(health_pb2.HealthCheckRequest(), timeout=5).status == wanted, 10,
                       f"health to be {name}")

    def test_each_server_becomes_ready_and_ends_in_order(self):
        with Deployment() as deployment:
            for name in SERVERS:
                with self.subTest(name), Server(name, database_url=deployment.url) as server:
                    self.assertEqual(server.admin("/livez"), (200, "ok\n"))
                    self.assertEqual(server.admin("/readyz"), (200, "ok\n"))
                    self.assertIn("grpc_server_started_total", server.admin("/metrics")[1])
                    self.assertEqual(server.admin("/nothing")[0], 404)
                    server.stop()

    def test_a_server_waits_for_a_database_that_is_not_there_yet(self):
        url = f"host=127.0.0.1 port={free_port()} user=nobody dbname=none"
        server = Server("latchkeyd", database_url=url)
        self.addCleanup(server.remove)
        server.start(ready=False)
        wait_until(lambda: server.admin("/readyz")[0], 60, "the admin port to answer")
        status, body = server.admin("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("database", body)
        self.assertEqual(server.admin("/livez")[0], 200)

    def test_an_idle_server_notices_that_its_database_is_gone_and_back(self):
        with PrivatePostgres() as postgres, Deployment(postgres, server="latchkey-token") as deployment:
            server = deployment.server
            postgres.stop()
            wait_until(lambda: not server.is_ready(), 10, "the server to say that its database is gone")
            status, body = server.admin("/readyz")
            self.assertEqual(status, 503)
            self.assertIn("database", body)
            self.assert_health_becomes(deployment, "NOT_SERVING")
            postgres.start()
            wait_until(server.is_ready, 15, "the server to say that its database is back")
            self.assert_health_becomes(deployment, "SERVING")

    def test_an_idle_server_notices_that_its_database_does_not_answer(self):
        with PrivatePostgres() as postgres, Deployment(postgres, server="latchkey-token") as deployment:
            postgres.freeze()
            try:
                wait_until(lambda: not deployment.server.is_ready(), 20, "the server to say that nobody answers")
            finally:
                postgres.thaw()
            wait_until(deployment.server.is_ready, 20, "the server to say that it is answered again")

    def test_a_draining_server_says_that_it_is_not_ready_and_serves_on_for_the_delay(self):
        with Deployment(drain_delay="2s") as deployment:
            server = deployment.server
            os.kill(server.pid, 15)
            with deployment.administrator() as client:
                client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=5)
            self.assertEqual(server.admin("/readyz")[0], 503)
            self.assertEqual(server.wait(), 0)

    def test_a_server_ends_in_time_though_its_database_has_gone_silent(self):
        with PrivatePostgres() as postgres, Deployment(postgres, drain_grace="1s") as deployment, \
                deployment.administrator() as client:
            ask = client.tokens.GetCaller
            ask(token_pb2.GetCallerRequest(), timeout=10)
            postgres.freeze()
            try:
                given_up = ask.future(token_pb2.GetCallerRequest(), timeout=1)  # so that a cancel waits for the database
                waiting = ask.future(token_pb2.GetCallerRequest(), timeout=120)
                self.assertEqual(given_up.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
                deployment.server.stop(timeout=30)
                self.assertEqual(waiting.code(), grpc.StatusCode.UNAVAILABLE)
            finally:
                postgres.thaw()

    def test_who_holds_connections_to_the_admin_port_keeps_nobody_elses_probe_out(self):
        with Deployment(server="latchkey-token") as deployment, contextlib.ExitStack() as held:
            host, port = deployment.server.admin_address.split(":")
            for _ in range(200):
                held.enter_context(socket.create_connection((host, int(port)), 5, source_address=("127.0.0.2", 0)))
            self.assertEqual(deployment.server.admin("/livez"), (200, "ok\n"))

    def test_metrics_and_log_name_no_secret(self):
        with Deployment(log_level="debug") as deployment:
            with deployment.administrator() as client:
                secret = client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="of a test"),
                                                         timeout=10).secret
            metrics, log = deployment.server.admin("/metrics")[1], deployment.server.log()
            self.assertIn("CreateAccessToken", log)
            for secret in (secret, deployment.secrets["LATCHKEY_TOKEN"], deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]):
                self.assertNotIn(secret, metrics)
                self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main()
