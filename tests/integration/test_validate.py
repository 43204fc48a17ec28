"""Validate over a real database: every reason, revisions, and a validator whose database is away."""

import datetime
import time
import unittest

import grpc

from latchkey_test import Client, PrivatePostgres, stubs, uuid_of_id
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, API, DENY, UI, ValidateCase, decision_pb2, in_seconds, revision_of, token_pb2, validation_pb2

whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Answers(ValidateCase):
    def test_a_token_is_admitted_with_all_that_is_known_about_it(self):
        created = self.create(permissions=["charges.create", "charges.read"], external_id="shop-1",
                              expires_at=in_seconds(3600))
        answer = self.ask_about(created, permissions=["charges.read"], any_permissions=["no.such", "charges.create"])
        token = created.access_token
        self.assertEqual((answer.decision, answer.reason), (ALLOW, decision_pb2.REASON_OK))
        self.assertEqual((answer.company_id, answer.token_id, answer.member_id, answer.token_external_id),
                         (token.company_id, token.token_id, token.member_id, "shop-1"))
        self.assertEqual(answer.kind, decision_pb2.TOKEN_KIND_ACCESS)
        self.assertEqual(list(answer.permissions), ["charges.create", "charges.read"])
        self.assertEqual(answer.expires_at, token.expires_at)
        self.assertTrue(answer.revision)

    def test_what_is_no_secret_and_what_nobody_has(self):
        secret = self.create().secret
        for text in ("", "x", secret[:-1], secret.swapcase(), "zz" + secret[2:]):
            self.assert_denied(self.ask(text), "MALFORMED")
        stranger = self.create()
        self.change(f"DELETE FROM latchkey.token_secret WHERE token_id = '{uuid_of_id(stranger.access_token.token_id)}'")
        self.assert_denied(self.ask(stranger.secret), "UNKNOWN")

    def test_a_deactivated_token_is_refused_from_its_revision_on(self):
        created = self.create()
        self.assertEqual(self.ask_about(created).decision, ALLOW)
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        revision = self.administrator.tokens.DeactivateAccessToken(request, timeout=20).revision
        self.assert_denied(self.ask(created.secret, min_revision=revision), "DEACTIVATED")

    def test_a_confirmed_deactivation_is_refused_by_every_validator_without_a_revision(self):
        created = self.create()
        self.assertEqual(self.ask_about(created).decision, ALLOW)
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        request.wait_for_validators.seconds = 10
        answer = self.administrator.tokens.DeactivateAccessToken(request, timeout=20)
        self.assertTrue(answer.validators.all_confirmed, answer)
        self.assert_denied(self.ask(created.secret), "DEACTIVATED")

    def test_times_are_compared_when_it_is_asked(self):
        later = self.create(not_before=in_seconds(3600))
        self.assert_denied(self.ask_about(later), "NOT_YET_VALID")
        soon = self.create(expires_at=in_seconds(1.5))
        self.assertEqual(self.ask_about(soon).decision, ALLOW)
        wait_until(lambda: self.ask(soon.secret).decision == DENY, 10, "the token's end")
        self.assertGreaterEqual(time.time(), soon.access_token.expires_at.ToDatetime(datetime.timezone.utc).timestamp())
        self.assert_denied(self.ask(soon.secret), "EXPIRED")

    def test_a_suspension_ends_by_itself(self):
        created = self.create()
        token_id = uuid_of_id(created.access_token.token_id)
        self.change("UPDATE latchkey.token SET suspended = true, suspended_until = now() + interval '1500 ms' "
                    f"WHERE token_id = '{token_id}'")
        self.assert_denied(self.ask(created.secret), "SUSPENDED")
        wait_until(lambda: self.ask(created.secret).decision == ALLOW, 10, "the suspension's end")

    def test_channels_and_domains(self):
        api = self.create()
        self.assert_denied(self.ask_about(api, channel=UI), "CHANNEL_NOT_ALLOWED")
        self.assert_denied(self.ask(api.secret, channel=0), "CHANNEL_NOT_ALLOWED")
        page = self.create(channels=[UI], allowed_domains=["app.example.com", "*.example.org"])
        for domain in ("https://app.example.com", "APP.example.com", "a.b.example.org"):
            self.assertEqual(self.ask_about(page, channel=UI, domain=domain).decision, ALLOW, domain)
        for domain in ("", "https://example.org", "app.example.com.evil.test", "https://app.example.com:8443"):
            self.assert_denied(self.ask_about(page, channel=UI, domain=domain), "DOMAIN_NOT_LISTED")

    def test_a_tokens_own_addresses(self):
        created = self.create(allowed_ips=["203.0.113.0/24", "2001:db8::/32"])
        for address in ("203.0.113.200", "::ffff:203.0.113.200", "2001:db8:1::1"):
            self.assertEqual(self.ask_about(created, client_ip=address).decision, ALLOW, address)
        for address in ("203.0.114.1", "2001:db9::1", "", "203.0.113.200:80", "0203.0.113.1"):
            self.assert_denied(self.ask_about(created, client_ip=address), "TOKEN_IP_NOT_LISTED")

    def test_permissions_asked_for(self):
        created = self.create(permissions=["charges.read"])
        self.assertEqual(self.ask_about(created, permissions=["charges.read"]).decision, ALLOW)
        for fields in ({"permissions": ["charges.read", "charges.create"]}, {"permissions": ["no.such"]},
                       {"any_permissions": ["charges.create", "refunds.create"]}):
            self.assert_denied(self.ask_about(created, **fields), "PERMISSION_MISSING")

    def test_a_members_own_addresses_and_its_removal(self):
        created = self.create()
        member = uuid_of_id(created.access_token.member_id)
        self.change(f"UPDATE latchkey.member SET allowed_ips = '{{198.51.100.0/24}}' WHERE member_id = '{member}'")
        try:
            self.assert_denied(self.ask(created.secret), "MEMBER_IP_NOT_LISTED")
            self.assertEqual(self.ask(created.secret, client_ip="198.51.100.9").decision, ALLOW)
            self.change(f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{member}'")
            self.assert_denied(self.ask(created.secret), "MEMBER_REMOVED")
        finally:
            self.change(f"UPDATE latchkey.member SET removed_at = NULL, allowed_ips = '{{}}' WHERE member_id = '{member}'")
        self.assertEqual(self.ask(created.secret).decision, ALLOW)

    def test_a_suspended_company(self):
        created = self.create()
        company = uuid_of_id(created.access_token.company_id)
        self.change(f"UPDATE latchkey.company SET suspended = true WHERE company_id = '{company}'")
        try:
            self.assert_denied(self.ask(created.secret), "COMPANY_SUSPENDED")
        finally:
            self.change(f"UPDATE latchkey.company SET suspended = false WHERE company_id = '{company}'")
        self.assertEqual(self.ask(created.secret).decision, ALLOW)

    def test_the_companys_whitelist(self):
        created = self.create()
        company = uuid_of_id(created.access_token.company_id)
        added = self.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address="192.0.2.0/24")]), timeout=20)
        self.change(f"UPDATE latchkey.whitelist SET enabled = true WHERE company_id = '{company}'")
        try:
            self.assertEqual(self.ask(created.secret, client_ip="192.0.2.1", min_revision=added.revision).decision, ALLOW)
            self.assert_denied(self.ask(created.secret, client_ip="192.0.3.1"), "COMPANY_IP_NOT_LISTED")
            self.assert_denied(self.ask(created.secret, client_ip=""), "COMPANY_IP_NOT_LISTED")
        finally:
            self.change(f"UPDATE latchkey.whitelist SET enabled = false WHERE company_id = '{company}'")

    def test_detail_goes_to_a_bearer_that_holds_it(self):
        watcher = self.create(permissions=["latchkey.validate.detail"])
        created = self.create(permissions=["charges.read"], expires_at=in_seconds(3600))
        self.assertEqual(self.ask_about(watcher).decision, ALLOW)
        with Client(self.validator.address, watcher.secret) as client:
            answer = self.ask(created.secret, client=client, min_revision=created.revision,
                              permissions=["charges.read", "charges.create"], any_permissions=["refunds.create"])
        token = created.access_token
        self.assertEqual((answer.decision, answer.reason), (DENY, decision_pb2.REASON_PERMISSION_MISSING))
        self.assertEqual((answer.company_id, answer.token_id, answer.expires_at),
                         (token.company_id, token.token_id, token.expires_at))
        self.assertEqual(list(answer.missing_permissions), ["charges.create", "refunds.create"])
        self.assertFalse(answer.permissions or answer.member_id)

    def test_every_bad_field_is_named(self):
        call = lambda: self.ask("x", client_ip="1" * 101, domain="d" * 1001, permissions=["p" * 101],
                                any_permissions=["charges.read"] * 257, min_revision="yesterday")
        self.assert_bad_fields(call, "client_ip", "domain", "permissions[0]", "any_permissions", "min_revision")

    def test_answers_are_counted_by_their_reason(self):
        before = self.metric('latchkey_validate_decisions_total{reason="MALFORMED"}')
        for _ in range(5):
            self.ask("nonsense")
        self.assertEqual(self.metric('latchkey_validate_decisions_total{reason="MALFORMED"}'), before + 5)


