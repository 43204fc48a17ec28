"""The last use of tokens and the last hit of whitelist entries: gathered by servers, written behind the event, lost by no
orderly stop."""

import time
import unittest

import grpc

from latchkey_test import Client, Server, stubs, uuid_of_id
from latchkey_test.waiting import wait_until

from test_validate import ValidateCase

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

LISTED, OTHER, UNLISTED = "203.0.113.7", "203.0.113.8", "198.51.100.7"


class UseCase(ValidateCase):
    """A use is written only when the validator stops, unless a test says otherwise: nothing is waited for."""

    settings = {"min_revision_wait": "10s", "use_flush_interval": "60s"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller.company_id

    def setUp(self):
        self.validator.stop()
        self.validator.start()
        self.client = Client(self.validator.address)
        self.addCleanup(self.client.close)

    def stop_validator(self):
        self.client.close()
        self.validator.stop()
        self.addCleanup(self.validator.wait_ready)
        self.addCleanup(self.validator.start)

    def restart_server(self):
        cls = type(self)
        cls.administrator.close()
        self.deployment.server.stop()
        self.deployment.server.start()
        cls.administrator = cls.enter(self.deployment.administrator())

    def get(self, created):
        request = token_pb2.GetAccessTokenRequest(token_id=created.access_token.token_id)
        return self.administrator.tokens.GetAccessToken(request, timeout=10).access_token

    def allowed(self, created, **fields):
        answer = self.ask_about(created, **fields)
        self.assertEqual(answer.reason, decision_pb2.REASON_OK)

    def hits(self):
        """CIDR -> how often a row of it says that it was hit."""
        rows = self.deployment.execute("SELECT e.cidr::text, u.last_hit_at FROM latchkey.whitelist_entry e "
                                       "JOIN latchkey.whitelist_entry_use u USING (entry_id) WHERE e.company_id = "
                                       f"'{uuid_of_id(self.company)}'")
        return dict(rows)


class LastUse(UseCase):
    def test_an_admitted_use_is_kept_with_its_address_and_who_asked(self):
        created = self.create()
        before = time.time()
        for address in ("192.0.2.1", "2001:db8::1", LISTED):
            self.allowed(created, client_ip=address)
            time.sleep(0.2)  # farther apart than a correction of the validator's clock by the database's
        self.stop_validator()
        token = self.get(created)
        self.assertEqual((token.last_used_ip, token.last_used_by), (LISTED, "local"))
        self.assertEqual((token.secrets[0].last_used_ip, token.secrets[0].last_used_at),
                         (LISTED, token.last_used_at))
        self.assertLess(abs(token.last_used_at.ToMilliseconds() / 1000 - before), 60)

    def test_a_refused_use_does_not_count(self):
        created = self.create(permissions=["charges.read"], allowed_ips=["203.0.113.0/24"])
        self.assert_denied(self.ask_about(created, client_ip=UNLISTED), "TOKEN_IP_NOT_LISTED")
        self.assert_denied(self.ask_about(created, permissions=["charges.create"]), "PERMISSION_MISSING")
        self.stop_validator()
        self.assertFalse(self.get(created).HasField("last_used_at"))

    def test_an_older_use_does_not_replace_a_newer_one(self):
        created = self.create()
        self.allowed(created)
        digest = f"(SELECT digest FROM latchkey.token_secret WHERE token_id = '{uuid_of_id(created.access_token.token_id)}')"
        self.deployment.execute(f"SELECT latchkey.token_use_record(ARRAY[{digest}], ARRAY[now() + interval '1 hour'], "
                                "ARRAY['192.0.2.9'::inet], ARRAY['another'])")
        self.stop_validator()
        self.assertEqual(self.get(created).last_used_by, "another")

    def test_a_call_of_the_management_counts_as_a_use(self):
        created = self.create(permissions=["latchkey.tokens.read"])
        with self.deployment.anybody(created.secret) as caller:
            caller.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10)
            with self.assertRaises(grpc.RpcError):
                caller.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=10)
        self.restart_server()
        token = self.get(created)
        self.assertEqual((token.last_used_ip, token.last_used_by), ("127.0.0.1", "latchkeyd"))

    def test_a_call_that_is_refused_to_its_caller_does_not_count(self):
        created = self.create(permissions=["charges.read"])
        with self.deployment.anybody(created.secret) as caller, self.assertRaises(grpc.RpcError):
            caller.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=10)
        self.restart_server()
        self.assertFalse(self.get(created).HasField("last_used_at"))

    def test_who_asks_with_a_token_is_named_and_used_too(self):
        asker, created = self.create(permissions=["latchkey.validate.detail"]), self.create()
        # Known from here on, and not used by that: its own use is the only one, whatever the clock says.
        self.assert_denied(self.ask_about(asker, permissions=["charges.create"]), "PERMISSION_MISSING")
        with Client(self.validator.address, asker.secret) as client:
            self.allowed(created, client=client)
        self.stop_validator()
        self.assertEqual(self.get(created).last_used_by, asker.access_token.token_id)
        self.assertEqual(self.get(asker).last_used_ip, "127.0.0.1")

    def test_uses_are_written_while_the_server_runs(self):
        created = self.create()
        settings = {**self.settings, "use_flush_interval": "100ms"}
        with Server("latchkey-validator", database_url=self.deployment.url, **settings) as validator, \
                Client(validator.address) as client:
            self.allowed(created, client=client)
            wait_until(lambda: self.get(created).HasField("last_used_at"), 20, "the use to be written")

    def test_a_table_that_fills_is_written_before_its_time(self):
        secrets = [self.create() for _ in range(60)]
        settings = {**self.settings, "use_table_size": 64, "loops": 1}
        with Server("latchkey-validator", database_url=self.deployment.url, **settings) as validator, \
                Client(validator.address) as client:
            for created in secrets:
                self.allowed(created, client=client)
            wait_until(lambda: self.get(secrets[0]).HasField("last_used_at"), 20, "the first uses to be written")
        self.assertTrue(all(self.get(created).HasField("last_used_at") for created in secrets))

    def test_who_asks_is_named_also_when_the_table_fills_within_one_batch(self):
        asker, created = self.create(permissions=["latchkey.validate.detail"]), [self.create() for _ in range(60)]
        settings = {**self.settings, "use_table_size": 64, "loops": 1}
        with Server("latchkey-validator", database_url=self.deployment.url, **settings) as validator, \
                Client(validator.address, asker.secret) as client:
            questions = [validation_pb2.ValidateRequest(token=one.secret, client_ip=LISTED, channel=decision_pb2.CHANNEL_API)
                         for one in created]
            answers = client.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=questions), timeout=10)
            self.assertEqual({answer.reason for answer in answers.responses}, {decision_pb2.REASON_OK})
        self.assertEqual({self.get(one).last_used_by for one in created}, {asker.access_token.token_id})

    def test_uses_outlive_an_absence_of_the_database(self):
        created = self.create()
        settings = {**self.settings, "use_flush_interval": "100ms", "max_staleness": "60s"}
        with Server("latchkey-validator", database_url=self.deployment.url, **settings) as validator, \
                Client(validator.address) as client:
            self.deployment.execute("REVOKE EXECUTE ON FUNCTION latchkey.token_use_record(bytea[], timestamptz[], inet[], "
                                    "text[]) FROM latchkey_validator")
            self.addCleanup(self.allow_recording)
            self.allowed(created, client=client)
            wait_until(lambda: "latchkey_use_write_failures_total 0" not in validator.admin("/metrics")[1], 20,
                       "a failure to write")
            self.allow_recording()
        self.assertTrue(self.get(created).HasField("last_used_at"))

    def allow_recording(self):
        self.deployment.execute("GRANT EXECUTE ON FUNCTION latchkey.token_use_record(bytea[], timestamptz[], inet[], "
                                "text[]) TO latchkey_validator")


