"""Changes of one access token: updated, suspended, resumed. The validator agrees right after it has been waited for."""

import concurrent.futures
import unittest
import uuid

import grpc

from latchkey_test import error_info
from latchkey_test.row_lock import RowLock
from token_case import (ABSENT, API, DAY, DENIED, PRECONDITION, UI, TokenCase, ValidatedCase, seconds_from_now,
                        token_pb2)

WAIT = {"seconds": 20}


class Updates(TokenCase):
    def make(self, **fields):
        return self.create(**fields).access_token

    # ---- what an update says ----

    def test_only_what_the_mask_names_changes(self):
        token = self.make(label="before", description="kept", metadata={"a": "1"}, permissions=["charges.read"])
        changed = self.update(token.token_id, "label", label="after", description="not named", metadata={"b": "2"})
        self.assertEqual((changed.label, changed.description, dict(changed.metadata), list(changed.permissions)),
                         ("after", "kept", {"a": "1"}, ["charges.read"]))
        self.assertNotEqual(changed.etag, token.etag)
        self.assertEqual(self.get(token.token_id), changed)

    def test_every_field_that_may_change_does(self):
        token = self.make(channels=[API, UI])
        end = seconds_from_now(DAY).replace(microsecond=0)
        changed = self.update(
            token.token_id, "label", "description", "metadata", "allowed_domains", "allowed_ips", "permissions",
            "expires_at", label="Größe", description="d", metadata={"k": "v", "l": ""}, allowed_domains=["*.Example.com"],
            allowed_ips=["127.0.0.1/8"], permissions=["charges.*"], expires_at=end)
        self.assertEqual((changed.label, changed.description, dict(changed.metadata)), ("Größe", "d", {"k": "v", "l": ""}))
        self.assertEqual((list(changed.allowed_domains), list(changed.allowed_ips), list(changed.permissions)),
                         (["*.example.com"], ["127.0.0.0/8"], ["charges.*"]))
        self.assertEqual(changed.expires_at.ToDatetime(), end.replace(tzinfo=None))

    def test_named_and_absent_is_cleared(self):
        token = self.make(description="d", metadata={"a": "1"}, allowed_ips=["127.0.0.1"], channels=[UI],
                          allowed_domains=["example.com"], permissions=["charges.read"], expire_in={"seconds": DAY})
        names = ("description", "metadata", "allowed_ips", "allowed_domains", "permissions", "expires_at")
        cleared = self.update(token.token_id, *names)
        self.assertEqual((cleared.description, dict(cleared.metadata), list(cleared.allowed_ips),
                          list(cleared.allowed_domains), list(cleared.permissions), cleared.HasField("expires_at")),
                         ("", {}, [], [], [], False))

    def test_a_change_of_metadata_alone_is_in_the_audit_log_whatever_its_keys(self):
        for key in ("secret_x", "etag", "last_used_by", "plain"):
            with self.subTest(key):
                token = self.make(metadata={key: "1"})
                self.update(token.token_id, "metadata", metadata={key: "2"})
                self.assertEqual(self.deployment.execute(
                    "SELECT before::jsonb, after::jsonb FROM latchkey.audit_event WHERE action = 'token.updated' "
                    f"AND object_id = '{token.token_id}'"), [({"metadata": {key: "1"}}, {"metadata": {key: "2"}})])

    def test_a_label_can_not_be_cleared(self):
        token = self.make()
        self.assert_bad_fields(lambda: self.update(token.token_id, "label"), "access_token.label")

    def test_an_update_without_a_mask_or_with_an_unknown_field_is_refused(self):
        token = self.make()
        sentence = self.assert_bad_fields(lambda: self.update(token.token_id, label="x"), "update_mask")["update_mask"]
        self.assertIn("label, description, metadata, allowed_domains, allowed_ips, permissions, expires_at", sentence)
        for name in ("channels", "state", "not_before", "external_id", "secrets", "*", "Label", "metadata.a"):
            with self.subTest(name):
                self.assert_bad_fields(lambda n=name: self.update(token.token_id, "label", n, label="x"),
                                       "update_mask.paths[1]")
        self.assert_bad_fields(lambda: self.update("tok_x", "label", label="x"), "access_token.token_id")
        self.assert_bad_fields(lambda: self.client.tokens.UpdateAccessToken(
            token_pb2.UpdateAccessTokenRequest(request_id="x"), timeout=10),
            "access_token.token_id", "update_mask", "request_id")

    def test_every_bad_value_is_named_at_once_and_nothing_changes(self):
        token = self.make()
        self.assert_bad_fields(
            lambda: self.update(token.token_id, "label", "description", "metadata", "allowed_domains", "allowed_ips",
                                "permissions", "expires_at", label="l" * 101, description="d" * 501,
                                metadata={"": "x"}, allowed_domains=["*.com"], allowed_ips=["10.0.0.1/33", "10.0.0.1"],
                                permissions=["charges.read", "charges.craete"], expires_at=seconds_from_now(-1)),
            *(f"access_token.{name}" for name in (
                "label", "description", "metadata", "allowed_domains", "allowed_domains[0]", "allowed_ips[0]",
                "permissions[1]", "expires_at")))
        self.assertEqual(self.get(token.token_id), token)

    def test_what_is_not_named_is_not_looked_at(self):
        token = self.make()
        self.assertEqual(self.update(token.token_id, "label", label="ok", allowed_ips=["nonsense"]).label, "ok")

    def test_an_expiry_before_the_start_is_refused(self):
        token = self.make(not_before=seconds_from_now(2 * DAY))
        self.assert_bad_fields(lambda: self.update(token.token_id, "expires_at", expires_at=seconds_from_now(DAY)),
                               "access_token.expires_at")

    def test_an_expired_token_can_be_given_more_time(self):
        made = self.create(expire_in={"seconds": DAY})
        self.expire(made)
        self.assert_dead(made.secret, "EXPIRED")
        later = self.update(made.access_token.token_id, "expires_at", expires_at=seconds_from_now(DAY))
        self.assertEqual(later.state, token_pb2.TOKEN_STATE_ACTIVE)
        self.call_with(made.secret)

    # ---- lost updates ----

    def test_a_stale_etag_is_refused(self):
        token = self.make()
        newer = self.update(token.token_id, "label", label="b", etag=token.etag)
        error = self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE",
                                    lambda: self.update(token.token_id, "label", label="c", etag=token.etag))
        self.assertEqual(error_info(error).metadata["etag"], newer.etag)
        self.update(token.token_id, "label", label="c", etag=newer.etag)

    def test_an_update_that_changes_nothing_keeps_the_etag(self):
        token = self.make(metadata={"a": "1"}, permissions=["charges.read"])
        same = self.update(token.token_id, "label", "metadata", "permissions", "expires_at", label=token.label,
                           metadata={"a": "1"}, permissions=["charges.read"])
        self.assertEqual(same, token)

    def test_a_repeated_request_changes_once(self):
        token, request_id = self.make(), str(uuid.uuid4())
        first = self.update(token.token_id, "label", label="once", request_id=request_id)
        second = self.update(token.token_id, "label", label="once", request_id=request_id)
        self.assertEqual(first, second)
        self.assertEqual(self.get(token.token_id).etag, first.etag)

    def test_of_changes_at_once_none_is_lost(self):
        token = self.make()
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            done = list(threads.map(lambda number: self.update(token.token_id, "metadata", metadata={"n": str(number)}),
                                    range(16)))
        self.assertEqual(len({changed.etag for changed in done}), 16)

    # ---- never more than the caller ----

    def test_what_an_update_widens_the_caller_must_hold(self):
        maker = self.create(permissions=["latchkey.tokens.manage", "charges.read"], allowed_ips=["127.0.0.0/8"],
                            channels=[API, UI], allowed_domains=["*.example.com"], expire_in={"seconds": DAY})
        token = self.make(permissions=["charges.read"], allowed_ips=["127.0.0.1"], channels=[API, UI],
                          allowed_domains=["a.example.com"], expire_in={"seconds": 60})
        with self.caller_of(maker.secret) as client:
            for mask, fields in (
                    ("permissions", {"permissions": ["charges.read", "charges.create"]}),
                    ("permissions", {"permissions": ["charges.*"]}),
                    ("permissions", {"permissions": ["latchkey.operate"]}),
                    ("allowed_ips", {"allowed_ips": ["126.0.0.0/7"]}), ("allowed_ips", {}),
                    ("allowed_domains", {"allowed_domains": ["example.org"]}), ("allowed_domains", {}),
                    ("expires_at", {"expires_at": seconds_from_now(2 * DAY)}), ("expires_at", {})):
                with self.subTest(mask=mask, **fields):
                    self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                        lambda m=mask, f=fields: self.update(token.token_id, m, client=client, **f))
            self.assertEqual(self.get(token.token_id), token)
            wider = self.update(token.token_id, "permissions", "allowed_ips", client=client,
                                permissions=["charges.read", "latchkey.tokens.manage"], allowed_ips=["127.0.0.0/9"])
        self.assertEqual(list(wider.allowed_ips), ["127.0.0.0/9"])

    def test_a_caller_that_was_narrowed_while_it_waited_gives_only_what_it_still_has(self):
        token = self.make(allowed_ips=["127.0.0.1"], channels=[API, UI], allowed_domains=["a.example.com"],
                          expire_in={"seconds": 60})
        for narrow, mask, fields in (
                ({"allowed_ips": ["127.0.0.1"]}, "allowed_ips", {"allowed_ips": ["127.0.0.0/9"]}),
                ({"allowed_domains": ["a.example.com"]}, "allowed_domains", {"allowed_domains": ["b.example.com"]}),
                ({"expires_at": seconds_from_now(600)}, "expires_at", {"expires_at": seconds_from_now(1200)})):
            caller = self.create(permissions=["latchkey.tokens.manage"], allowed_ips=["127.0.0.0/8"], channels=[API, UI],
                                 allowed_domains=["*.example.com"], expire_in={"seconds": DAY})
            with self.subTest(mask), self.caller_of(caller.secret) as client, \
                    concurrent.futures.ThreadPoolExecutor(1) as threads, \
                    RowLock(self.deployment, f"token WHERE token_id = '{self.uuid_of(token)}'") as lock:
                waiting = threads.submit(self.assert_refused, DENIED, "GRANT_EXCEEDS_CALLER", lambda m=mask, f=fields, c=client:
                                         self.update(token.token_id, m, client=c, **f))
                lock.wait_for_others(1)
                self.update(caller.access_token.token_id, mask, **narrow)
                lock.release()
                waiting.result()
        self.assertEqual(self.get(token.token_id), token)

    def test_a_wider_list_of_addresses_gives_away_every_permission_of_the_token(self):
        token = self.make(permissions=["charges.create"], allowed_ips=["127.0.0.1"])
        manager = self.create(permissions=["latchkey.tokens.manage"])
        with self.caller_of(manager.secret) as client:
            self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                lambda: self.update(token.token_id, "allowed_ips", client=client))

    def test_anybody_who_manages_tokens_may_narrow_and_name_them(self):
        token = self.make(permissions=["charges.create", "charges.read"])
        manager = self.create(permissions=["latchkey.tokens.manage"])
        with self.caller_of(manager.secret) as client:
            narrow = self.update(token.token_id, "label", "permissions", "allowed_ips", "expires_at", client=client,
                                 label="narrow", permissions=["charges.read"], allowed_ips=["127.0.0.1"],
                                 expires_at=seconds_from_now(60))
        self.assertEqual((narrow.label, list(narrow.permissions)), ("narrow", ["charges.read"]))

    def test_who_may_not_manage_tokens_changes_none_not_even_its_own(self):
        reader = self.create(permissions=["latchkey.tokens.read"])
        with self.caller_of(reader.secret) as client:
            for call in (lambda: self.update(reader.access_token.token_id, "label", client=client, label="x"),
                         lambda: self.suspend(reader.access_token.token_id, client=client),
                         lambda: self.resume(reader.access_token.token_id, client=client)):
                self.assert_refused(DENIED, "PERMISSION_MISSING", call)

    # ---- lock-out ----

    def test_the_calling_token_does_not_lock_itself_out_unless_forced(self):
        made = self.create(permissions=["latchkey.tokens.manage"])
        token_id = made.access_token.token_id
        with self.caller_of(made.secret) as client:
            error = self.assert_refused(PRECONDITION, "LOCKS_OUT_CALLER", lambda: self.update(
                token_id, "allowed_ips", client=client, allowed_ips=["192.0.2.0/24"]))
            self.assertEqual(dict(error_info(error).metadata), {"clientIp": "127.0.0.1", "neededEntry": "127.0.0.1/32"})
            self.assertIn("127.0.0.1/32", error.details())
            self.update(token_id, "allowed_ips", client=client, allowed_ips=["192.0.2.0/24", "127.0.0.0/8"])
            forced = self.update(token_id, "allowed_ips", client=client, allowed_ips=["192.0.2.0/24"], force=True)
            self.assertEqual(list(forced.allowed_ips), ["192.0.2.0/24"])
            self.assert_refused(DENIED, "TOKEN_IP_NOT_LISTED", lambda: self.get(token_id, client))

    def test_another_token_may_be_locked_out_of_here(self):
        token = self.make()
        self.update(token.token_id, "allowed_ips", allowed_ips=["192.0.2.0/24"])

    # ---- the company's policy ----

    def test_the_policy_bounds_the_life_of_a_token_from_its_making(self):
        token = self.make(expire_in={"seconds": 60})
        self.set_policy(max_token_lifetime_ms=DAY * 1000, require_expiry="true")
        self.assert_refused(PRECONDITION, "POLICY_MAX_TOKEN_LIFETIME", lambda: self.update(
            token.token_id, "expires_at", expires_at=seconds_from_now(DAY + 60)))
        self.assert_refused(PRECONDITION, "POLICY_REQUIRES_EXPIRY", lambda: self.update(token.token_id, "expires_at"))
        self.update(token.token_id, "expires_at", expires_at=seconds_from_now(DAY - 60))

    def test_the_policy_is_asked_only_where_the_expiry_changes(self):
        token = self.make()
        self.set_policy(require_expiry="true")
        self.assert_refused(PRECONDITION, "POLICY_REQUIRES_EXPIRY", self.create)
        self.assertEqual(self.update(token.token_id, "label", label="old rules").label, "old rules")

    # ---- what can't be changed ----

    def test_what_was_ended_for_good_does_not_change(self):
        token = self.make()
        self.deactivate(token.token_id)
        for call in (lambda: self.update(token.token_id, "label", label="x"), lambda: self.suspend(token.token_id),
                     lambda: self.resume(token.token_id)):
            self.assert_refused(PRECONDITION, "TOKEN_DEACTIVATED", call)

    def test_tokens_of_other_companies_and_log_ins_are_not_found(self):
        with self.deployment.operator() as client:
            other = self.create(client).access_token
        login = self.make()
        self.deployment.execute("UPDATE latchkey.token SET kind = 'l', expires_at = now() + interval '1 h' "
                                f"WHERE token_id = '{self.uuid_of(login)}'")
        for token_id in (other.token_id, login.token_id, ABSENT):
            for call in (lambda t=token_id: self.update(t, "label", label="x"), lambda t=token_id: self.suspend(t),
                         lambda t=token_id: self.resume(t)):
                self.assert_refused(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND", call)
        with self.deployment.operator() as client:
            self.assertEqual(self.get(other.token_id, client), other)


class Suspensions(TokenCase):
    def test_a_suspended_token_is_refused_until_it_is_resumed(self):
        made = self.create()
        token_id = made.access_token.token_id
        suspended = self.suspend(token_id, note="under review")
        self.assertEqual((suspended.state, suspended.HasField("suspended_until")), (token_pb2.TOKEN_STATE_SUSPENDED, False))
        self.assert_dead(made.secret, "SUSPENDED")
        self.assertIn(token_id, self.list_ids(state=token_pb2.TOKEN_STATE_SUSPENDED))
        self.assertEqual(self.resume(token_id).state, token_pb2.TOKEN_STATE_ACTIVE)
        self.call_with(made.secret)

    def test_a_suspension_ends_by_itself(self):
        made = self.create()
        token_id = made.access_token.token_id
        until = seconds_from_now(DAY).replace(microsecond=5000)
        self.assertEqual(self.suspend(token_id, until).suspended_until.ToDatetime(), until.replace(tzinfo=None))
        self.assert_dead(made.secret, "SUSPENDED")
        self.deployment.execute("UPDATE latchkey.token SET suspended_until = now() - interval '1 ms' "
                                f"WHERE token_id = '{self.uuid_of(made.access_token)}'")
        self.assertEqual(self.get(token_id).state, token_pb2.TOKEN_STATE_ACTIVE)
        self.call_with(made.secret)
        self.assertNotIn(token_id, self.list_ids(state=token_pb2.TOKEN_STATE_SUSPENDED))

    def test_a_new_suspension_replaces_the_end_of_the_one_before(self):
        token_id = self.create().access_token.token_id
        first = self.suspend(token_id, seconds_from_now(DAY))
        longer = self.suspend(token_id, seconds_from_now(2 * DAY))
        self.assertGreater(longer.suspended_until.seconds, first.suspended_until.seconds)
        self.assertFalse(self.suspend(token_id).HasField("suspended_until"))

    def test_the_same_again_and_a_resumption_of_nothing_change_nothing(self):
        token = self.create().access_token
        self.assertEqual(self.resume(token.token_id), token)
        suspended = self.suspend(token.token_id)
        self.assertEqual(self.suspend(token.token_id), suspended)

    def test_a_token_that_has_expired_is_not_suspended_but_may_be_resumed(self):
        made = self.create(expire_in={"seconds": DAY})
        self.suspend(made.access_token.token_id)
        self.expire(made)
        self.assert_refused(PRECONDITION, "TOKEN_EXPIRED", lambda: self.suspend(made.access_token.token_id))
        self.assertEqual(self.resume(made.access_token.token_id).state, token_pb2.TOKEN_STATE_EXPIRED)

    def test_bad_fields_are_named_at_once(self):
        self.assert_bad_fields(
            lambda: self.suspend("tok_x", seconds_from_now(-1), note="n" * 501, request_id="x"),
            "token_id", "until", "note", "request_id")
        for until in ({"seconds": 253402300800}, {"seconds": -62135596801}, {"seconds": 1, "nanos": -1},
                      {"seconds": 2**62}, {"seconds": 1, "nanos": 2**30}):
            self.assert_bad_fields(lambda u=until: self.client.tokens.SuspendAccessToken(
                token_pb2.SuspendAccessTokenRequest(token_id=ABSENT, until=u), timeout=10), "until")
        self.assert_bad_fields(lambda: self.resume("mbr_x"), "token_id")


class Followed(ValidatedCase):
    """What is changed here holds at the validator when the call has waited for it."""

    def test_the_validator_follows_an_update(self):
        made = self.create(permissions=["charges.read"], wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.assertEqual(self.decide(made.secret, permissions=["charges.create"]), "PERMISSION_MISSING")
        self.update(token_id, "permissions", "allowed_ips", permissions=["charges.*"], allowed_ips=["10.0.0.0/8"], wait=20)
        self.assertEqual(self.decide(made.secret), "TOKEN_IP_NOT_LISTED")
        self.assertEqual(self.decide(made.secret, "10.1.1.1", permissions=["charges.create"]), "OK")

    def test_the_validator_follows_a_suspension_and_its_end(self):
        made = self.create(wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.suspend(token_id, wait_for_validators=WAIT)
        self.assertEqual(self.decide(made.secret), "SUSPENDED")
        self.resume(token_id, wait_for_validators=WAIT)
        self.assertEqual(self.decide(made.secret), "OK")

    def test_the_validator_follows_domains_and_a_new_expiry(self):
        made = self.create(channels=[UI], wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.update(token_id, "allowed_domains", allowed_domains=["*.bücher.example"], wait=20)
        self.assertEqual(self.decide(made.secret, channel=UI, domain="https://a.xn--bcher-kva.example"), "OK")
        self.assertEqual(self.decide(made.secret, channel=UI, domain="https://example.com"), "DOMAIN_NOT_LISTED")
        self.update(token_id, "expires_at", expires_at=seconds_from_now(0.2), wait=20)
        self.wait_for(lambda: self.decide(made.secret, channel=UI, domain="a.xn--bcher-kva.example") == "EXPIRED")


if __name__ == "__main__":
    unittest.main()