class Folding(ValidateCase):
    settings = {"min_revision_wait": "10s", "fold_reasons": True}

    def test_what_a_secret_once_was_is_told_only_to_who_sees_detail(self):
        watcher = self.create(permissions=["latchkey.validate.detail"])
        created = self.create(expires_at=in_seconds(0.5))
        self.assertEqual(self.ask_about(watcher).decision, ALLOW)
        wait_until(lambda: self.ask_about(created).decision == DENY, 10, "the token's end")
        self.assert_denied(self.ask(created.secret), "UNKNOWN")
        self.assert_denied(self.ask("nonsense"), "UNKNOWN")
        with Client(self.validator.address, watcher.secret) as client:
            self.assertEqual(self.ask(created.secret, client=client).reason, decision_pb2.REASON_EXPIRED)
            self.assertEqual(self.ask("nonsense", client=client).reason, decision_pb2.REASON_MALFORMED)


class BehindAProxy(ValidateCase):
    settings = {"min_revision_wait": "10s", "trusted_proxies": "127.0.0.1,10.0.0.0/8"}

    def ask_from(self, *forwarded, secret=None, about=None):
        request = validation_pb2.ValidateRequest(token=about, channel=API, client_ip="203.0.113.7")
        metadata = [("x-forwarded-for", value) for value in forwarded]
        with Client(self.validator.address, secret) as client:
            return client.validation.Validate(request, timeout=10, metadata=metadata)

    def test_who_comes_through_a_proxy_on_this_machine_is_not_local(self):
        created = self.create()
        self.assertEqual(self.ask_about(created).decision, ALLOW)
        for forwarded in (["198.51.100.1"], ["127.0.0.1, 198.51.100.1"], ["127.0.0.1", "198.51.100.1"], ["nonsense"],
                          ["127.0.0.1, 10.0.0.9"], ["127.0.0.1", "10.0.0.9"], ["127.0.0.1, 10.0.0.9, 127.0.0.1"]):
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING",
                                lambda forwarded=forwarded: self.ask_from(*forwarded, about=created.secret))
        for forwarded in (["127.0.0.1"], ["127.0.0.1, 127.0.0.1"], []):
            self.assertEqual(self.ask_from(*forwarded, about=created.secret).decision, ALLOW)

    def test_a_bearer_comes_from_the_address_behind_the_proxy(self):
        bearer = self.create(allowed_ips=["198.51.100.0/24"])
        self.assertEqual(self.ask_about(bearer, client_ip="198.51.100.1").decision, ALLOW)
        answer = self.ask_from("198.51.100.1", secret=bearer.secret, about=bearer.secret)
        self.assert_denied(answer, "TOKEN_IP_NOT_LISTED")
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED",
                            lambda: self.ask_from("203.0.113.1", secret=bearer.secret, about=bearer.secret))


