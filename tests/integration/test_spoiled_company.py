"""A company with which no job gets anywhere, whatever it tries, keeps nobody else's things from being done. It is spoiled by SQL:
by a policy that no time can be reckoned with, or by triggers."""

import unittest
import uuid

from latchkey_test import Deployment, Server
from latchkey_test.waiting import wait_until

from login_case import LoginCase

SETTINGS = {"housekeeping_interval": "100ms", "token_reuse_interval": "100ms", "whitelist_sweep": "100ms"}
# Around any other's id, so that they are among the first whichever way a job goes.
SPOILED = [f"{digit * 8}-0000-7000-8000-{digit * 12}" for digit in "012ef"]


class SpoiledCompany(LoginCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enter(Deployment())
        cls.good = cls.new_company(cls)
        cls.all = SPOILED + [cls.good]
        for number in SPOILED:
            cls.new_spoiled(number)
        cls.execute("CREATE FUNCTION latchkey.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " IF to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> 'company_id' = ANY "
                    f"(ARRAY{SPOILED}) THEN RAISE 'spoiled'; END IF; RETURN NULL; END $$")

    @classmethod
    def new_spoiled(cls, number):
        list_id = uuid.uuid4()
        cls.execute(f"INSERT INTO latchkey.company (company_id, name) VALUES ('{number}', 'spoiled'); "
                    f"INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ('{list_id}', '{number}'); "
                    f"INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ('{number}', '{list_id}')")

    def setUp(self):
        self.deployment.server.stop()

    def spoil(self, table, operation):
        """What the job does there fails for them."""
        self.execute(f"CREATE TRIGGER spoil AFTER {operation} ON latchkey.{table} FOR EACH ROW "
                     "EXECUTE FUNCTION latchkey.spoil()")
        self.addCleanup(self.execute, f"DROP TRIGGER spoil ON latchkey.{table}")

    def token(self, company, kind, age, expires_in):
        """Its UUID."""
        return self.execute(
            "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, created_at, expires_at) VALUES "
            f"(gen_random_uuid(), '{company}', '{self.new_member(company=company)[1]}', '{kind}', 2, now() - interval '{age}', "
            f"now() + interval '{expires_in}') RETURNING token_id::text")[0][0]

    def secret(self, company, token_id):
        self.execute("INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, expires_at, rotated_at) VALUES "
                     f"(sha256('{token_id}'), '{token_id}', '{company}', 'x', now() - interval '2 days', "
                     "now() - interval '3 days')")

    def left(self, table, condition="true"):
        """How many of the good company's rows, and of how many spoiled ones there are some."""
        return self.execute(f"SELECT count(*) FILTER (WHERE company_id = '{self.good}'), count(DISTINCT company_id) FILTER "
                            f"(WHERE company_id <> '{self.good}') FROM latchkey.{table} WHERE company_id = ANY "
                            f"(ARRAY{self.all}::uuid[]) AND {condition}")[0]

    def run_until(self, wanted, *question):
        with Server("latchkeyd", database_url=self.deployment.url, **SETTINGS):
            wait_until(lambda: self.left(*question) == wanted, 20, "the job to do the good company's work")

    def test_a_policy_that_no_time_can_be_reckoned_with(self):
        for company in self.all:
            self.token(company, "a", "40 days", "90 days")
        self.execute("UPDATE latchkey.company SET deactivate_unused_ms = CASE WHEN name = 'spoiled' THEN 9000000000000000 "
                     f"ELSE 2592000000 END WHERE company_id = ANY (ARRAY{self.all}::uuid[])")
        self.addCleanup(self.execute, "UPDATE latchkey.company SET deactivate_unused_ms = NULL; "
                        "DELETE FROM latchkey.token_unused")
        self.run_until((1, 0), "token_unused")

    def test_log_ins_that_can_not_be_swept(self):
        for company in self.all:
            self.secret(company, self.token(company, "l", "60 days", "-50 days"))
        self.spoil("token_secret", "DELETE")
        self.run_until((0, len(SPOILED)), "token", "kind = 'l'")

    def test_notices_that_can_not_be_given(self):
        for company in self.all:
            self.token(company, "a", "30 days", "6 days")
        self.spoil("token_notice", "INSERT")
        self.execute("DELETE FROM latchkey.token_notice_progress")
        self.run_until((1, 0), "token_notice")

    def test_uses_of_spent_secrets_that_can_not_be_told(self):
        for company in self.all:
            token_id = self.token(company, "a", "60 days", "90 days")
            self.secret(company, token_id)
            self.execute("INSERT INTO latchkey.token_reuse (digest, token_id, company_id, first_used_at, last_used_at) VALUES "
                         f"(sha256('{token_id}'), '{token_id}', '{company}', now(), now())")
        self.spoil("token_reuse", "UPDATE")
        self.run_until((0, len(SPOILED)), "token_reuse", "told_at IS NULL")

    def test_refusals_that_can_not_be_appended(self):
        for company in self.all:
            self.execute("INSERT INTO latchkey.audit_refusal (company_id, minute, action, object_id, after, count) VALUES "
                         f"('{company}', now() - interval '5 min', 'login.refused', '', '', 3)")
        self.spoil("audit_refusal", "DELETE")
        self.run_until((0, len(SPOILED)), "audit_refusal")

    def add_lists(self, state):
        for company in self.all:
            self.execute("INSERT INTO latchkey.whitelist_list (list_id, company_id, state, edited_at, base_list_id, base_edits) "
                         f"SELECT gen_random_uuid(), company_id, '{state}', now() - interval '40 days', live_list_id, 0 "
                         f"FROM latchkey.whitelist WHERE company_id = '{company}'")

    def test_drafts_that_can_not_be_discarded(self):
        self.add_lists("draft")
        self.spoil("whitelist_list", "UPDATE")
        self.run_until((0, len(SPOILED)), "whitelist_list", "state <> 'used'")  # what was discarded is swept, too

    def test_replaced_lists_that_can_not_be_swept(self):
        self.add_lists("replaced")
        self.spoil("whitelist_list", "DELETE")
        self.run_until((0, len(SPOILED)), "whitelist_list", "state = 'replaced'")


if __name__ == "__main__":
    unittest.main()
