"""ImportAccessTokens: tokens that another system handed out go on working, each with a result of its own."""

import hashlib
import secrets
import threading
import unittest
import uuid

import grpc

from latchkey_test import Deployment, stubs
from token_case import API, DAY, DENIED, UI, TokenCase, ValidatedCase, seconds_from_now, token_pb2

error_details_pb2 = stubs.messages("google/rpc/error_details.proto")

WAIT = {"seconds": 20}
CODES = {code.value[0]: code for code in grpc.StatusCode}


def sha256(secret):
    return hashlib.sha256(secret.encode()).digest()


def foreign_secret():
    return "sk_live_" + secrets.token_urlsafe(24)


def imported(secret=None, **fields):
    """A token to take over; times are datetimes."""
    times = {name: fields.pop(name) for name in ("not_before", "expires_at", "created_at", "last_used_at") if name in fields}
    token = token_pb2.ImportedAccessToken(secret_sha256=fields.pop("secret_sha256", sha256(secret or foreign_secret())),
                                          label=fields.pop("label", "taken over"), **fields)
    for name, at in times.items():
        getattr(token, name).FromDatetime(at.replace(tzinfo=None))
    return token


def reason_of(status):
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return None


def fields_of(status):
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {violation.field: violation.description for violation in bad.field_violations}
    return {}


class ImportCase:
    def take_over(self, *tokens, client=None, **fields):
        request = token_pb2.ImportAccessTokensRequest(tokens=tokens, **fields)
        return (client or self.client).tokens.ImportAccessTokens(request, timeout=50)

    def assert_result(self, result, code, reason):
        self.assertEqual((CODES[result.error.code], reason_of(result.error)), (code, reason), result.error)


