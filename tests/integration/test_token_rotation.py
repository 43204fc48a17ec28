"""RotateAccessToken: another secret for the same token, the grace of the old one, and who may."""

import concurrent.futures
import unittest
import uuid

import grpc

from latchkey_test import error_info
from latchkey_test.row_lock import RowLock
from token_case import ABSENT, API, DAY, DENIED, PRECONDITION, UI, TokenCase, ValidatedCase, seconds_from_now, token_pb2

WAIT = {"seconds": 20}


class Rotations(TokenCase):
    def test_a_rotation_keeps_id_and_rights_and_changes_the_secret_alone(self):
        made = self.create(label="deploys", permissions=["charges.read"], allowed_ips=["127.0.0.0/8"], external_id="rot-1",
                           expire_in={"seconds": DAY}, metadata={"a": "b"})
        token = made.access_token
        rotated = self.rotate(token.token_id)
        self.assertRegex(rotated.secret, "^lka_[0-9A-Za-z]{51}$")
        self.assertNotEqual(rotated.secret, made.secret)
        (secret,) = rotated.access_token.secrets
        self.assertTrue(rotated.secret.endswith(secret.hint[-4:]))
        self.assertNotEqual(rotated.access_token.etag, token.etag)
        same = token_pb2.AccessToken()
        same.CopyFrom(rotated.access_token)
        same.ClearField("secrets")
        same.etag = token.etag
        before = token_pb2.AccessToken()
        before.CopyFrom(token)
        before.ClearField("secrets")
        self.assertEqual(same, before)
        self.assertEqual(self.get(token.token_id), rotated.access_token)

    def test_without_grace_the_old_secret_is_dead_at_once(self):
        made = self.create()
        rotated = self.rotate(made.access_token.token_id)
        self.assert_dead(made.secret, "EXPIRED")
        self.assertEqual(self.call_with(rotated.secret).token_id, made.access_token.token_id)

    def test_in_the_grace_both_secrets_are_good_and_listed_newest_first(self):
        made = self.create()
        rotated = self.rotate(made.access_token.token_id, grace=DAY)
        newest, oldest = rotated.access_token.secrets
        self.assertTrue(rotated.secret.endswith(newest.hint[-4:]) and made.secret.endswith(oldest.hint[-4:]))
        self.assertFalse(newest.HasField("expires_at"))
        self.assertAlmostEqual(oldest.expires_at.seconds, seconds_from_now(DAY).timestamp(), delta=60)
        for secret in (made.secret, rotated.secret):
            self.call_with(secret)

    def test_when_the_grace_is_over_the_old_secret_is_gone_from_the_list(self):
        made = self.create()
        rotated = self.rotate(made.access_token.token_id, grace=DAY)
        self.end_grace(made)
        self.assert_dead(made.secret, "EXPIRED")
        self.call_with(rotated.secret)
        self.assertEqual([secret.hint[-4:] for secret in self.get(made.access_token.token_id).secrets],
                         [rotated.secret[-4:]])

    def end_grace(self, made):
        self.deployment.execute("UPDATE latchkey.token_secret SET expires_at = now() - interval '1 ms' "
                                f"WHERE rotated_at IS NOT NULL AND token_id = '{self.uuid_of(made.access_token)}'")

    def test_a_rotation_in_the_grace_of_the_one_before_is_refused(self):
        made = self.create()
        token_id = made.access_token.token_id
        self.rotate(token_id, grace=DAY)
        for grace in (0, DAY):
            error = self.assert_refused(PRECONDITION, "ROTATION_IN_GRACE", lambda g=grace: self.rotate(token_id, g))
            self.assertGreater(int(error_info(error).metadata["graceEndsAtMs"]), seconds_from_now(DAY - 60).timestamp() * 1000)
        self.call_with(made.secret)
        self.end_grace(made)
        self.rotate(token_id)

    def test_a_rotation_whose_answer_was_lost_is_taken_back(self):
        made = self.create()
        token_id = made.access_token.token_id
        lost = self.rotate(token_id, grace=DAY)
        again = self.rotate(token_id, grace=60, supersede=True)
        self.assert_dead(lost.secret, "EXPIRED")
        for secret in (made.secret, again.secret):
            self.call_with(secret)
        newest, oldest = again.access_token.secrets
        self.assertEqual((newest.hint[-4:], oldest.hint[-4:]), (again.secret[-4:], made.secret[-4:]))
        self.assertAlmostEqual(oldest.expires_at.seconds, seconds_from_now(60).timestamp(), delta=30)
        last = self.rotate(token_id, supersede=True)
        for secret in (made.secret, again.secret):
            self.assert_dead(secret, "EXPIRED")
        self.call_with(last.secret)

    def test_a_repeated_request_rotates_once_and_shows_the_secret_once(self):
        made, request_id = self.create(), str(uuid.uuid4())
        first = self.rotate(made.access_token.token_id, request_id=request_id)
        second = self.rotate(made.access_token.token_id, request_id=request_id)
        self.assertEqual(first.access_token, second.access_token)
        self.assertTrue(first.secret and not first.secret_withheld)
        self.assertTrue(second.secret_withheld and not second.secret)
        self.call_with(first.secret)

    def test_of_rotations_at_once_with_a_grace_one_is_done(self):
        made = self.create()

        def rotate(_):
            try:
                return self.rotate(made.access_token.token_id, grace=DAY).secret
            except grpc.RpcError as error:
                self.assertEqual(error_info(error).reason, "ROTATION_IN_GRACE")
                return None

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            secrets = [secret for secret in threads.map(rotate, range(12)) if secret]
        self.assertEqual(len(secrets), 1)
        self.call_with(secrets[0])

    def test_of_rotations_by_itself_at_once_without_grace_one_is_done_and_the_other_is_nobody_any_more(self):
        for _ in range(8):
            made = self.create()
            secrets = self.rotate_itself_behind_a_lock(made, count=2)
            self.assertEqual(sorted(secret is not None for secret in secrets), [False, True])
            self.call_with(next(secret for secret in secrets if secret))

    def rotate_itself_behind_a_lock(self, made, count):
        """The new secrets of calls that all were admitted before the first had the token; None = refused."""
        def rotate(_):
            with self.caller_of(made.secret) as client:
                try:
                    return self.rotate(made.access_token.token_id, client=client).secret
                except grpc.RpcError as error:
                    self.assertEqual((error.code(), error_info(error).reason), (grpc.StatusCode.UNAUTHENTICATED, "EXPIRED"))
                    return None

        with RowLock(self.deployment, f"token WHERE token_id = '{self.uuid_of(made.access_token)}'") as lock, \
                concurrent.futures.ThreadPoolExecutor(count) as threads:
            calls = [threads.submit(rotate, None) for _ in range(count)]
            lock.wait_for_others(count)
            lock.release()
            return [call.result() for call in calls]

    def test_a_token_that_ended_while_its_call_waited_changes_nothing(self):
        other = self.create(permissions=["latchkey.tokens.manage"])
        for call in (self.suspend, self.rotate, lambda token_id, client: self.update(token_id, "label", client=client, label="x")):
            caller = self.create(permissions=["latchkey.tokens.manage"])
            with self.caller_of(caller.secret) as client, concurrent.futures.ThreadPoolExecutor(1) as threads, \
                    RowLock(self.deployment, f"token WHERE token_id = '{self.uuid_of(other.access_token)}'") as lock:
                waiting = threads.submit(self.assert_refused, grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED",
                                         lambda c=call: c(other.access_token.token_id, client=client))
                lock.wait_for_others(1)
                self.deactivate(caller.access_token.token_id)
                lock.release()
                waiting.result()
        self.assertEqual(self.get(other.access_token.token_id), other.access_token)

    # ---- bad input ----

    def test_the_grace_is_0_to_30_days(self):
        token_id = self.create().access_token.token_id
        for grace in ({"seconds": -1}, {"seconds": 30 * DAY, "nanos": 1_000_000}, {"seconds": 2**62}, {"nanos": -1},
                      {"seconds": 1, "nanos": -1}, {"seconds": 1, "nanos": 1_000_000_000}, {"seconds": 31 * DAY}):
            with self.subTest(grace):
                sentence = self.assert_bad_fields(lambda g=grace: self.client.tokens.RotateAccessToken(
                    token_pb2.RotateAccessTokenRequest(token_id=token_id, grace=g), timeout=10), "grace")["grace"]
                self.assertIn("30 days", sentence)
        self.rotate(token_id, grace=30 * DAY)
        self.assert_bad_fields(lambda: self.rotate("tok_x", -1, request_id="x"), "token_id", "grace", "request_id")

    def test_what_has_ended_is_not_rotated(self):
        ended, expired = self.create(), self.create(expire_in={"seconds": DAY})
        self.deactivate(ended.access_token.token_id)
        self.expire(expired)
        self.assert_refused(PRECONDITION, "TOKEN_DEACTIVATED", lambda: self.rotate(ended.access_token.token_id))
        self.assert_refused(PRECONDITION, "TOKEN_EXPIRED", lambda: self.rotate(expired.access_token.token_id))

    def test_a_token_that_is_not_the_companys_is_not_found(self):
        with self.deployment.operator() as client:
            other = self.create(client)
        for token_id in (other.access_token.token_id, ABSENT):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND", lambda t=token_id: self.rotate(t))
        with self.deployment.operator() as client:
            self.assertEqual(len(self.get(other.access_token.token_id, client).secrets), 1)

    # ---- who may ----

    def test_a_token_may_rotate_itself_and_no_other(self):
        made, other = self.create(), self.create()
        with self.caller_of(made.secret) as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.rotate(other.access_token.token_id, client=client))
            rotated = self.rotate(made.access_token.token_id, grace=60, client=client)
        self.call_with(rotated.secret)

    def test_the_old_secret_in_its_grace_does_not_throw_out_the_new_one(self):
        made = self.create()
        rotated = self.rotate(made.access_token.token_id, grace=DAY)
        with self.caller_of(made.secret) as thief:
            self.assert_refused(PRECONDITION, "ROTATION_IN_GRACE", lambda: self.rotate(
                made.access_token.token_id, client=thief))
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.rotate(
                made.access_token.token_id, client=thief, supersede=True))
        self.call_with(rotated.secret)

    def test_who_rotates_another_holds_all_that_it_may_do(self):
        manager = self.create(permissions=["latchkey.tokens.manage", "charges.read"], allowed_ips=["127.0.0.0/8"],
                              channels=[API, UI], allowed_domains=["*.example.com"], expire_in={"seconds": DAY})
        within = {"permissions": ["charges.read"], "allowed_ips": ["127.0.0.1"], "expire_in": {"seconds": 60}}
        with self.caller_of(manager.secret) as client:
            for beyond in ({"permissions": ["charges.create"]}, {"permissions": ["charges.*"]}, {"allowed_ips": []},
                           {"allowed_ips": ["10.0.0.1"]}, {"expire_in": {"seconds": 2 * DAY}},
                           {"channels": [UI], "allowed_domains": ["example.org"]}):
                with self.subTest(beyond):
                    made = self.create(**{**within, **beyond})
                    self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                        lambda m=made: self.rotate(m.access_token.token_id, client=client))
                    self.assertEqual(len(self.get(made.access_token.token_id).secrets), 1)
            self.rotate(self.create(**within).access_token.token_id, client=client)

    # ---- what is kept ----

    def test_spent_secrets_stay_known_but_only_the_newest(self):
        made = self.create()
        for _ in range(13):
            self.rotate(made.access_token.token_id)
        kept = self.deployment.execute("SELECT count(*), count(*) FILTER (WHERE rotated_at IS NULL) FROM latchkey.token_secret "
                                       f"WHERE token_id = '{self.uuid_of(made.access_token)}'")
        self.assertEqual(kept, [(11, 1)])
        self.assert_dead(made.secret, "UNKNOWN")
        self.assertEqual(len(self.get(made.access_token.token_id).secrets), 1)


class Followed(ValidatedCase):
    def test_the_validator_follows_a_rotation(self):
        made = self.create(wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        rotated = self.rotate(token_id, grace=DAY, wait_for_validators=WAIT)
        self.assertTrue(rotated.validators.all_confirmed)
        self.assertEqual((self.decide(made.secret), self.decide(rotated.secret)), ("OK", "OK"))
        last = self.rotate(token_id, supersede=True, wait_for_validators=WAIT)
        self.assertEqual([self.decide(secret) for secret in (made.secret, rotated.secret, last.secret)],
                         ["EXPIRED", "EXPIRED", "OK"])

    def test_the_grace_ends_at_the_validator_by_itself(self):
        made = self.create(wait_for_validators=WAIT)
        request = token_pb2.RotateAccessTokenRequest(token_id=made.access_token.token_id, wait_for_validators=WAIT)
        request.grace.nanos = 300_000_000
        rotated = self.client.tokens.RotateAccessToken(request, timeout=20)
        self.wait_for(lambda: self.decide(made.secret) == "EXPIRED")
        self.assertEqual(self.decide(rotated.secret), "OK")


if __name__ == "__main__":
    unittest.main()