class LastHit(UseCase):
    def setUp(self):
        super().setUp()
        company = uuid_of_id(self.company)
        self.change(f"UPDATE latchkey.whitelist SET enabled = false, scope = 1 WHERE company_id = '{company}'; "
                    f"DELETE FROM latchkey.whitelist_entry WHERE company_id = '{company}'; "
                    "DELETE FROM latchkey.whitelist_entry_use")

    def enable(self, *cidrs, scope=1):
        company = uuid_of_id(self.company)
        self.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=cidr) for cidr in (*cidrs, "127.0.0.0/8")]), timeout=20)
        self.change(f"UPDATE latchkey.whitelist SET enabled = true, scope = {scope} WHERE company_id = '{company}'")
        self.addCleanup(self.change, f"UPDATE latchkey.whitelist SET enabled = false WHERE company_id = '{company}'")

    def test_the_longest_live_entry_around_the_address_is_hit(self):
        self.enable("203.0.0.0/16", "203.0.113.0/24", "203.0.113.7/32", "203.0.113.0/30", "2001:db8::/32")
        self.change("UPDATE latchkey.whitelist_entry SET disabled = true WHERE cidr = '203.0.113.7/32'")
        created = self.create()
        self.allowed(created)
        self.allowed(created, client_ip="2001:db8::1")
        self.stop_validator()
        self.assertEqual(set(self.hits()) - {"127.0.0.0/8"}, {"203.0.113.0/24", "2001:db8::/32"})

    def test_each_address_of_a_token_hits_its_own_entry(self):
        self.enable(f"{LISTED}/32", f"{OTHER}/32")
        created = self.create()
        for address in (LISTED, OTHER, LISTED):
            self.allowed(created, client_ip=address)
        self.stop_validator()
        self.assertEqual(set(self.hits()) - {"127.0.0.0/8"}, {f"{LISTED}/32", f"{OTHER}/32"})

    def test_who_is_refused_hits_nothing(self):
        self.enable("203.0.113.0/24")
        self.assert_denied(self.ask_about(self.create(), client_ip=UNLISTED), "COMPANY_IP_NOT_LISTED")
        self.stop_validator()
        self.assertEqual(set(self.hits()) - {"127.0.0.0/8"}, set())

    def test_a_list_that_is_off_or_covers_log_ins_alone_is_not_hit(self):
        self.enable("203.0.113.0/24", scope=2)
        self.allowed(self.create())
        self.stop_validator()
        self.assertEqual(self.hits(), {})

    def test_a_call_of_the_management_hits_the_entry_that_let_it_in(self):
        self.enable("203.0.113.0/24")
        self.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10)
        self.restart_server()
        self.assertIn("127.0.0.0/8", self.hits())


if __name__ == "__main__":
    unittest.main()
