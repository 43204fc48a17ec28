"""Who may call: secrets, addresses, permissions, acting for a company, repeated requests, waiting for validators."""

import threading
import unittest
import uuid

import grpc

from latchkey_test import CallCase, Deployment, error_info, field_violations, stubs, uuid_of_id

token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")


class Caller(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies="127.0.0.1")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)

    def get_caller(self, secret=None, metadata=()):
        with self.deployment.anybody(secret) as client:
            return client.tokens.GetCaller(token_pb2.GetCallerRequest(), metadata=metadata, timeout=10).caller

    def make_token(self, **fields):
        with self.deployment.administrator() as client:
            return client.tokens.CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label="of a test", **fields), timeout=10)

    # ---- secrets ----

    def test_without_a_secret_the_caller_is_told_how_to_send_one(self):
        error = self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING", self.get_caller)
        self.assertIn("authorization", error.details())

    def test_a_malformed_secret_is_refused_before_any_look_up(self):
        good = self.deployment.secrets["LATCHKEY_TOKEN"]
        for secret in ("x", good[:-1], good + "0", good[:-1] + ("0" if good[-1] != "0" else "1"), good.upper()):
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "MALFORMED", lambda s=secret: self.get_caller(s))

    def test_a_secret_that_nobody_has_is_unknown(self):
        created = self.make_token()
        self.deployment.execute(f"DELETE FROM latchkey.token_secret WHERE token_id = '{uuid_of(created)}'")
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "UNKNOWN", lambda: self.get_caller(created.secret))

    def test_the_secret_may_come_as_x_access_token(self):
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        caller = self.get_caller(metadata=[("x-access-token", secret)])
        self.assertTrue(caller.token_id.startswith("tok_"))

    def test_the_scheme_is_bearer_in_any_case_and_no_other(self):
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        self.get_caller(metadata=[("authorization", f"bearer {secret}")])
        for value in (secret, f"Basic {secret}", "Bearer"):
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING",
                                lambda v=value: self.get_caller(metadata=[("authorization", v)]))

    def test_where_x_access_token_is_there_authorization_is_somebody_elses(self):
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        for value in ("Basic dXNlcjpwYXNz", "Bearer of.another.system", ""):
            self.get_caller(metadata=[("authorization", value), ("x-access-token", secret)])

    def test_a_secret_that_comes_twice_is_none(self):
        secret, other = self.deployment.secrets["LATCHKEY_TOKEN"], self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        for header, first, second in (("authorization", f"Bearer {secret}", f"Bearer {other}"),
                                      ("authorization", f"Bearer {secret}", "Basic dXNlcjpwYXNz"),
                                      ("authorization", f"Bearer {secret}", f"Bearer {secret}"),
                                      ("x-access-token", secret, other), ("x-access-token", secret, "")):
            error = self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING", lambda: self.get_caller(
                metadata=[(header, first), (header, second)]))
            self.assertIn("once", error.details())

    def test_a_deactivated_token_does_nothing_from_the_next_call_on(self):
        created = self.make_token()
        self.get_caller(created.secret)
        with self.deployment.administrator() as client:
            client.tokens.DeactivateAccessToken(
                token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id), timeout=10)
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED", lambda: self.get_caller(created.secret))

    def test_a_token_for_the_ui_alone_may_not_call(self):
        created = self.make_token(channels=[2])
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "CHANNEL_NOT_ALLOWED",
                            lambda: self.get_caller(created.secret))

    # ---- addresses ----

    def test_the_address_behind_a_trusted_proxy_counts(self):
        created = self.make_token(allowed_ips=["203.0.113.0/24"])
        forwarded = [("x-forwarded-for", "203.0.113.9")]
        self.get_caller(created.secret, forwarded)
        error = self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED",
                                    lambda: self.get_caller(created.secret))
        self.assertIn("127.0.0.1", error.details())

    def test_an_address_that_was_put_in_front_of_the_real_one_does_not_count(self):
        created = self.make_token(allowed_ips=["203.0.113.0/24"])
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED",
                            lambda: self.get_caller(created.secret, [("x-forwarded-for", "203.0.113.9, 198.51.100.1")]))

    def test_an_address_that_can_not_be_read_is_not_listed(self):
        created = self.make_token(allowed_ips=["0.0.0.0/1", "128.0.0.0/1"])
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED",
                            lambda: self.get_caller(created.secret, [("x-forwarded-for", "010.0.0.1")]))

    def test_who_says_for_whom_it_asks_is_refused_unless_that_is_the_address_that_counts(self):
        created = self.make_token()
        behind = ("x-forwarded-for", "203.0.113.9")
        self.get_caller(created.secret, [behind, ("latchkey-client-ip", "203.0.113.9")])
        self.get_caller(created.secret, [("latchkey-client-ip", "127.0.0.1")])
        for said in (["203.0.113.9"], ["unknown"], [""], ["127.0.0.1", "127.0.0.1"]):
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PROXY_NOT_TRUSTED",
                                lambda said=said: self.get_caller(created.secret, [("latchkey-client-ip", text) for text in said]))
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PROXY_NOT_TRUSTED", lambda: self.get_caller(
            created.secret, [("x-forwarded-for", "203.0.113.9, 198.51.100.1"), ("latchkey-client-ip", "203.0.113.9")]))

    # ---- for whom a call says that it is ----

    def test_who_says_for_whom_it_calls_is_refused_unless_that_is_who_calls(self):
        """The member; of a company's own token, the token."""
        for created in (self.make_token(), self.make_token(company_owned=True, permissions=["charges.read"])):
            caller = self.get_caller(created.secret)
            own, other = (caller.member_id, caller.token_id) if caller.member_id else (caller.token_id, caller.company_id)
            self.get_caller(created.secret, [("latchkey-caller", own)])
            for said in ([other], [""], [own + "x"], [own.upper()], [own, own], [own, other]):
                self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "CALLER_MISMATCH", lambda said=said, created=created: self.get_caller(
                    created.secret, [("latchkey-caller", text) for text in said]))

    def test_who_calls_is_compared_once_the_token_is_good_and_before_where_it_is_used_and_for_what(self):
        other = [("latchkey-caller", "mbr_00000000000000000000000000")]
        dead, unlisted = self.make_token(), self.make_token(allowed_ips=["203.0.113.0/24"])
        self.deployment.execute(f"UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = '{uuid_of(dead)}'")
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED", lambda: self.get_caller(dead.secret, other))
        own = [("latchkey-caller", unlisted.access_token.member_id)]
        for said, reason in (([], "TOKEN_IP_NOT_LISTED"), (own, "TOKEN_IP_NOT_LISTED"), (other, "CALLER_MISMATCH")):
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, reason, lambda said=said: self.get_caller(unlisted.secret, said))
        with self.deployment.anybody(self.make_token(permissions=["charges.read"]).secret) as client:
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "CALLER_MISMATCH", lambda: client.whitelist.GetWhitelist(
                whitelist_pb2.GetWhitelistRequest(), metadata=other, timeout=10))

    def test_an_operator_is_itself_whomever_it_acts_for(self):
        secret, company = self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"], self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"]).company_id
        own = self.get_caller(secret).member_id
        acting = [("latchkey-company", company)]
        self.assertEqual(self.get_caller(secret, [*acting, ("latchkey-caller", own)]).company_id, company)
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "CALLER_MISMATCH", lambda: self.get_caller(
            secret, [*acting, ("latchkey-caller", self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"]).member_id)]))

    def test_a_prefix_that_only_a_hand_could_have_written_lists_nobody(self):
        created = self.make_token()
        self.deployment.execute("UPDATE latchkey.token SET allowed_ips = '{::ffff:127.0.0.1/128}' "
                                f"WHERE token_id = '{uuid_of(created)}'")
        for _ in range(2):
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED",
                                lambda: self.get_caller(created.secret))

    # ---- permissions ----

    def test_a_missing_permission_is_named(self):
        created = self.make_token(permissions=["charges.read"])
        with self.deployment.anybody(created.secret) as client:
            error = self.assert_refused(
                grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING",
                lambda: client.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=10))
        self.assertIn("latchkey.whitelist.read", error.details())
        self.assertEqual(error_info(error).metadata["permission"], "latchkey.whitelist.read")

    def test_a_token_can_only_do_what_its_owner_can_at_that_moment(self):
        created = self.make_token(permissions=["latchkey.whitelist.read"])
        get = lambda: self.deployment.anybody(created.secret).whitelist.GetWhitelist(
            whitelist_pb2.GetWhitelistRequest(), timeout=10)
        get()
        member = uuid_of_id(created.access_token.member_id)
        roles = self.deployment.execute(f"DELETE FROM latchkey.member_role WHERE member_id = '{member}' "
                                        "RETURNING company_id::text, member_id::text, role_id::text")
        try:
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING", get)
        finally:
            for row in roles:
                self.deployment.execute("INSERT INTO latchkey.member_role (company_id, member_id, role_id) "
                                        "VALUES ('%s', '%s', '%s')" % row)
        get()

    def test_a_permission_that_the_catalogue_gains_or_loses_is_so_from_the_next_call_on(self):
        names = lambda: [permission.name for permission in self.deployment.administrator().tokens.ListPermissions(
            token_pb2.ListPermissionsRequest(), timeout=10).permissions]
        held = lambda: list(self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"]).permissions)
        for statement, is_known in (("INSERT INTO latchkey.permission (name, description) VALUES ('charges.count', '')", True),
                                    ("DELETE FROM latchkey.permission WHERE name = 'charges.count'", False)):
            self.assertEqual("charges.count" in held(), not is_known)
            self.deployment.execute(statement)
            self.assertEqual("charges.count" in held(), is_known)
            self.assertEqual("charges.count" in names(), is_known)

    # ---- acting for a company ----

    def test_an_operator_acts_for_a_company_and_nobody_else_does(self):
        own = self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"])
        with self.deployment.operator(own.company_id) as client:
            entry = client.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
                entries=[whitelist_pb2.NewWhitelistEntry(address="192.0.2.77")]), timeout=10).entries[0]
        with self.deployment.administrator() as client:
            listed = client.whitelist.CheckIp(whitelist_pb2.CheckIpRequest(client_ip="192.0.2.77"), timeout=10)
            self.assertEqual(listed.matched_entry.entry_id, entry.entry_id)
            other = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10)
            self.assertEqual(other.caller.company_id, own.company_id)
        operator = self.get_caller(self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"])
        self.assert_refused(
            grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING",
            lambda: self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"],
                                    [("latchkey-company", operator.company_id)]))

    def test_a_company_that_does_not_exist_or_is_no_id_is_told(self):
        secret = self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "COMPANY_NOT_FOUND",
                            lambda: self.get_caller(secret, [("latchkey-company", "cmp_00000000000000000000000000")]))
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT",
                            lambda: self.get_caller(secret, [("latchkey-company", "acme")]))

    def test_an_operator_who_names_no_company_or_two_does_not_act_at_home(self):
        secret = self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        own = self.get_caller(self.deployment.secrets["LATCHKEY_TOKEN"]).company_id
        for names in ([""], [own, own], [own, ""], ["", own]):
            self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", lambda: self.get_caller(
                secret, [("latchkey-company", name) for name in names]))

    # ---- repeated requests ----

    def create(self, request_id, label="of a test"):
        with self.deployment.administrator() as client:
            return client.tokens.CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label=label, request_id=request_id), timeout=20)

    def test_a_repeated_request_gives_the_same_object_without_its_secret(self):
        request_id = str(uuid.uuid4())
        first, second = self.create(request_id), self.create(request_id)
        self.assertEqual(first.access_token, second.access_token)
        self.assertTrue(first.secret and not first.secret_withheld)
        self.assertTrue(second.secret_withheld and not second.secret)
        self.assertTrue(second.revision)
        kept = self.deployment.execute("SELECT count(*) FROM latchkey.request "
                                       f"WHERE position('{first.secret}'::bytea IN response) > 0")
        self.assertEqual(kept[0][0], 0)

    def test_other_content_under_the_same_id_is_refused(self):
        request_id = str(uuid.uuid4())
        self.create(request_id)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED",
                            lambda: self.create(request_id, label="another"))

    def test_a_refused_request_is_not_remembered(self):
        request_id = str(uuid.uuid4())
        with self.assertRaises(grpc.RpcError):
            self.create(request_id, label="")
        self.create(request_id)

    def test_twins_wait_for_the_first_and_one_object_is_made(self):
        request_id, answers = str(uuid.uuid4()), []
        threads = [threading.Thread(target=lambda: answers.append(self.create(request_id))) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({answer.access_token.token_id for answer in answers}), 1)
        self.assertEqual(len([answer for answer in answers if answer.secret]), 1)
        self.assertEqual(len(answers), 16)

    def test_a_request_id_that_is_no_uuid_is_a_bad_field(self):
        error = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", lambda: self.create("again"))
        self.assertIn("request_id", field_violations(error))

    # ---- revisions and validators ----

    def test_a_mutation_that_changes_nothing_still_has_a_revision(self):
        created = self.make_token()
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        with self.deployment.administrator() as client:
            first = client.tokens.DeactivateAccessToken(request, timeout=10)
            second = client.tokens.DeactivateAccessToken(request, timeout=10)
        self.assertTrue(first.revision and second.revision)
        self.assertEqual(first.access_token, second.access_token)

    def test_a_confirmed_deactivation_names_its_validators(self):
        created = self.make_token()
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        request.wait_for_validators.seconds = 10
        with self.deployment.administrator() as client:
            answer = client.tokens.DeactivateAccessToken(request, timeout=20)
        self.assertEqual((answer.validators.live, answer.validators.confirmed), (1, 1))
        self.assertTrue(answer.validators.all_confirmed)
        self.assertFalse(answer.validators.lagging)


def uuid_of(created):
    return uuid_of_id(created.access_token.token_id)


if __name__ == "__main__":
    unittest.main()
