"""gRPC by single calls, at validators that are fed by others too, batches and streams, Connect's JSON, forward-auth, Envoy's ext_authz and introspection say the same of the same questions.

10 000 of them, made from a seed, are asked in all seven ways of a deployment that is put into one state after the other.
LATCHKEY_SEED repeats a run.
"""

import datetime
import json
import os
import random
import time
import unittest
import urllib.parse

from door_case import API, FORM, UI, DoorCase, basic, bearer, decision_pb2
from latchkey_test import Client, FedServer, envoy, secret_text, stubs, uuid_of_id
from latchkey_test.http1 import encode

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
QUESTIONS = max(200, 10_000 * int(os.environ.get("LATCHKEY_TEST_SHARE") or 100) // 100)
BATCH = 50

# What CONTRACT says of each reason in HTTP: the status, and the error of www-authenticate.
UNAUTHORIZED = {"MALFORMED", "UNKNOWN", "MEMBER_REMOVED", "DEACTIVATED", "SUSPENDED", "NOT_YET_VALID", "EXPIRED"}

ADDRESSES = ["203.0.113.7", "203.0.113.200", "203.0.114.1", "198.51.100.9", "192.0.2.1", "192.0.2.129", "::ffff:203.0.113.7",
             "2001:db8:1::1", "2001:db9::1", "fe80::1", "", "nonsense", "0203.0.113.7", "203.0.113.7:80"]
DOMAINS = ["", "https://app.example.com", "app.example.com", "APP.example.com.", "https://app.example.com:8443", "a.b.example.org",
           "example.org", "null", "https://evil.example", "app.example.com.evil.test", "http://[::1]"]
PERMISSIONS = ["charges.create", "charges.read", "refunds.create", "customers.read", "no.such", "charges.*", ""]


def choose_permissions(dice):
    return dice.sample(PERMISSIONS, dice.choice([0, 0, 0, 1, 1, 2, 3]))


class Question:
    def __init__(self, dice, secrets):
        self.token = dice.choice(secrets)
        self.client_ip = dice.choice(ADDRESSES)
        self.channel = dice.choice([API, API, API, UI, UI])
        self.domain = dice.choice(DOMAINS)
        self.permissions = choose_permissions(dice)
        self.any_permissions = choose_permissions(dice)

    def __repr__(self):
        return str(self.fields())

    def fields(self):
        return {name: getattr(self, name) for name in ("token", "client_ip", "channel", "domain", "permissions", "any_permissions")}

    @property
    def channel_word(self):
        return "ui" if self.channel == UI else "api"


def moment(text):
    """Milliseconds of an RFC 3339 time; None for none."""
    return text and round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def told(company, token, member, kind, permissions, expires, external):
    return "ALLOW", company or "", token or "", member or "", kind, tuple(permissions), expires, external or ""


class Grpc:
    """The reference."""

    def __init__(self, case):
        self.validate = case.client.validation.Validate

    def ask(self, questions):
        calls = [self.validate.future(validation_pb2.ValidateRequest(**question.fields()), timeout=60) for question in questions]
        return [self.read(call.result()) for call in calls]

    @staticmethod
    def read(answer):
        if answer.decision != decision_pb2.DECISION_ALLOW:
            return "DENY", decision_pb2.Reason.Name(answer.reason).removeprefix("REASON_")
        expires = moment(answer.expires_at.ToJsonString()) if answer.HasField("expires_at") else None
        return told(answer.company_id, answer.token_id, answer.member_id, decision_pb2.TokenKind.Name(answer.kind)[11:].lower(),
                    answer.permissions, expires, answer.token_external_id)


class Fed(Grpc):
    """A validator that is fed by another."""

    def __init__(self, client):
        self.validate = client.validation.Validate


class Batch(Grpc):
    def __init__(self, case):
        super().__init__(case)
        self.validate = case.client.validation.ValidateBatch

    def ask(self, questions):
        requests = [validation_pb2.ValidateRequest(**question.fields()) for question in questions]
        return [self.read(answer) for answer in self.validate(validation_pb2.ValidateBatchRequest(requests=requests), timeout=60).responses]


class Stream(Grpc):
    """Answers may come in any order."""

    def __init__(self, case):
        super().__init__(case)
        self.validate = case.client.validation.ValidateStream

    def ask(self, questions):
        requests = [validation_pb2.ValidateStreamRequest(id=number, request=validation_pb2.ValidateRequest(**question.fields()))
                    for number, question in enumerate(questions)]
        answers = {answer.id: self.read(answer.response) for answer in self.validate(iter(requests), timeout=60)}
        return [answers[number] for number in range(len(questions))]


class ConnectJson:
    def __init__(self, case):
        self.http = case.connect()

    def ask(self, questions):
        return [self.read(answer) for answer in self.http.ask_all([self.encode(question) for question in questions])]

    @staticmethod
    def encode(question):
        message = {"token": question.token, "clientIp": question.client_ip, "domain": question.domain,
                   "channel": "CHANNEL_UI" if question.channel == UI else 1, "permissions": question.permissions,
                   "any_permissions": question.any_permissions}
        return encode("POST", "/latchkey.v1.ValidationService/Validate", {"content-type": "application/json"}, json.dumps(message))

    @staticmethod
    def read(answer):
        assert answer.status == 200, answer
        message = answer.json()
        if message["decision"] != "DECISION_ALLOW":
            return "DENY", message["reason"].removeprefix("REASON_")
        return told(message["companyId"], message["tokenId"], message.get("memberId"), message["kind"][11:].lower(),
                    message.get("permissions", ()), moment(message.get("expiresAt")), message.get("tokenExternalId"))


class ForwardAuth(ConnectJson):
    @staticmethod
    def encode(question):
        query = [("channel", question.channel_word), *(("permission", name) for name in question.permissions),
                 *(("any_permission", name) for name in question.any_permissions)]
        # A proxy that could not tell the client's address says so; without the field it would speak for itself.
        fields = [bearer(question.token), ("x-forwarded-for", question.client_ip or "unknown")]
        if question.domain:
            fields.append(("origin", question.domain))
        return encode("GET", "/check?" + urllib.parse.urlencode(query), fields)

    @staticmethod
    def read(answer):
        if answer.status == 200:
            return told(answer.get("latchkey-company"), answer.get("latchkey-token"), answer.get("latchkey-member"),
                        answer.get("latchkey-kind"), (answer.get("latchkey-permissions") or "").split(),
                        moment(answer.get("latchkey-expires-at")), answer.get("latchkey-token-external-id"))
        reason = answer.get("latchkey-reason")
        assert answer.status == (401 if reason in UNAUTHORIZED else 403), answer
        return "DENY", reason


class ExtAuthz:
    """Every second question with its headers joined by name, as gateways send them that do not send them as they came."""

    def __init__(self, case):
        self.check = envoy.stub(case.client.channel).Check
        self.is_raw = False

    def ask(self, questions):
        calls = [self.check.future(self.encode(question), timeout=60) for question in questions]
        return [self.read(envoy.Answer(call.result())) for call in calls]

    def encode(self, question):
        self.is_raw = not self.is_raw
        extensions = {"channel": question.channel_word}
        if question.permissions:
            extensions["permission"] = ",".join(question.permissions)
        if question.any_permissions:
            extensions["any_permission"] = ", ".join(question.any_permissions)
        headers = [bearer(question.token)]
        if question.domain:
            headers.append(("origin", question.domain))
        return envoy.question(headers, host="", source=question.client_ip, is_raw=self.is_raw, **extensions)

    @staticmethod
    def read(answer):
        if not answer.is_admitted:
            assert answer.status == (401 if answer.reason in UNAUTHORIZED else 403), answer
            return "DENY", answer.reason
        told_of = answer.headers.get
        return told(told_of("latchkey-company"), told_of("latchkey-token"), told_of("latchkey-member"), told_of("latchkey-kind"),
                    told_of("latchkey-permissions", "").split(), moment(told_of("latchkey-expires-at")),
                    told_of("latchkey-token-external-id"))


class Introspection(ConnectJson):
    def __init__(self, case):
        super().__init__(case)
        self.own = basic(case.operator)

    def encode(self, question):
        form = [("token", question.token), ("channel", question.channel_word), ("client_ip", question.client_ip),
                ("domain", question.domain), *(("permission", name) for name in question.permissions),
                *(("any_permission", name) for name in question.any_permissions)]
        return encode("POST", "/introspect", [FORM, self.own], urllib.parse.urlencode(form))

    @staticmethod
    def read(answer):
        assert answer.status == 200, answer
        message = answer.json()
        if not message["active"]:
            assert message == {"active": False}, message
            return ("DENY",)
        member = message["sub"] if message["sub"].startswith("mbr_") else ""
        return told(message["client_id"], message["jti"], member, message["kind"], message["scope"].split(),
                    message.get("exp"), message.get("token_external_id"))


def as_introspection(answer):
    """What is left of Validate's answer: no reason, and the end in whole seconds."""
    if answer[0] == "DENY":
        return ("DENY",)
    return *answer[:6], answer[6] and answer[6] // 1000, answer[7]


class Agreement(DoorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = uuid_of_id(cls.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller.company_id)
        cls.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=address) for address in ("192.0.2.0/25", "203.0.113.0/24", "2001:db8::/32")]),
            timeout=20)
        cls.secrets = cls.make_secrets()
        fed = cls.enterClassContext(FedServer(cls.deployment, cls.deployment.server.address))
        last = cls.enterClassContext(FedServer(cls.deployment, fed.address))
        cls.fed = [cls.enterClassContext(Client(server.address)) for server in (fed, last)]

    @classmethod
    def make_secrets(cls):
        plain = {"permissions": ["charges.create", "charges.read"]}
        made = [cls.create(**fields) for fields in (
            plain, {}, {"channels": [UI], **plain}, {"channels": [API, UI], "external_id": "shop-1", **plain},
            {"channels": [UI], "allowed_domains": ["app.example.com", "*.example.org"]},
            {"allowed_ips": ["203.0.113.0/24"], **plain}, {"allowed_ips": ["2001:db8::/32", "198.51.100.9"]},
            {"channels": [API, UI], "allowed_ips": ["203.0.113.7"], "allowed_domains": ["app.example.com"], **plain},
            {"permissions": ["charges.*"], "company_owned": True}, {"expire_in": {"seconds": 86400}, **plain})]
        spoiled = [cls.create(**plain) for _ in range(5)]
        for (_, token), assignment in zip(spoiled, (
                "expires_at = now() - interval '1 second'", "not_before = now() + interval '1 day'", "suspended = true",
                "suspended = true, suspended_until = now() - interval '1 second'",
                "deactivated_at = now(), deactivate_reason = 1")):
            cls.change_token(token, assignment)
        secrets = [secret for secret, _ in made + spoiled] + [cls.make_login(), cls.administrator_secret()]
        good = secrets[0]
        unknown = secret_text.make_secrets(2, lane=0)
        return secrets + unknown + ["", "nonsense", good[:-1], good + "x", good.swapcase(), "zz" + good[2:], "x" * 5000, good[:20] + "\u00e9" + good[21:]]

    @classmethod
    def administrator_secret(cls):
        return cls.deployment.secrets["LATCHKEY_TOKEN"]

    @classmethod
    def make_login(cls):
        caller = cls.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller
        with cls.deployment.operator(caller.company_id) as operator:
            request = token_pb2.CreateLoginTokenRequest(member_id=caller.member_id, client_ip="203.0.113.7", user_agent="test")
            request.wait_for_validators.seconds = 20
            return operator.tokens.CreateLoginToken(request, timeout=30).secret

    def set_whitelist(self, scope):
        self.change(f"UPDATE latchkey.whitelist SET enabled = true, scope = {scope} WHERE company_id = '{self.company}'")

    # What is done before each share of the questions; the last ones end what the others need.
    def as_it_is(self):
        pass

    def with_the_whitelist_on(self):
        self.set_whitelist(1)

    def with_the_whitelist_on_for_logins(self):
        self.set_whitelist(2)

    def with_addresses_of_the_member(self):
        self.change(f"UPDATE latchkey.whitelist SET enabled = false WHERE company_id = '{self.company}'")
        self.change(f"UPDATE latchkey.member SET allowed_ips = '{{203.0.113.0/25,2001:db8::/32}}' WHERE company_id = '{self.company}'")

    def with_the_member_removed(self):
        self.change(f"UPDATE latchkey.member SET removed_at = now() WHERE company_id = '{self.company}'")

    def with_the_company_suspended(self):
        self.change(f"UPDATE latchkey.company SET suspended = true WHERE company_id = '{self.company}'")

    def test_all_ways_to_ask_say_the_same(self):
        print(f"LATCHKEY_SEED={SEED}", flush=True)
        dice, seen, started = random.Random(SEED), {}, time.monotonic()
        shares = ((self.as_it_is, 40), (self.with_the_whitelist_on, 20), (self.with_the_whitelist_on_for_logins, 15),
                  (self.with_addresses_of_the_member, 15), (self.with_the_member_removed, 5), (self.with_the_company_suspended, 5))
        self.ways = [Grpc(self), Batch(self), Stream(self), ConnectJson(self), ForwardAuth(self), ExtAuthz(self), *map(Fed, self.fed),
                     Introspection(self)]
        for prepare, share in shares:
            prepare()
            for _ in range(max(1, QUESTIONS * share // 100 // BATCH)):
                self.ask([Question(dice, self.secrets) for _ in range(BATCH)], seen)
        print(f"{sum(seen.values())} questions in {time.monotonic() - started:.0f} s: {dict(sorted(seen.items()))}", flush=True)
        self.assertGreaterEqual(seen.get("ALLOW", 0), sum(seen.values()) // 50)
        if QUESTIONS < 10_000:
            return
        missing = set(decision_pb2.Reason.keys()) - {f"REASON_{name}" for name in seen}
        self.assertEqual(missing, {"REASON_UNSPECIFIED", "REASON_OK", "REASON_NOT_CURRENT"})

    def ask(self, questions, seen):
        by_grpc, by_batch, by_stream, by_json, by_proxy, by_envoy, by_fed, by_last, by_introspection = (
            way.ask(questions) for way in self.ways)
        for number, question in enumerate(questions):
            expected = by_grpc[number]
            self.assertEqual(by_batch[number], expected, question)
            self.assertEqual(by_stream[number], expected, question)
            self.assertEqual(by_json[number], expected, question)
            self.assertEqual(by_proxy[number], expected, question)
            self.assertEqual(by_envoy[number], expected, question)
            self.assertEqual(by_fed[number], expected, question)
            self.assertEqual(by_last[number], expected, question)
            self.assertEqual(by_introspection[number], as_introspection(expected), question)
            name = "ALLOW" if expected[0] == "ALLOW" else expected[1]
            seen[name] = seen.get(name, 0) + 1


if __name__ == "__main__":
    unittest.main()