class Import(ImportCase, TokenCase):
    def test_a_token_comes_over_with_all_that_it_had(self):
        made, used = seconds_from_now(-300 * DAY).replace(microsecond=0), seconds_from_now(-DAY).replace(microsecond=0)
        end = seconds_from_now(DAY).replace(microsecond=5000)
        token = self.take_over(imported(
            label="Größe", channels=[UI, API], permissions=["charges.*"], allowed_domains=["*.Example.com", "null"],
            allowed_ips=["10.1.2.3/8", "2001:db8::/32"], company_owned=True, external_id="old-7", description="d",
            metadata={"k\"1": "v\\\"{},NULL", "NULL": "", "l": "null"}, hint="…x9Qz", created_at=made, last_used_at=used,
            expires_at=end)).results[0].access_token
        self.assertEqual((token.label, list(token.channels), list(token.permissions), token.external_id, token.member_id),
                         ("Größe", [API, UI], ["charges.*"], "old-7", ""))
        self.assertEqual((list(token.allowed_domains), list(token.allowed_ips)),
                         (["*.example.com", "null"], ["10.0.0.0/8", "2001:db8::/32"]))
        self.assertEqual(dict(token.metadata), {"k\"1": "v\\\"{},NULL", "NULL": "", "l": "null"})
        self.assertEqual([token.created_at.ToDatetime(), token.last_used_at.ToDatetime(), token.expires_at.ToDatetime()],
                         [at.replace(tzinfo=None) for at in (made, used, end)])
        self.assertEqual([secret.hint for secret in token.secrets], ["…x9Qz"])
        self.assertEqual(self.get(token.token_id), token)

    def test_each_token_has_a_result_of_its_own_in_the_same_order(self):
        answer = self.take_over(
            imported(label="good 1"), imported(label=""), imported(label="good 2"), imported(secret_sha256=b"x" * 31),
            imported(permissions=["charges.craete"]), imported(created_at=seconds_from_now(60)),
            imported(last_used_at=seconds_from_now(60)), imported(hint="h" * 17),
            imported(allowed_domains=["example.com"]), imported(label="good 3"))
        labels = [result.access_token.label if result.HasField("access_token") else sorted(fields_of(result.error))
                  for result in answer.results]
        self.assertEqual(labels, ["good 1", ["label"], "good 2", ["secret_sha256"], ["permissions[0]"], ["created_at"],
                                  ["last_used_at"], ["hint"], ["allowed_domains"], "good 3"])
        self.assertIn("charges.create", fields_of(answer.results[4].error)["permissions[0]"])
        for result in answer.results:
            if result.HasField("error"):
                self.assert_result(result, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
                self.assertTrue(result.error.message)
        self.assertTrue(answer.revision)

    def test_every_bad_field_of_a_token_is_named_at_once(self):
        token = imported(label="l" * 101, secret_sha256=b"", permissions=["Nope"], allowed_ips=["10.0.0.1/33"],
                         description="d" * 501, external_id="e" * 256, metadata={"": ""}, hint="h" * 17, channels=[9])
        token.expires_at.seconds = 253402300800
        token.created_at.nanos = -1
        token.last_used_at.seconds = 2**62
        result = self.take_over(token).results[0]
        self.assertEqual(sorted(fields_of(result.error)), sorted([
            "label", "secret_sha256", "permissions[0]", "allowed_ips[0]", "description", "external_id", "metadata", "hint",
            "channels[0]", "expires_at", "created_at", "last_used_at"]))

    def test_a_call_has_1_to_1000_tokens(self):
        self.assert_bad_fields(self.take_over, "tokens")
        self.assert_bad_fields(lambda: self.take_over(*[imported() for _ in range(1001)]), "tokens")
        answer = self.take_over(*[imported(label=f"bulk {number}", permissions=["charges.read"]) for number in range(1000)])
        self.assertEqual([result.access_token.label for result in answer.results], [f"bulk {n}" for n in range(1000)])
        events = self.deployment.execute("SELECT count(*) FROM latchkey.audit_event WHERE action = 'token.imported' "
                                         "AND after->>'label' LIKE 'bulk %'")
        self.assertEqual(events, [(1000,)])

    def test_a_secret_or_an_external_id_that_is_known_is_refused(self):
        secret = foreign_secret()
        made = self.create(external_id="taken")
        exists = grpc.StatusCode.ALREADY_EXISTS
        first = self.take_over(imported(secret, external_id="new"), imported(secret), imported(external_id="new"),
                               imported(external_id="taken"), imported(made.secret)).results
        self.assertTrue(first[0].HasField("access_token"))
        for result, reason in zip(first[1:], ("SECRET_IN_USE", "EXTERNAL_ID_IN_USE", "EXTERNAL_ID_IN_USE", "SECRET_IN_USE")):
            self.assert_result(result, exists, reason)
        again = self.take_over(imported(secret), imported(external_id="new")).results
        self.assert_result(again[0], exists, "SECRET_IN_USE")
        self.assert_result(again[1], exists, "EXTERNAL_ID_IN_USE")

    def test_a_secret_of_another_company_is_known_too(self):
        secret = foreign_secret()
        with self.deployment.operator() as operator:
            self.take_over(imported(secret, company_owned=True), client=operator)
        self.assert_result(self.take_over(imported(secret)).results[0], grpc.StatusCode.ALREADY_EXISTS, "SECRET_IN_USE")

    def test_a_token_that_has_failed_keeps_nothing_for_itself(self):
        secret = foreign_secret()
        results = self.take_over(imported(secret, label="", external_id="free"), imported(secret, external_id="free")).results
        self.assertEqual([result.WhichOneof("result") for result in results], ["error", "access_token"])

    def test_the_same_tokens_at_the_same_time_come_over_once(self):
        secrets_, start, results = [foreign_secret() for _ in range(20)], threading.Barrier(6), []

        def call():
            with self.deployment.administrator() as client:
                start.wait()
                results.extend(self.take_over(*[imported(s) for s in secrets_], client=client).results)

        threads = [threading.Thread(target=call) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 120)
        self.assertEqual(sum(result.HasField("access_token") for result in results), 20)

    def test_one_that_has_expired_is_taken_over_as_expired(self):
        result = self.take_over(imported(expires_at=seconds_from_now(-DAY))).results[0]
        self.assertEqual(result.access_token.state, token_pb2.TOKEN_STATE_EXPIRED)

    def test_nobody_takes_over_more_than_he_holds(self):
        manager = self.create(permissions=["latchkey.tokens.manage", "charges.read"])
        with self.caller_of(manager.secret) as client:
            good, bad = self.take_over(imported(permissions=["charges.read"]), imported(permissions=["charges.create"]),
                                       client=client).results
        self.assertTrue(good.HasField("access_token"))
        self.assert_result(bad, DENIED, "GRANT_EXCEEDS_CALLER")
        reader = self.create(permissions=["latchkey.tokens.read"])
        with self.caller_of(reader.secret) as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.take_over(imported(), client=client))

    def test_who_ended_or_was_narrowed_while_it_waited_takes_nothing_over(self):
        def take_over_behind_a_lock(change):
            return self.make_behind_a_lock(lambda client: self.take_over(
                imported(label="of who waited", permissions=["charges.create"], company_owned=True), client=client), change)

        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED", lambda: take_over_behind_a_lock(
            "deactivated_at = now(), deactivate_reason = 1"))
        (result,) = take_over_behind_a_lock("permissions = '{latchkey.tokens.manage}'").results
        self.assert_result(result, DENIED, "GRANT_EXCEEDS_CALLER")
        self.assertEqual(list(self.list(label_contains="of who waited").access_tokens), [])

    def test_the_companys_policy_holds_for_each(self):
        self.set_policy(max_token_lifetime_ms=DAY * 1000, require_expiry="true")
        never, late, good = self.take_over(imported(), imported(expires_at=seconds_from_now(2 * DAY)),
                                           imported(expires_at=seconds_from_now(60))).results
        self.assert_result(never, grpc.StatusCode.FAILED_PRECONDITION, "POLICY_REQUIRES_EXPIRY")
        self.assert_result(late, grpc.StatusCode.FAILED_PRECONDITION, "POLICY_MAX_TOKEN_LIFETIME")
        self.assertTrue(good.HasField("access_token"))

    def test_a_repeated_request_takes_over_once(self):
        request_id, tokens = str(uuid.uuid4()), [imported(), imported(label="")]
        first = self.take_over(*tokens, request_id=request_id)
        second = self.take_over(*tokens, request_id=request_id)
        self.assertEqual(list(first.results), list(second.results))