class Revisions(ValidateCase):
    def test_a_new_token_is_known_from_its_revision_on(self):
        for _ in range(50):
            created = self.create()
            answer = self.ask_about(created)
            self.assertEqual(answer.decision, ALLOW)
            self.assertEqual(self.ask(created.secret, min_revision=answer.revision).decision, ALLOW)

    def test_an_old_revision_is_reached(self):
        first = self.create()
        self.create()
        self.assertEqual(self.ask_about(first).decision, ALLOW)

    def test_another_mark_and_a_place_above_the_head_are_of_another_history(self):
        created = self.create()
        lane, head, mark = self.lane_of(created.access_token.company_id)
        self.assertEqual(created.revision, revision_of(lane, head, mark))
        for revision in (revision_of(lane, head, mark ^ 1), revision_of(lane, head + 1, mark)):
            started = time.monotonic()
            self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "REVISION_UNKNOWN",
                                lambda r=revision: self.ask(created.secret, min_revision=r))
            self.assertLess(time.monotonic() - started, 8)

    def test_what_is_committed_while_the_call_waits_is_reached(self):
        created = self.create()
        self.ask_about(created)
        self.deployment.execute("UPDATE latchkey.token SET label = 'renamed' "
                                f"WHERE token_id = '{uuid_of_id(created.access_token.token_id)}'")
        revision = revision_of(*self.lane_of(created.access_token.company_id))
        self.assertEqual(self.ask(created.secret, min_revision=revision).decision, ALLOW)

    def test_text_that_is_no_revision_is_a_bad_field(self):
        self.assert_bad_fields(lambda: self.ask("x", min_revision="AAAA"), "min_revision")


