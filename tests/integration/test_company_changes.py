"""Companies listed, changed, suspended and resumed: by themselves where it is their own, else by the operator."""

import unittest
import uuid

import grpc
from google.protobuf import duration_pb2

from latchkey_test import error_info
from member_case import MemberCase, company_pb2, token_pb2

DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

NO_COMPANY = "cmp_00000000000000000000000000"
DAY = 24 * 3600
POLICY = {"max_token_lifetime": {"seconds": 90 * DAY}, "require_expiry": True,
          "deactivate_unused_after": {"seconds": 30 * DAY}, "leak_action": "LEAK_ACTION_SUSPEND",
          "reuse_action": "REUSE_ACTION_DEACTIVATE", "login_lifetime": {"seconds": 3600}}


class CompanyChanges(MemberCase):
    validators = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company()
        cls.other = cls.new_company()
        cls.operator = cls.stack.enter_context(cls.deployment.operator())
        cls.home = cls.operator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller.company_id

    def get(self, client=None, company_id=""):
        return (client or self.operator).companies.GetCompany(
            company_pb2.GetCompanyRequest(company_id=company_id), timeout=20).company

    def update(self, client, company_id="", mask=None, etag="", wait=None, **fields):
        return client.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
            company={"company_id": company_id, "etag": etag, **fields},
            update_mask={"paths": list(fields) if mask is None else mask}, wait_for_validators=wait), timeout=30)

    def suspend(self, company_id, client=None, **fields):
        return (client or self.operator).companies.SuspendCompany(
            company_pb2.SuspendCompanyRequest(company_id=company_id, **fields), timeout=30)

    def resume(self, company_id, client=None, **fields):
        return (client or self.operator).companies.ResumeCompany(
            company_pb2.ResumeCompanyRequest(company_id=company_id, **fields), timeout=30)

    def list(self, client=None, **fields):
        return (client or self.operator).companies.ListCompanies(
            company_pb2.ListCompaniesRequest(**fields), timeout=20)

    # ---- listed ----

    def test_the_operator_lists_all_and_everybody_else_the_own_one(self):
        seen, token = [], ""
        while True:
            page = self.list(page_size=2, page_token=token)
            seen += [company.company_id for company in page.companies]
            token = page.next_page_token
            if not token:
                break
        total = self.deployment.execute("SELECT count(*) FROM latchkey.company")[0][0]
        self.assertEqual((len(seen), len(set(seen)), seen), (total, total, sorted(seen, reverse=True)))
        self.assertTrue({self.company.id, self.other.id, self.home} <= set(seen))
        self.assertEqual([c.company_id for c in self.list(self.company.administrator).companies], [self.company.id])

    def test_an_operator_who_acts_for_a_company_still_lists_all(self):
        listed = {company.company_id for company in self.list(self.company.operator, page_size=1000).companies}
        self.assertTrue({self.company.id, self.other.id, self.home} <= listed)

    def test_filters_must_all_hold(self):
        company = self.new_company()
        external_id = uuid.uuid4().hex
        self.update(self.operator, company.id, name="Größe & Söhne '; --", external_id=external_id)
        listed = lambda **fields: [c.company_id for c in self.list(page_size=1000, **fields).companies]
        self.assertEqual(listed(external_id=external_id), [company.id])
        self.assertEqual(listed(name_contains="söhne '"), [company.id])
        self.assertEqual(listed(external_id=external_id, state="COMPANY_STATE_SUSPENDED"), [])
        self.suspend(company.id)
        self.assertEqual(listed(state="COMPANY_STATE_SUSPENDED", name_contains="größe"), [company.id])
        self.assertEqual(listed(external_id=external_id, state="COMPANY_STATE_ACTIVE"), [])
        self.assert_bad_fields(lambda: self.list(state=9, page_token="x", page_size=-2), "page_size", "page_token", "state")

    def test_no_filter_shows_another_company_to_whoever_is_no_operator(self):
        external_id = uuid.uuid4().hex
        self.update(self.operator, self.other.id, external_id=external_id)
        for fields in ({"external_id": external_id}, {"name_contains": self.other.company.name},
                       {"state": "COMPANY_STATE_SUSPENDED"}):
            self.assertEqual(len(self.list(self.company.administrator, **fields).companies), 0)

    # ---- changed ----

    def test_a_company_changes_its_own_name_and_policy(self):
        company = self.new_company()
        changed = self.update(company.administrator, name="Renamed", policy=POLICY).company
        self.assertEqual((changed.name, changed.policy), ("Renamed", company_pb2.CompanyPolicy(**POLICY)))
        self.assertNotEqual(changed.etag, company.company.etag)
        self.assertEqual(self.get(company.administrator), changed)
        self.assertEqual(self.get(company_id=company.id), changed)

    def test_single_fields_of_the_policy_are_changed_by_themselves(self):
        company = self.new_company()
        self.update(company.administrator, policy=POLICY)
        for field in POLICY:
            wanted = self.get(company.administrator).policy
            wanted.ClearField(field)
            changed = self.update(company.administrator, mask=[f"policy.{field}"]).company
            self.assertEqual(changed.policy, wanted, field)
        self.assertEqual(changed.policy, company_pb2.CompanyPolicy())
        self.update(company.administrator, policy=POLICY)
        self.assertEqual(self.update(company.administrator, mask=["policy"]).company.policy, company_pb2.CompanyPolicy())

    def test_the_numbers_of_a_policy_have_their_bounds(self):
        span = lambda seconds, nanos=0: duration_pb2.Duration(seconds=seconds, nanos=nanos)
        for field, bad, good in (
                ("max_token_lifetime", [span(-1), span(0, 1), span(0, 999_000_000), span(5, -1), span(3650 * DAY + 1),
                                        span(2**40)],
                 [span(1), span(3650 * DAY), span(0)]),
                ("deactivate_unused_after", [span(DAY - 1), span(-DAY), span(0, 5), span(3650 * DAY, 10**6), span(2**40)],
                 [span(DAY), span(3650 * DAY), span(0)]),
                ("login_lifetime", [span(59), span(30 * DAY + 1), span(-3600), span(0, 100)],
                 [span(60), span(30 * DAY), span(0)]),
                ("leak_action", [4, -1, 99], [0, 1, 2, 3]),
                ("reuse_action", [3, -1], [0, 1, 2])):
            for value in bad:
                with self.subTest(field, value=value):
                    self.assert_bad_fields(lambda f=field, v=value: self.update(
                        self.company.administrator, mask=[f"policy.{f}"], policy={f: v}), f"company.policy.{field}")
            for value in good:
                with self.subTest(field, value=value):
                    self.update(self.company.administrator, mask=[f"policy.{field}"], policy={field: value})

    def test_all_bad_fields_are_told_at_once(self):
        self.assert_bad_fields(
            lambda: self.update(self.operator, "acme", name="", external_id="x" * 256,
                                policy={"login_lifetime": {"seconds": 1}, "leak_action": 9}),
            "company.company_id", "company.name", "company.external_id", "company.policy.login_lifetime",
            "company.policy.leak_action")
        self.assert_bad_fields(lambda: self.update(self.operator, mask=[]), "update_mask")
        self.assert_bad_fields(lambda: self.update(self.operator, mask=["state", "policy.x"]), "update_mask.paths[0]",
                               "update_mask.paths[1]")

    def test_a_stale_etag_is_refused_and_nothing_changed_is_no_change(self):
        company = self.new_company()
        changed = self.update(company.administrator, name="Once", etag=company.company.etag).company
        self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE",
                            lambda: self.update(company.administrator, name="Twice", etag=company.company.etag))
        self.assertEqual(self.update(company.administrator, name="Once").company, changed)

    def test_only_the_operator_sets_the_external_id(self):
        external_id = uuid.uuid4().hex
        error = self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.update(
            self.company.administrator, external_id=external_id, name="x"))
        self.assertEqual(error_info(error).metadata["permission"], "latchkey.operate")
        self.assertEqual(self.update(self.company.operator, external_id=external_id).company.external_id, external_id)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                            lambda: self.update(self.operator, self.other.id, external_id=external_id))

    def test_another_company_does_not_exist_for_whoever_is_no_operator(self):
        for company_id in (self.other.id, NO_COMPANY):
            self.assert_refused(NOT_FOUND, "COMPANY_NOT_FOUND", lambda i=company_id: self.update(
                self.company.administrator, i, name="Mine"))
        self.assertNotEqual(self.get(company_id=self.other.id).name, "Mine")
        self.assert_refused(NOT_FOUND, "COMPANY_NOT_FOUND", lambda: self.update(self.operator, NO_COMPANY, name="x"))

    def test_without_the_permission_a_company_is_not_changed(self):
        client = self.company.client(self.company.company_token(["latchkey.company.read"])[1])
        for fields in ({"name": "x"}, {"name": ""}, {"external_id": "x"}):
            error = self.assert_refused(DENIED, "PERMISSION_MISSING", lambda f=fields: self.update(client, **f))
            self.assertEqual(error_info(error).metadata["permission"], "latchkey.company.manage")

    def test_the_change_is_the_other_companys_in_the_log(self):
        answer = self.update(self.operator, self.other.id, name="By the operator", wait={"seconds": 20})
        self.assertTrue(answer.validators.all_confirmed)
        self.assertEqual(answer.validators.live, 2)
        changed = self.deployment.execute("SELECT company_id::text FROM latchkey.change WHERE kind = 'company' "
                                          "ORDER BY at DESC LIMIT 1")
        self.assertEqual(changed, [(self.other.uuid,)])

    def test_a_repeated_request_about_another_company_gives_the_same_answer(self):
        request = company_pb2.UpdateCompanyRequest(company={"company_id": self.other.id, "name": "Again"},
                                                   update_mask={"paths": ["name"]}, request_id=str(uuid.uuid4()))
        update = lambda: self.operator.companies.UpdateCompany(request, timeout=20).company
        first = update()
        self.update(self.operator, self.other.id, name="Meanwhile")
        self.assertEqual(update(), first)
        self.assertEqual(self.get(company_id=self.other.id).name, "Meanwhile")

    # ---- suspended ----

    def test_a_suspended_company_is_refused_everything_with_its_own_reason_until_it_is_resumed(self):
        company = self.new_company()
        _, secret = company.company_token(["charges.create", "latchkey.company.read"])
        _, login = company.owner_token(company.ada.member_id, kind="l")
        self.assertEqual(self.decide(secret, "charges.create", revision=self.get_revision(company)), "OK")
        suspended = self.suspend(company.id, note="unpaid: 'since' May", wait_for_validators={"seconds": 20})
        self.assertEqual(suspended.company.state, company_pb2.COMPANY_STATE_SUSPENDED)
        self.assertTrue(suspended.validators.all_confirmed)
        for token in (secret, login):
            self.assertEqual(self.decide(token), "COMPANY_SUSPENDED")
            self.assert_refused(DENIED, "COMPANY_SUSPENDED", lambda t=token: self.get(company.client(t)))
        self.assertEqual(self.get(company.operator), suspended.company)
        resumed = self.resume(company.id, wait_for_validators={"seconds": 20})
        self.assertEqual(resumed.company.state, company_pb2.COMPANY_STATE_ACTIVE)
        self.assertEqual(self.decide(secret, "charges.create"), "OK")
        self.assertEqual(self.decide(login), "OK")

    def get_revision(self, company):
        return self.update(company.operator, name=f"Company {uuid.uuid4()}", wait={"seconds": 20}).revision

    def test_suspending_the_suspended_and_resuming_the_active_is_fine(self):
        company = self.new_company()
        self.assertEqual(self.resume(company.id).company, company.company)
        first = self.suspend(company.id).company
        self.assertEqual(self.suspend(company.id, note="again").company, first)

    def test_the_operators_own_company_can_not_be_suspended(self):
        self.assert_refused(PRECONDITION, "OPERATOR_COMPANY", lambda: self.suspend(self.home))
        self.assertEqual(self.get().state, company_pb2.COMPANY_STATE_ACTIVE)
        self.resume(self.home)

    def test_only_the_operator_suspends_and_resumes(self):
        for call in (self.suspend, self.resume):
            for company_id in (self.company.id, self.other.id):
                error = self.assert_refused(DENIED, "PERMISSION_MISSING",
                                            lambda c=call, i=company_id: c(i, self.company.administrator))
                self.assertEqual(error_info(error).metadata["permission"], "latchkey.operate")
            self.assert_refused(NOT_FOUND, "COMPANY_NOT_FOUND", lambda c=call: c(NO_COMPANY))
            self.assert_bad_fields(lambda c=call: c(""), "company_id")
            self.assert_bad_fields(lambda c=call: c("mbr_01h455vb4pex5vsknk084sn02q"), "company_id")
        self.assert_bad_fields(lambda: self.suspend(self.company.id, note="x" * 501), "note")


if __name__ == "__main__":
    unittest.main()
