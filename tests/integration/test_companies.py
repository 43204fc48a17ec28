"""Companies: made by the operator, with what belongs to them from the first moment; read by themselves and the operator."""

import base64
import threading
import unittest
import uuid

import grpc
from google.protobuf import duration_pb2

from latchkey_test import Deployment, error_info, field_violations, stubs

token_pb2 = stubs.messages("latchkey/v1/token.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")

NO_COMPANY = "cmp_00000000000000000000000000"


class Companies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)

    def assert_refused(self, code, reason, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual((caught.exception.code(), error_info(caught.exception).reason), (code, reason),
                         caught.exception.details())
        return caught.exception

    def create(self, company=None, **fields):
        fields = {"name": "Acme", "administrator_email": "ada@acme.example", **fields}
        with self.deployment.operator(company) as client:
            return client.companies.CreateCompany(company_pb2.CreateCompanyRequest(**fields), timeout=20)

    def get(self, client, company_id=""):
        with client:
            return client.companies.GetCompany(company_pb2.GetCompanyRequest(company_id=company_id), timeout=10).company

    def count(self, table, company_id, condition="true"):
        return self.deployment.execute(f"SELECT count(*) FROM latchkey.{table} "
                                       f"WHERE company_id = '{uuid_of(company_id)}' AND {condition}")[0][0]

    # ---- what is made ----

    def test_a_new_company_is_active_and_has_no_policy_of_its_own(self):
        created = self.create(name="Größe & Söhne", external_id="crm-1").company
        self.assertRegex(created.company_id, "^cmp_[0-9a-z]{26}$")
        self.assertEqual((created.name, created.external_id), ("Größe & Söhne", "crm-1"))
        self.assertEqual(created.state, company_pb2.COMPANY_STATE_ACTIVE)
        self.assertEqual(created.policy, company_pb2.CompanyPolicy())
        self.assertTrue(created.etag)
        now = self.deployment.execute("SELECT extract(epoch FROM now())::bigint")[0][0]
        self.assertLess(abs(created.created_at.seconds - now), 60)
        self.assertEqual(self.get(self.deployment.operator(), created.company_id), created)

    def test_its_first_administrator_is_a_member_at_once(self):
        created = self.create(administrator_email="Grace.Hopper@Acme.Example")
        member = created.administrator
        self.assertEqual(member.email, "Grace.Hopper@acme.example")
        self.assertEqual(member.state, member_pb2.MEMBER_STATE_ACTIVE)
        rows = self.deployment.execute(
            "SELECT m.company_id::text, m.email, m.version::text, r.builtin, r.role_id::text FROM latchkey.member m "
            "JOIN latchkey.member_role USING (member_id) JOIN latchkey.role r USING (role_id) "
            f"WHERE m.member_id = '{uuid_of(member.member_id)}'")
        self.assertEqual(rows, [(uuid_of(created.company.company_id), member.email, member.etag, "administrator",
                                 uuid_of(member.role_ids[0]))])
        self.assertEqual(self.count("member", created.company.company_id), 1)
        self.assertEqual(self.count("role", created.company.company_id), 1)

    def test_its_whitelist_is_empty_and_off(self):
        company_id = self.create().company.company_id
        self.assertEqual(self.count("whitelist", company_id, "NOT enabled AND confirm_by IS NULL"), 1)
        self.assertEqual(self.count("whitelist_list", company_id, "entry_count = 0"), 1)
        self.assertEqual(self.count("whitelist_entry", company_id), 0)

    def test_its_audit_log_begins_with_the_company_and_its_administrator(self):
        company_id = self.create().company.company_id
        self.assertEqual(self.count("audit_head", company_id, "number = 2"), 1)

    def test_its_maker_is_named(self):
        company_id = self.create().company.company_id
        with self.deployment.operator() as client:
            maker = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        for table in ("company", "member", "role", "whitelist_list"):
            with self.subTest(table):
                self.assertEqual(self.count(table, company_id, f"created_by = '{maker.member_id or maker.token_id}'"), 1)

    def test_two_companies_may_have_the_same_name_and_administrator(self):
        first, second = self.create(), self.create()
        self.assertNotEqual(first.company.company_id, second.company.company_id)
        self.assertNotEqual(first.administrator.member_id, second.administrator.member_id)

    def test_the_revision_is_of_the_new_companys_lane(self):
        created = self.create()
        lane = self.deployment.execute(
            f"SELECT latchkey.company_lane('{uuid_of(created.company.company_id)}'::uuid)")[0][0]
        self.assertEqual(lane_of(created.revision), lane)

    # ---- what is refused ----

    def test_an_external_id_in_use_is_refused_and_nothing_is_made(self):
        self.create(external_id="crm-2")
        before = self.deployment.execute("SELECT count(*) FROM latchkey.company")
        error = self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                                    lambda: self.create(external_id="crm-2"))
        self.assertIn("crm-2", error.details())
        self.assertEqual(self.deployment.execute("SELECT count(*) FROM latchkey.company"), before)
        self.create(external_id="CRM-2")

    def test_all_bad_fields_are_told_at_once(self):
        error = self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT",
            lambda: self.create(name="", external_id="x" * 256, administrator_email="ada@localhost"))
        self.assertEqual(set(field_violations(error)), {"name", "external_id", "administrator_email"})
        self.assertIn("ada@example.com", field_violations(error)["administrator_email"])

    def test_whoever_is_no_operator_makes_no_company(self):
        with self.deployment.administrator() as client:
            error = self.assert_refused(
                grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING",
                lambda: client.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                    name="Acme", administrator_email="ada@acme.example"), timeout=10))
        self.assertEqual(error_info(error).metadata["permission"], "latchkey.operate")

    # ---- repeated requests ----

    def test_a_repeated_request_gives_the_same_company(self):
        request_id = str(uuid.uuid4())
        first, second = self.create(request_id=request_id), self.create(request_id=request_id)
        self.assertEqual((first.company, first.administrator), (second.company, second.administrator))
        self.assertEqual(lane_of(first.revision), lane_of(second.revision))

    def test_other_content_under_the_same_id_is_refused(self):
        request_id = str(uuid.uuid4())
        self.create(request_id=request_id)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED",
                            lambda: self.create(request_id=request_id, name="Another"))

    def test_twins_wait_for_the_first_and_one_company_is_made(self):
        fields = {"request_id": str(uuid.uuid4()), "external_id": "of twins"}
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.create(**fields))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 8)
        self.assertEqual(len({answer.company.company_id for answer in answers}), 1)

    def test_validators_confirm_a_new_company_also_when_the_request_is_repeated(self):
        fields = {"request_id": str(uuid.uuid4()), "wait_for_validators": duration_pb2.Duration(seconds=10)}
        for answer in (self.create(**fields), self.create(**fields)):
            self.assertEqual((answer.validators.live, answer.validators.confirmed), (1, 1))
            self.assertTrue(answer.validators.all_confirmed)

    # ---- who reads it ----

    def test_a_company_reads_itself_without_naming_itself(self):
        own = self.get(self.deployment.administrator())
        self.assertEqual(self.get(self.deployment.administrator(), own.company_id), own)
        with self.deployment.administrator() as client:
            caller = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        self.assertEqual((own.company_id, own.name), (caller.company_id, caller.company_name))

    def test_another_company_does_not_exist_for_it(self):
        other = self.create().company.company_id
        answers = [self.assert_refused(grpc.StatusCode.NOT_FOUND, "COMPANY_NOT_FOUND",
                                       lambda i=company_id: self.get(self.deployment.administrator(), i))
                   for company_id in (other, NO_COMPANY)]
        self.assertEqual(*(answer.details().replace(i, "") for answer, i in zip(answers, (other, NO_COMPANY))))

    def test_the_operator_reads_every_company_that_there_is(self):
        own = self.get(self.deployment.administrator())
        self.assertEqual(self.get(self.deployment.operator(), own.company_id), own)
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "COMPANY_NOT_FOUND",
                            lambda: self.get(self.deployment.operator(), NO_COMPANY))

    def test_a_token_without_the_permission_reads_no_company(self):
        with self.deployment.administrator() as client:
            secret = client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="of a test", permissions=["charges.read"]), timeout=10).secret
        error = self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING",
                                    lambda: self.get(self.deployment.anybody(secret)))
        self.assertEqual(error_info(error).metadata["permission"], "latchkey.company.read")

    def test_what_is_no_companys_id_is_a_bad_field(self):
        for company_id in ("acme", "mbr_01h455vb4pex5vsknk084sn02q", "cmp_"):
            with self.subTest(company_id):
                error = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT",
                                            lambda i=company_id: self.get(self.deployment.operator(), i))
                self.assertEqual(list(field_violations(error)), ["company_id"])

    # ---- acting for it ----

    def test_acting_for_a_new_company_shows_what_is_its_own(self):
        created = self.create().company
        client = self.deployment.operator(created.company_id)
        self.assertEqual(self.get(client), created)
        with self.deployment.operator(created.company_id) as client:
            listed = client.tokens.ListAccessTokens(token_pb2.ListAccessTokensRequest(), timeout=10)
            caller = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
            whitelist = client.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=10).whitelist
            entries = client.whitelist.ListWhitelistEntries(whitelist_pb2.ListWhitelistEntriesRequest(), timeout=10)
        self.assertFalse(listed.access_tokens)
        self.assertFalse(entries.entries)
        self.assertEqual((whitelist.enabled, whitelist.scope, whitelist.entry_count),
                         (False, whitelist_pb2.WHITELIST_SCOPE_ALL, 0))
        self.assertTrue(caller.acting_for_company)
        self.assertEqual(caller.company_id, created.company_id)

    def test_a_company_may_be_made_while_acting_for_another(self):
        first = self.create().company
        second = self.create(company=first.company_id, request_id=str(uuid.uuid4())).company
        self.assertEqual(self.count("request", first.company_id), 1)
        self.assertEqual(self.get(self.deployment.operator(second.company_id)), second)


def lane_of(revision):
    """The lane that a revision names: the byte after the form."""
    return base64.urlsafe_b64decode(revision + "=" * (-len(revision) % 4))[1]


def uuid_of(typeid):
    """The UUID of a TypeID, for SQL."""
    number = 0
    for character in typeid.split("_")[1]:
        number = number << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(character)
    return str(uuid.UUID(int=number & (1 << 128) - 1))


if __name__ == "__main__":
    unittest.main()