class WithoutDatabase(ValidateCase):
    """A cluster of its own, which goes away."""

    settings = {"min_revision_wait": "2s", "max_staleness": "8s", "poll_interval": "100ms"}

    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enter(PrivatePostgres())
        super().setUpClass()

    def setUp(self):
        self.created = self.create(permissions=["charges.read"])
        wait_until(self.is_followed, 60, "the validator to follow the database")

    def is_followed(self):
        """Not only within a lease of before: what has just been committed is known."""
        try:
            return self.ask_about(self.created).decision == ALLOW
        except grpc.RpcError as error:
            self.assertEqual(error.code(), UNAVAILABLE, error.details())
            return False

    def tearDown(self):
        self.postgres.start()
        self.validator.wait_ready()
        self.deployment.server.wait_ready()

    def test_it_decides_on_for_max_staleness_then_says_stale_and_recovers_by_itself(self):
        self.postgres.stop()
        stopped = time.monotonic()
        while time.monotonic() - stopped < 2:
            self.assertEqual(self.ask(self.created.secret).decision, ALLOW)
        wait_until(self.is_stale, 30, "the validator to be stale")
        self.assertLess(time.monotonic() - stopped, 13)
        wait_until(lambda: not self.validator.is_ready(), 30, "the validator to be unready")
        self.assertIn("validator", self.validator.admin("/readyz")[1])
        self.postgres.start()
        wait_until(lambda: not self.is_stale(), 30, "the validator to recover")
        self.assertEqual(self.ask(self.created.secret).decision, ALLOW)

    def is_stale(self):
        try:
            self.ask(self.created.secret)
        except grpc.RpcError as error:
            self.assert_refused(UNAVAILABLE, "STALE", lambda: self.raise_again(error))
            return True
        return False

    def raise_again(self, error):
        raise error

    def test_a_revision_that_can_not_come_is_not_reached_and_one_that_the_client_gives_up_is_counted(self):
        lane, head, mark = self.lane_of(self.created.access_token.company_id)
        self.postgres.stop()
        started = time.monotonic()
        ahead = {"min_revision": revision_of(lane, head + 1, mark)}
        self.assert_refused(UNAVAILABLE, "REVISION_NOT_REACHED", lambda: self.ask(self.created.secret, **ahead))
        self.assertLess(time.monotonic() - started, 9)
        request = validation_pb2.ValidateRequest(token=self.created.secret, channel=API, **ahead)
        cancelled = 'latchkey_validate_waits_total{end="cancelled"}'
        for _ in range(200):
            future = self.client.validation.Validate.future(request, timeout=10)
            time.sleep(0.02)
            future.cancel()
            if self.metric(cancelled) > 0:
                break
        self.assertGreater(self.metric(cancelled), 0)
        self.assertEqual(self.metric("latchkey_validate_parked_calls "), 0)


if __name__ == "__main__":
    unittest.main()
