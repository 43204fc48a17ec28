"""What a server does by itself, struck in the middle: after another start of the server, or of PostgreSQL, each piece of work
is finished, once."""

import contextlib
import unittest
from dataclasses import dataclass
from typing import Callable

import grpc
import psycopg2

from kill_case import choose
from latchkey_test import CallCase, Deployment, PrivatePostgres, Stage, contract, secret_text, stubs, uuid_of_id
from latchkey_test.effect import Effect
from latchkey_test.mail import MailServer
from latchkey_test.strikes import BEFORE, COMMITTED, COMMITTING, Strike
from latchkey_test.tap import Tap
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")

SETTINGS = {"housekeeping_interval": "100ms", "whitelist_sweep": "100ms", "whitelist_confirm_check": "50ms",
            "token_reuse_interval": "20ms", "company_whitelist_drafts_max": 100, "log_level": "warning"}
POINTS = (BEFORE, COMMITTING, COMMITTED)


@dataclass(frozen=True)
class Job:
    """`statement`: with which a transaction of it begins. `make(stage)`: (what makes a piece of work due, what is true once
    it is done), in SQL."""

    name: str
    statement: str
    make: Callable


def token_number(stage):
    return uuid_of_id(stage.new_token().access_token.token_id)


def make_unconfirmed_list(stage):
    stage.new_publication()
    mine = f"company_id = '{uuid_of_id(stage.company_id)}'"
    return (f"UPDATE latchkey.whitelist SET confirm_by = now() WHERE {mine}",
            f"SELECT 1 FROM latchkey.whitelist WHERE {mine} AND confirm_by IS NULL")


def make_unconfirmed_settings(stage):
    stage.new_trial()
    mine = f"company_id = '{uuid_of_id(stage.company_id)}'"
    return (f"UPDATE latchkey.whitelist SET confirm_by = now() WHERE {mine}",
            f"SELECT 1 FROM latchkey.whitelist WHERE {mine} AND confirm_by IS NULL AND NOT enabled")


def make_forsaken_draft(stage):
    mine = f"list_id = '{uuid_of_id(stage.new_draft())}'"
    return (f"UPDATE latchkey.whitelist_list SET edited_at = now() - interval '31 days' WHERE {mine}",
            f"SELECT 1 WHERE NOT EXISTS (SELECT FROM latchkey.whitelist_list WHERE {mine} AND state = 'draft')")


def make_unused_token(stage):
    company, number = uuid_of_id(stage.company_id), token_number(stage)
    stage.deployment.execute(
        f"UPDATE latchkey.company SET deactivate_unused_ms = NULL WHERE company_id = '{company}';"
        f"UPDATE latchkey.token SET created_at = now() - interval '31 days' WHERE token_id = '{number}';"
        f"UPDATE latchkey.token_secret SET created_at = now() - interval '31 days' WHERE token_id = '{number}'")
    return (f"UPDATE latchkey.company SET deactivate_unused_ms = 30::bigint * 86400000 WHERE company_id = '{company}';"
            "INSERT INTO latchkey.token_unused (token_id, company_id, noticed_at)"
            f" VALUES ('{number}', '{company}', now() - interval '11 minutes')",
            f"SELECT 1 FROM latchkey.token WHERE token_id = '{number}' AND deactivated_at IS NOT NULL")


def make_expiring_token(stage):
    number = token_number(stage)
    stage.deployment.execute("UPDATE latchkey.token SET created_at = now() - interval '30 days',"
                             f" expires_at = now() + interval '6 days' WHERE token_id = '{number}'")
    return ("DELETE FROM latchkey.token_notice_progress",
            "SELECT 1 FROM latchkey.token_notice n JOIN latchkey.mail_outbox m ON m.object_id = n.notice_id"
            f" WHERE n.token_id = '{number}' AND (SELECT count(*) FROM latchkey.token_notice_progress) = 2")


def make_old_login_secret(stage):
    mine = f"token_id = '{uuid_of_id(stage.new_login().login_token.token_id)}'"
    return (f"UPDATE latchkey.token SET created_at = now() - interval '3 days', expires_at = now() - interval '2 days'"
            f" WHERE {mine}; UPDATE latchkey.token_secret SET expires_at = now() - interval '2 days' WHERE {mine}",
            f"SELECT 1 WHERE NOT EXISTS (SELECT FROM latchkey.token_secret WHERE {mine})")


def make_old_login(stage):
    """One whose secret has gone before, as it does."""
    mine = f"token_id = '{uuid_of_id(stage.new_login().login_token.token_id)}'"
    stage.deployment.execute(f"DELETE FROM latchkey.token_secret WHERE {mine}")
    return (f"UPDATE latchkey.token SET created_at = now() - interval '32 days', expires_at = now() - interval '31 days'"
            f" WHERE {mine}",
            f"SELECT 1 WHERE NOT EXISTS (SELECT FROM latchkey.token WHERE {mine})")