class Limit(ImportCase, TokenCase):
    settings = {"company_tokens_max": "4"}

    def test_a_company_that_is_full_takes_over_no_more(self):
        alive = self.deployment.execute("SELECT count(*) FROM latchkey.token t JOIN latchkey.company c USING (company_id) "
                                        "WHERE c.is_demo AND t.kind = 'a' AND t.deactivated_at IS NULL")[0][0]
        results = self.take_over(*[imported() for _ in range(6)]).results
        taken = [result.WhichOneof("result") for result in results]
        self.assertEqual(taken, ["access_token"] * (4 - alive) + ["error"] * (2 + alive))
        self.assert_result(results[-1], grpc.StatusCode.RESOURCE_EXHAUSTED, "COMPANY_TOKENS_LIMIT")


class Foreign(ImportCase, ValidatedCase):
    settings = {"accept_foreign_secrets": True}

    def test_a_foreign_secret_works_from_the_first_minute(self):
        secret = foreign_secret()
        token = self.take_over(imported(secret, permissions=["charges.read"]), wait_for_validators=WAIT).results[0].access_token
        self.assertEqual(self.decide(secret, permissions=["charges.read"]), "OK")
        self.assertEqual(self.decide(secret, permissions=["charges.create"]), "PERMISSION_MISSING")
        self.assertEqual(self.call_with(secret).token_id, token.token_id)
        self.deactivate(token.token_id, wait_for_validators=WAIT)
        self.assertEqual(self.decide(secret), "DEACTIVATED")

    def test_a_rotation_brings_a_secret_of_our_own_making(self):
        secret = foreign_secret()
        token = self.take_over(imported(secret)).results[0].access_token
        rotated = self.rotate(token.token_id, wait_for_validators=WAIT)
        self.assertRegex(rotated.secret, "^lka_")
        self.assertEqual((self.decide(secret), self.decide(rotated.secret)), ("EXPIRED", "OK"))

    def test_what_nobody_imported_is_unknown_and_what_was_mistyped_is_malformed(self):
        ours = self.create(wait_for_validators=WAIT).secret
        self.assertEqual(self.decide(foreign_secret()), "UNKNOWN")
        self.assertEqual(self.decide("x"), "UNKNOWN")
        self.assertEqual(self.decide("x" * 4096), "UNKNOWN")
        for bad in (ours[:-1], ours + "0", ours[:-1] + ("0" if ours[-1] != "0" else "1"), "lki_" + ours[4:], "", "x" * 4097):
            with self.subTest(bad[:70]):
                self.assertEqual(self.decide(bad), "MALFORMED")
        self.assert_dead("nobody-s-secret", "UNKNOWN")
        self.assert_dead(ours[:-1], "MALFORMED")


class OfOurOwnShape(ImportCase, ValidatedCase):
    """Without the setting."""

    def test_a_secret_of_our_shape_from_another_deployment_works_always(self):
        with Deployment(server="latchkey-token") as other, other.administrator() as client:
            secret = client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="there"), timeout=20).secret
        self.take_over(imported(secret), wait_for_validators=WAIT)
        self.assertEqual(self.decide(secret), "OK")
        self.call_with(secret)

    def test_a_foreign_secret_is_malformed_though_its_digest_is_known(self):
        secret = foreign_secret()
        self.take_over(imported(secret), wait_for_validators=WAIT)
        self.assertEqual(self.decide(secret), "MALFORMED")
        self.assert_dead(secret, "MALFORMED")


if __name__ == "__main__":
    unittest.main()
