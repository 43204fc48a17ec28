"""Explain and ListDenials over a real database: what they tell, to whom, and that they leave no trace."""

import unittest

import grpc

from latchkey_test import Client, uuid_of_id
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, API, DENY, UI, ValidateCase, decision_pb2, token_pb2, validation_pb2

NOT_FOUND, DENIED, UNAUTHENTICATED = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED
EXPLAIN, DENIALS = "latchkey.validate.explain", "latchkey.validate.denials"
LISTS = validation_pb2.ListKind


class AskerCase(ValidateCase):
    """The administrator's token is of the demo company, the operator's of another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.asker = cls.enter(Client(cls.validator.address, cls.deployment.secrets["LATCHKEY_TOKEN"]))
        cls.operator = cls.enter(Client(cls.validator.address, cls.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]))

    def unprivileged(self):
        created = self.create(permissions=["charges.read"])
        self.ask_about(created)
        return Client(self.validator.address, created.secret)

    def explain(self, token="", token_id="", client=None, **fields):
        request = validation_pb2.ValidateRequest(token=token, **{"channel": API, "client_ip": "203.0.113.7", **fields})
        return (client or self.asker).validation.Explain(validation_pb2.ExplainRequest(request=request, token_id=token_id), timeout=20)

    def denials(self, client=None, **fields):
        return (client or self.asker).validation.ListDenials(validation_pb2.ListDenialsRequest(**fields), timeout=20)


def failed(explained):
    return [decision_pb2.Reason.Name(step.check).removeprefix("REASON_") for step in explained.steps if not step.passed]


class Explanations(AskerCase):
    def test_it_decides_as_validate_and_tells_every_check(self):
        created = self.create(permissions=["charges.read"])
        for fields in ({}, {"channel": 0}, {"permissions": ["charges.create"]}, {"channel": UI, "domain": "a.example"}):
            self.ask_about(created)
            explained = self.explain(created.secret, **fields)
            self.assertEqual(explained.response, self.ask(created.secret, client=self.asker, **fields))
            self.assertEqual([step.check for step in explained.steps],
                             list(range(decision_pb2.REASON_MALFORMED, decision_pb2.REASON_PERMISSION_MISSING + 1)))
            self.assertEqual(failed(explained)[:1],
                             [] if explained.response.decision == ALLOW else
                             [decision_pb2.Reason.Name(explained.response.reason).removeprefix("REASON_")])
            self.assertTrue(all(step.detail for step in explained.steps))

    def test_a_token_is_explained_by_its_id_as_by_its_secret(self):
        created = self.create(allowed_ips=["203.0.113.0/24"])
        for address in ("203.0.113.9", "203.0.114.9", ""):
            self.ask_about(created)
            by_secret = self.explain(created.secret, client_ip=address)
            by_id = self.explain(token_id=created.access_token.token_id, client_ip=address)
            self.assertEqual(by_id.response, by_secret.response)
            self.assertEqual(list(by_id.steps)[1:], list(by_secret.steps)[1:])
            self.assertEqual((by_id.matched_entry, by_id.nearest_miss), (by_secret.matched_entry, by_secret.nearest_miss))

    def test_the_entry_that_matched_and_the_one_that_came_nearest_are_named(self):
        created = self.create(allowed_ips=["203.0.113.0/24", "2001:db8::/32"], channels=[API, UI], allowed_domains=["app.example.com"])
        self.ask_about(created)
        explained = self.explain(created.secret)
        self.assertEqual((explained.matched_entry.list, explained.matched_entry.cidr), (LISTS.LIST_KIND_TOKEN, "203.0.113.0/24"))
        self.assertFalse(explained.HasField("nearest_miss"))
        explained = self.explain(created.secret, client_ip="203.0.112.1")
        self.assertEqual((explained.response.decision, failed(explained)), (DENY, ["TOKEN_IP_NOT_LISTED"]))
        self.assertEqual((explained.nearest_miss.list, explained.nearest_miss.cidr, explained.nearest_miss.common_bits),
                         (LISTS.LIST_KIND_TOKEN, "203.0.113.0/24", 23))
        self.assertFalse(explained.HasField("matched_entry"))
        explained = self.explain(created.secret, channel=UI, domain="api.example.com")
        self.assertEqual((explained.nearest_miss.list, explained.nearest_miss.domain), (LISTS.LIST_KIND_DOMAIN, "app.example.com"))

    def test_what_is_no_secret_and_what_nobody_has(self):
        explained = self.explain("nonsense")
        self.assertEqual((explained.response.reason, len(explained.steps), failed(explained)),
                         (decision_pb2.REASON_MALFORMED, 1, ["MALFORMED"]))
        created = self.create()
        self.change(f"DELETE FROM latchkey.token_secret WHERE token_id = '{uuid_of_id(created.access_token.token_id)}'")
        explained = self.explain(created.secret)
        self.assertEqual((explained.response.reason, failed(explained)), (decision_pb2.REASON_UNKNOWN, ["UNKNOWN"]))

    def test_another_companys_token_is_not_there(self):
        secret = self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        explained = self.explain(secret)
        self.assertEqual((explained.response.reason, failed(explained)), (decision_pb2.REASON_UNKNOWN, ["UNKNOWN"]))
        foreign = self.enter(self.deployment.operator())
        token_id = foreign.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller.token_id
        self.assert_refused(NOT_FOUND, "NOT_FOUND", lambda: self.explain(token_id=token_id))
        self.assert_refused(NOT_FOUND, "NOT_FOUND", lambda: self.explain(token_id=token_id[:-1] + ("0" if token_id[-1] != "0" else "1")))

    def test_it_needs_a_token_that_may_also_on_this_machine(self):
        created = self.create()
        self.ask_about(created)
        self.assert_refused(UNAUTHENTICATED, "SECRET_MISSING", lambda: self.explain(created.secret, client=self.client))
        with self.unprivileged() as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.explain(created.secret, client=client))
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.explain(token_id=created.access_token.token_id, client=client))

    def test_a_secret_or_an_id_but_not_both(self):
        created = self.create()
        token_id = created.access_token.token_id
        for call in (lambda: self.explain(), lambda: self.explain(created.secret, token_id), lambda: self.explain(token_id="tok_x")):
            self.assert_bad_fields(call, "token_id")
        self.assert_bad_fields(lambda: self.explain("x", client_ip="1" * 101), "client_ip")

    def test_it_leaves_no_trace(self):
        created = self.create()
        self.ask_about(created)
        before = self.metric("latchkey_validate_decisions_total")
        listed = len(self.denials(page_size=1000).denials)
        for _ in range(20):
            self.explain(created.secret, channel=0)
            self.explain(token_id=created.access_token.token_id, channel=0)
        self.assertEqual(self.metric("latchkey_validate_decisions_total"), before)
        self.assertEqual(len(self.denials(page_size=1000).denials), listed)


class Denials(AskerCase):
    settings = {"min_revision_wait": "10s", "denials_per_company": 150}

    def deny(self, secret, times=1, **fields):
        for _ in range(times):
            self.assertEqual(self.ask(secret, **fields).decision, DENY)

    def of_token(self, created, client=None, **fields):
        return [denial for denial in self.denials(client, page_size=1000, **fields).denials
                if denial.token_id == created.access_token.token_id]

    def test_refusals_alike_are_counted_together_and_the_latest_comes_first(self):
        created = self.create(allowed_ips=["198.51.100.0/24"])
        self.assertEqual(self.ask_about(created, client_ip="198.51.100.1").decision, ALLOW)
        self.deny(created.secret, 7, client_ip="::ffff:203.0.113.1")
        self.deny(created.secret, 2, client_ip="nonsense", domain="https://app.example.com")
        self.deny(created.secret, 3, channel=0)
        listed = self.of_token(created)
        self.assertCountEqual([(decision_pb2.Reason.Name(denial.reason)[7:], denial.client_ip, denial.domain, denial.count) for denial in listed],
                         [("CHANNEL_NOT_ALLOWED", "203.0.113.7", "", 3), ("TOKEN_IP_NOT_LISTED", "", "https://app.example.com", 2),
                          ("TOKEN_IP_NOT_LISTED", "203.0.113.1", "", 7)])
        self.assertEqual({denial.company_id for denial in listed}, {created.access_token.company_id})
        times = [denial.last_at.ToNanoseconds() for denial in listed]
        self.assertEqual(times, sorted(times, reverse=True))
        for denial in listed:
            self.assertLessEqual(denial.first_at.ToNanoseconds(), denial.last_at.ToNanoseconds())
        only = self.of_token(created, reason=decision_pb2.REASON_CHANNEL_NOT_ALLOWED)
        self.assertEqual([denial.count for denial in only], [3])

    def test_batches_and_streams_are_listed_as_well(self):
        created = self.create()
        self.ask_about(created)
        question = validation_pb2.ValidateRequest(token=created.secret, client_ip="203.0.113.7")
        self.client.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=[question] * 5), timeout=20)
        list(self.client.validation.ValidateStream(iter([validation_pb2.ValidateStreamRequest(request=question)] * 3), timeout=20))
        self.assertEqual([denial.count for denial in self.of_token(created)], [8])

    def test_what_nobody_has_is_the_operators_to_see(self):
        secret = self.create().secret[:-1]
        before = sum(denial.count for denial in self.denials(self.operator, page_size=1000).denials if not denial.company_id)
        self.deny(secret, 4, client_ip="192.0.2.77")
        mine = [denial for denial in self.denials(page_size=1000).denials if not denial.company_id or denial.client_ip == "192.0.2.77"]
        self.assertEqual(mine, [])
        listed = [denial for denial in self.denials(self.operator, page_size=1000).denials if not denial.company_id]
        self.assertEqual(sum(denial.count for denial in listed), before + 4)

    def test_another_company_is_seen_with_the_right_to_and_one_that_is_not_there_is_not_found(self):
        created = self.create()
        self.ask_about(created)
        self.deny(created.secret, channel=0)
        company = created.access_token.company_id
        self.assertEqual([denial.count for denial in self.of_token(created, self.operator, company_id=company)], [1])
        self.assertEqual(self.of_token(created, self.operator), [])
        absent = company[:-1] + ("0" if company[-1] != "0" else "1")
        self.assert_refused(NOT_FOUND, "NOT_FOUND", lambda: self.denials(self.operator, company_id=absent))
        self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.denials(company_id=absent))
        self.assert_bad_fields(lambda: self.denials(company_id="cmp_x", reason=99), "company_id", "reason")

    def test_it_needs_a_token_that_may_also_on_this_machine(self):
        self.assert_refused(UNAUTHENTICATED, "SECRET_MISSING", lambda: self.denials(self.client))
        with self.unprivileged() as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.denials(client))

    def test_pages_hold_each_once_and_a_flood_is_bounded(self):
        created = self.create(allowed_ips=["198.51.100.0/24"])
        self.ask_about(created, client_ip="198.51.100.1")
        questions = [validation_pb2.ValidateRequest(token=created.secret, channel=API, client_ip=f"203.0.{i // 250}.{i % 250}") for i in range(1000)]
        self.client.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=questions), timeout=30)
        seen, token = [], ""
        while True:
            page = self.denials(page_size=40, page_token=token)
            seen += [denial.client_ip for denial in page.denials]
            token = page.next_page_token
            if not token:
                break
            self.assertEqual(len(page.denials), 40)
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(seen), {question.client_ip for question in questions[-150:]})
        self.assert_bad_fields(lambda: self.denials(page_token="AAAA"), "page_token")


if __name__ == "__main__":
    unittest.main()