def make_reuse(stage):
    made = stage.new_token()
    token_id, digest = made.access_token.token_id, secret_text.digest(made.secret).hex()
    stage.administrator.tokens.RotateAccessToken(token_pb2.RotateAccessTokenRequest(token_id=token_id), timeout=20)
    return (f"SELECT latchkey.token_reuse_record(ARRAY['\\x{digest}'::bytea], ARRAY[now()], ARRAY['192.0.2.7'::inet],"
            " ARRAY['local'])",
            f"SELECT 1 FROM latchkey.audit_event WHERE action = 'token.reused' AND object_id = '{token_id}'")


def make_counted_refusals(stage):
    token_id = stage.new_token().access_token.token_id
    return ("INSERT INTO latchkey.audit_refusal (company_id, minute, action, object_id, after, count) VALUES"
            f" ('{uuid_of_id(stage.company_id)}', date_trunc('minute', now()) - interval '5 minutes', 'login.refused',"
            f" '{token_id}', '{{}}', 7)",
            f"SELECT 1 FROM latchkey.audit_event WHERE object_id = '{token_id}' AND count = 7")


JOBS = (Job("whitelist-revert", "whitelist_revert", make_unconfirmed_list),
        Job("whitelist-revert, settings", "whitelist_revert", make_unconfirmed_settings),
        Job("whitelist-sweep", "whitelist_discard_draft", make_forsaken_draft),
        Job("unused-tokens", "unused_end", make_unused_token),
        Job("expiry-notices", "notice_claim", make_expiring_token),
        Job("login-sweeper, secrets", "sweep_login_secrets", make_old_login_secret),
        Job("login-sweeper, log-ins", "sweep_logins", make_old_login),
        Job("token-reuse", "reuse_take", make_reuse),
        Job("audit_refusals", "audit_refusal_take", make_counted_refusals))


class KilledJobs(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        mail = cls.enterClassContext(MailServer())
        cls.deployment = Deployment(cls.postgres)
        cls.deployment.prepare()
        cls.tap = cls.enterClassContext(Tap(cls.deployment.url))
        cls.deployment.server.remove()
        cls.deployment.server = cls.deployment.beside(database_url=cls.tap.url, **mail.settings(**SETTINGS))
        cls.enterClassContext(cls.deployment)
        cls.stage = cls.enterClassContext(Stage(cls.deployment))

    def test_each_job_finishes_what_it_was_struck_in_the_middle_of(self):
        for job in JOBS:  # what only the first piece of all leaves is left before
            self.do(job)
        for job, process, point in choose(JOBS, ["server", "backend", "postmaster"], POINTS):
            with self.subTest(f"{job.name}, {process}, {point}"):
                self.assertEqual(self.do_struck(job, process, point), self.do(job))

    def do(self, job):
        """What one piece of work leaves."""
        effect = Effect(self.deployment)
        due, done = job.make(self.stage)
        self.deployment.execute(due)
        self.wait_until_done(job, done)
        self.assertNotEqual(effect.since(), {})
        return effect.since()

    def do_struck(self, job, process, point):
        effect = Effect(self.deployment)
        due, done = job.make(self.stage)
        strike = Strike(point, getattr(self, f"kill_{process}"))
        strike.arm(self.tap, self.deployment, before=0, first={job.statement})
        # The blow falls as soon as this is committed, and may take this connection with it before it has heard so.
        with contextlib.suppress(psycopg2.OperationalError):
            self.deployment.execute(due)
        try:
            self.assertTrue(self.tap.wait_for_blow())
        finally:
            if process == "postmaster":
                self.postgres.start()
            strike.end()
        self.tap.cut()  # nobody still takes for alive what has died with PostgreSQL
        if process == "server":
            self.deployment.server.start()
            self.stage.reconnect()
        self.wait_until_done(job, done)
        self.wait_until_served()
        return effect.since()

    def wait_until_done(self, job, done):
        wait_until(lambda: self.deployment.execute(done), 30, f"{job.name} to be done")

    def kill_server(self, _):
        self.deployment.server.kill()

    def kill_backend(self, line):
        self.postgres.kill_backend(line.backend)

    def kill_postmaster(self, _):
        self.postgres.kill()

    def wait_until_served(self):
        method, = (method for method in contract.served_methods() if method.name == "GetCaller")

        def call():
            try:
                return self.stage.administrator.call(method, method.request())
            except grpc.RpcError:
                return None
        wait_until(call, 60, "the server to answer calls")


if __name__ == "__main__":
    unittest.main()
