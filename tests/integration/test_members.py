"""Members: made, listed, changed and removed, and never more than the caller may give."""

import concurrent.futures
import contextlib
import threading
import unittest
import uuid

import grpc

from latchkey_test import error_info, uuid_of_id
from latchkey_test.waiting import wait_until
from member_case import MemberCase, member_pb2, token_pb2

ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

NO_MEMBER = "mbr_00000000000000000000000000"
NO_ROLE = "rol_00000000000000000000000000"

INJECTIONS = ("'; DROP TABLE latchkey.member; --", "\\x00", "${jndi:ldap://x}", "<script>alert(1)</script>", "%s%n%x",
              "{{7*7}}", "a\tb\r\nc", "\u202eabc", "Robert'); SELECT pg_sleep(9);--", '"quoted" \\ back', "🙂" * 20)


class Members(MemberCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company()
        cls.other = cls.new_company()
        cls.charger = cls.company.create_role("charger", ["charges.create"])

    def unique(self, local="member"):
        return f"{local}-{uuid.uuid4().hex[:12]}@acme.example"

    def list(self, client=None, **fields):
        return (client or self.company.operator).members.ListMembers(
            member_pb2.ListMembersRequest(**fields), timeout=20)

    # ---- made and read ----

    def test_a_member_is_read_back_as_it_was_made(self):
        email = self.unique("Grace.Hopper")
        made = self.company.create_member(
            email, [self.charger.role_id], display_name="Grace Hopper", allowed_ips=["10.1.2.3/8", "2001:db8::1"],
            issuer="https://id.example", subject=email, external_id=email)
        self.assertRegex(made.member_id, "^mbr_[0-9a-z]{26}$")
        self.assertEqual((made.email, made.display_name, list(made.role_ids)),
                         (email, "Grace Hopper", [self.charger.role_id]))
        self.assertEqual(list(made.allowed_ips), ["10.0.0.0/8", "2001:db8::1/128"])
        self.assertEqual((made.issuer, made.subject, made.external_id), ("https://id.example", email, email))
        self.assertEqual(made.state, member_pb2.MEMBER_STATE_ACTIVE)
        self.assertFalse(made.HasField("removed_at"))
        self.assertTrue(made.etag)
        self.assertEqual(self.company.get(made.member_id), made)

    def test_the_least_member_has_an_address_alone(self):
        made = self.company.create_member(self.unique())
        self.assertEqual((list(made.role_ids), list(made.allowed_ips), made.display_name), ([], [], ""))

    def test_its_maker_is_named(self):
        made = self.company.create_member(self.unique(), client=self.company.administrator)
        self.assertEqual(self.company.count("member", f"member_id = '{uuid_of_id(made.member_id)}' "
                                            f"AND created_by = '{self.company.ada.member_id}'"), 1)

    def test_a_role_named_twice_is_had_once(self):
        made = self.company.create_member(self.unique(), [self.charger.role_id] * 3)
        self.assertEqual(list(made.role_ids), [self.charger.role_id])

    def test_text_comes_back_as_it_was_typed(self):
        for text in INJECTIONS:
            with self.subTest(text):
                text = text[:100]
                made = self.company.create_member(self.unique(), display_name=text, external_id=uuid.uuid4().hex + text)
                self.assertEqual(made.display_name, text)
                self.assertEqual([m.member_id for m in self.list(external_id=made.external_id).members],
                                 [made.member_id])
                self.assertIn(made.member_id, [m.member_id for m in self.list(name_contains=text).members])

    def test_a_member_reads_itself_without_naming_itself_and_without_a_permission(self):
        member = self.company.create_member(self.unique())
        client = self.company.client(self.company.owner_token(member.member_id)[1])
        self.assertEqual(self.company.get("", client), member)
        self.assertEqual(self.company.get(member.member_id, client), member)
        error = self.assert_refused(DENIED, "PERMISSION_MISSING",
                                    lambda: self.company.get(self.company.ada.member_id, client))
        self.assertEqual(error_info(error).metadata["permission"], "latchkey.members.read")

    def test_whoever_is_no_member_has_to_name_one(self):
        self.assert_bad_fields(lambda: self.company.get(""), "member_id")
        client = self.company.client(self.company.company_token()[1])
        self.assert_bad_fields(lambda: self.company.get("", client), "member_id")

    def test_another_companys_member_does_not_exist(self):
        theirs = self.other.ada.member_id
        for member_id in (theirs, NO_MEMBER):
            for call in (lambda i: self.company.get(i), lambda i: self.company.update(i, display_name="x"),
                         lambda i: self.company.remove(i),
                         lambda i: self.company.remove(self.company.create_member(self.unique()).member_id,
                                                       transfer_tokens_to=i)):
                self.assert_refused(NOT_FOUND, "MEMBER_NOT_FOUND", lambda c=call, i=member_id: c(i))
        self.assertEqual(self.other.get(theirs), self.other.ada)

    # ---- addresses ----

    def test_an_address_in_use_is_refused_in_any_case(self):
        email = self.unique("Case")
        self.company.create_member(email)
        for typed in (email, email.upper(), email.lower(), email.swapcase()):
            error = self.assert_refused(ALREADY_EXISTS, "EMAIL_IN_USE", lambda t=typed: self.company.create_member(t))
            self.assertIn("@acme.example", error.details())

    def test_of_many_who_take_an_address_at_once_one_gets_it(self):
        email = self.unique()
        outcomes = at_once(*[lambda e=e: self.company.create_member(e) for e in (email, email.upper()) * 6])
        self.assertEqual(sorted(outcomes), ["EMAIL_IN_USE"] * 11 + ["OK"])

    def test_an_address_with_a_plus_is_an_address_of_its_own(self):
        email = self.unique()
        plus = email.replace("@", "+tag@")
        self.assertEqual({self.company.create_member(address).email for address in (email, plus)}, {email, plus})

    def test_an_international_domain_is_one_however_it_is_typed(self):
        local = uuid.uuid4().hex
        made = self.company.create_member(f"{local}@Bücher.example")
        self.assertEqual(made.email, f"{local}@xn--bcher-kva.example")
        for typed in (f"{local}@bücher.example", f"{local}@XN--BCHER-KVA.example"):
            self.assert_refused(ALREADY_EXISTS, "EMAIL_IN_USE", lambda t=typed: self.company.create_member(t))

    def test_another_company_may_have_the_same_address(self):
        email = self.unique()
        self.assertEqual(self.company.create_member(email).email, self.other.create_member(email).email)

    def test_a_person_of_an_identity_provider_is_one_member(self):
        subject = uuid.uuid4().hex
        self.company.create_member(self.unique(), issuer="https://id.example", subject=subject)
        self.company.create_member(self.unique(), issuer="https://other.example", subject=subject)
        self.assert_refused(ALREADY_EXISTS, "SUBJECT_IN_USE", lambda: self.company.create_member(
            self.unique(), issuer="https://id.example", subject=subject))

    def test_an_external_id_is_one_members(self):
        external_id = uuid.uuid4().hex
        self.company.create_member(self.unique(), external_id=external_id)
        self.assert_refused(ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                            lambda: self.company.create_member(self.unique(), external_id=external_id))

    # ---- bad input ----

    def test_all_bad_fields_are_told_at_once(self):
        self.assert_bad_fields(
            lambda: self.company.create_member("ada@localhost", ["x", self.charger.role_id, self.other.ada.member_id],
                                               display_name="x" * 101, allowed_ips=["10.0.0.1/33", "::1", "a"],
                                               issuer="i" * 256, external_id="x" * 256),
            "email", "role_ids[0]", "role_ids[2]", "display_name", "allowed_ips[0]", "allowed_ips[2]", "issuer", "subject",
            "external_id")

    def test_lists_have_their_limits(self):
        self.assert_bad_fields(lambda: self.company.create_member(self.unique(), [self.charger.role_id] * 101),
                               "role_ids")
        self.assert_bad_fields(lambda: self.company.create_member(self.unique(), allowed_ips=["10.0.0.1"] * 10001),
                               "allowed_ips")
        many = [f"10.{i >> 8}.{i & 255}.1" for i in range(10000)]
        self.assertEqual(len(self.company.create_member(self.unique(), allowed_ips=many).allowed_ips), 10000)

    def test_issuer_and_subject_stand_together(self):
        self.assert_bad_fields(lambda: self.company.create_member(self.unique(), issuer="https://id.example"), "subject")
        self.assert_bad_fields(lambda: self.company.create_member(self.unique(), subject="1"), "issuer")
        member = self.company.create_member(self.unique(), issuer="https://id.example", subject=uuid.uuid4().hex)
        self.assert_bad_fields(lambda: self.company.update(member.member_id, subject=""), "member.subject")
        cleared = self.company.update(member.member_id, subject="", issuer="").member
        self.assertEqual((cleared.issuer, cleared.subject), ("", ""))

    def test_a_role_that_is_not_there_is_not_found(self):
        for role_id in (NO_ROLE, self.other.administrator_role):
            self.assert_refused(NOT_FOUND, "ROLE_NOT_FOUND",
                                lambda r=role_id: self.company.create_member(self.unique(), [r]))

    # ---- listed ----

    def test_pages_hold_every_member_once_newest_first(self):
        company = self.new_company()
        made = [company.create_member(f"m{i}@acme.example").member_id for i in range(7)]
        seen, token = [], ""
        while True:
            page = company.operator.members.ListMembers(
                member_pb2.ListMembersRequest(page_size=3, page_token=token), timeout=20)
            seen += [member.member_id for member in page.members]
            company.create_member(f"later{len(seen)}@acme.example")  # comes before the first page
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(seen, [*reversed(made), company.ada.member_id])

    def test_filters_must_all_hold(self):
        company = self.new_company()
        role = company.create_role("charger", ["charges.create"])
        first = company.create_member("First.One@acme.example", [role.role_id], display_name="Ünïcode Person")
        second = company.create_member("second@acme.example", [role.role_id], external_id="crm-2")
        company.remove(second.member_id)
        listed = lambda **fields: [m.member_id for m in self.list(company.operator, **fields).members]
        self.assertEqual(listed(name_contains="FIRST"), [first.member_id])
        self.assertEqual(listed(name_contains="person"), [first.member_id])
        self.assertEqual(listed(role_id=role.role_id), [first.member_id])
        self.assertEqual(listed(external_id="crm-2"), [second.member_id])
        self.assertEqual(listed(state="MEMBER_STATE_REMOVED"), [second.member_id])
        self.assertEqual(listed(state="MEMBER_STATE_ACTIVE"), [first.member_id, company.ada.member_id])
        self.assertEqual(listed(state="MEMBER_STATE_ACTIVE", external_id="crm-2"), [])
        self.assertEqual(len(listed()), 3)

    def test_bad_filters_are_told(self):
        self.assert_bad_fields(lambda: self.list(page_size=-1, state=7, role_id="x", page_token="x"),
                               "page_size", "page_token", "role_id", "state")

    def test_a_page_of_long_lists_ends_early(self):
        company = self.new_company()
        many = [f"10.{i >> 8}.{i & 255}.1" for i in range(9000)]
        for i in range(4):
            company.create_member(f"long{i}@acme.example", allowed_ips=many)
        page = self.list(company.operator)
        self.assertEqual((len(page.members), bool(page.next_page_token)), (3, True))
        rest = self.list(company.operator, page_token=page.next_page_token)
        self.assertEqual((len(rest.members), rest.next_page_token), (2, ""))

    # ---- changed ----

    def test_an_update_changes_what_its_mask_names_and_nothing_else(self):
        before = self.company.create_member(self.unique(), [self.charger.role_id], display_name="Before",
                                            allowed_ips=["10.0.0.0/8"], external_id=uuid.uuid4().hex)
        email = self.unique("other")
        after = self.company.update(before.member_id, email=email, display_name="After").member
        self.assertEqual((after.email, after.display_name), (email, "After"))
        self.assertEqual((after.role_ids, after.allowed_ips, after.external_id),
                         (before.role_ids, before.allowed_ips, before.external_id))
        self.assertNotEqual(after.etag, before.etag)
        self.assertEqual(self.company.get(before.member_id), after)

    def test_a_field_that_is_named_and_absent_is_cleared(self):
        member = self.company.create_member(self.unique(), [self.charger.role_id], display_name="x",
                                            allowed_ips=["10.0.0.0/8"], external_id=uuid.uuid4().hex)
        cleared = self.company.update(member.member_id, display_name="", role_ids=[], allowed_ips=[],
                                      external_id="").member
        self.assertEqual((cleared.display_name, list(cleared.role_ids), list(cleared.allowed_ips), cleared.external_id),
                         ("", [], [], ""))
        self.assert_bad_fields(lambda: self.company.update(member.member_id, email=""), "member.email")

    def test_a_mask_is_needed_and_names_fields_that_there_are(self):
        update = lambda *paths: self.company.operator.members.UpdateMember(member_pb2.UpdateMemberRequest(
            member={"member_id": self.company.ada.member_id}, update_mask={"paths": paths}), timeout=20)
        self.assert_bad_fields(update, "update_mask")
        self.assert_bad_fields(lambda: update("state", "*"), "update_mask.paths[0]", "update_mask.paths[1]")

    def test_an_update_that_changes_nothing_leaves_no_trace(self):
        member = self.company.create_member(self.unique(), [self.charger.role_id], display_name="Same")
        log = self.deployment.execute("SELECT count(*) FROM latchkey.change")
        again = self.company.update(member.member_id, display_name="Same", role_ids=[self.charger.role_id]).member
        self.assertEqual(again, member)
        self.assertEqual(self.deployment.execute("SELECT count(*) FROM latchkey.change"), log)

    def test_a_stale_etag_is_refused_and_every_change_makes_a_new_one(self):
        member = self.company.create_member(self.unique())
        changed = self.company.update(member.member_id, etag=member.etag, role_ids=[self.charger.role_id]).member
        error = self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE", lambda: self.company.update(
            member.member_id, etag=member.etag, display_name="lost"))
        self.assertEqual(error_info(error).metadata["etag"], changed.etag)
        self.assertEqual(self.company.get(member.member_id), changed)

    def test_of_two_updates_with_one_etag_one_is_made(self):
        member = self.company.create_member(self.unique())
        outcomes = at_once(*[lambda n=n: self.company.update(member.member_id, etag=member.etag, display_name=f"n{n}")
                             for n in range(6)])
        self.assertEqual(sorted(outcomes), ["ETAG_STALE"] * 5 + ["OK"])

    def test_an_update_to_an_address_in_use_is_refused(self):
        first, second = self.company.create_member(self.unique()), self.company.create_member(self.unique())
        self.assert_refused(ALREADY_EXISTS, "EMAIL_IN_USE",
                            lambda: self.company.update(second.member_id, email=first.email.upper()))
        own = self.company.update(second.member_id, email=second.email.swapcase().replace("ACME", "acme")).member
        self.assertEqual(own.email.lower(), second.email.lower())

    # ---- never more than the caller may ----

    def test_nobody_gives_a_role_that_lets_do_more_than_he_may(self):
        _, secret = self.company.company_token(["latchkey.members.*", "charges.create"])
        client = self.company.client(secret)
        refunder = self.company.create_role(f"refunder {uuid.uuid4()}", ["refunds.create", "charges.create"])
        member = self.company.create_member(self.unique(), [self.charger.role_id], client)
        for role_id, missing in ((refunder.role_id, "refunds.create"), (self.company.administrator_role, None)):
            for call in (lambda r: self.company.create_member(self.unique(), [r], client),
                         lambda r: self.company.update(member.member_id, client, role_ids=[r, self.charger.role_id])):
                error = self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda c=call, r=role_id: c(r))
                if missing:
                    self.assertEqual(error_info(error).metadata["permissions"], missing)
        self.assertEqual(self.company.get(member.member_id), member)

    def test_what_a_member_has_already_may_stay_and_may_be_taken(self):
        _, secret = self.company.company_token(["latchkey.members.*", "charges.create"])
        client = self.company.client(secret)
        refunder = self.company.create_role(f"refunder {uuid.uuid4()}", ["refunds.create"])
        member = self.company.create_member(self.unique(), [refunder.role_id])
        both = self.company.update(member.member_id, client, role_ids=[refunder.role_id, self.charger.role_id]).member
        self.assertEqual(set(both.role_ids), {refunder.role_id, self.charger.role_id})
        self.assertEqual(list(self.company.update(member.member_id, client, role_ids=[]).member.role_ids), [])

    def test_nobody_makes_himself_the_person_of_a_member_who_may_do_more(self):
        _, secret = self.company.company_token(["latchkey.members.*", "charges.create"])
        client = self.company.client(secret)
        boss = self.company.create_member(self.unique(), [self.company.administrator_role])
        for fields in ({"email": self.unique()}, {"issuer": "https://id.example", "subject": uuid.uuid4().hex}):
            self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                lambda f=fields: self.company.update(boss.member_id, client, **f))
        self.assertEqual(self.company.update(boss.member_id, client, display_name="Boss").member.display_name, "Boss")
        equal = self.company.create_member(self.unique(), [self.charger.role_id])
        self.company.update(equal.member_id, client, email=self.unique())

    def test_nobody_lets_a_member_who_may_do_more_in_from_elsewhere(self):
        _, secret = self.company.company_token(["latchkey.members.*", "charges.create"])
        client = self.company.client(secret)
        boss = self.company.create_member(self.unique(), [self.company.administrator_role],
                                          allowed_ips=["198.51.100.0/24", "2001:db8::/32"])
        for ips in ([], ["198.51.100.0/24", "203.0.113.7"], ["198.51.100.0/23"], ["::/0"]):
            self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                lambda i=ips: self.company.update(boss.member_id, client, allowed_ips=i))
        self.assertEqual(self.company.get(boss.member_id), boss)
        narrower = ["2001:db8:1::/48", "198.51.100.9", "198.51.100.128/25"]
        self.company.update(boss.member_id, client, allowed_ips=narrower)
        self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda: self.company.update(
            boss.member_id, client, allowed_ips=["198.51.100.0/24"]))
        self.company.update(boss.member_id, allowed_ips=[])
        self.company.update(boss.member_id, client, allowed_ips=["203.0.113.7"])
        equal = self.company.create_member(self.unique(), [self.charger.role_id], allowed_ips=["198.51.100.0/24"])
        self.company.update(equal.member_id, client, allowed_ips=[])

    def test_without_the_permission_nobody_is_changed(self):
        _, secret = self.company.company_token(["latchkey.members.read"])
        client = self.company.client(secret)
        self.assertIn(self.company.ada.member_id, [m.member_id for m in self.list(client, page_size=1000).members])
        for call in (lambda: self.company.create_member(self.unique(), client=client),
                     lambda: self.company.update(self.company.ada.member_id, client, display_name="x"),
                     lambda: self.company.remove(self.company.ada.member_id, client),
                     lambda: self.company.create_role("x", client=client),
                     lambda: self.company.update_role(self.charger.role_id, client, name="x"),
                     lambda: self.company.delete_role(self.charger.role_id, client)):
            error = self.assert_refused(DENIED, "PERMISSION_MISSING", call)
            self.assertEqual(error_info(error).metadata["permission"], "latchkey.members.manage")

    # ---- the lock-out guard ----

    def test_nobody_takes_his_own_address_off_his_own_list_without_force(self):
        member = self.company.create_member(self.unique(), [self.company.administrator_role])
        client = self.company.client(self.company.owner_token(member.member_id)[1])
        error = self.assert_refused(PRECONDITION, "LOCKS_OUT_CALLER", lambda: self.company.update(
            member.member_id, client, allowed_ips=["203.0.113.0/24"]))
        self.assertEqual(error_info(error).metadata["neededEntry"], "127.0.0.1/32")
        self.company.update(member.member_id, client, allowed_ips=["203.0.113.0/24", "127.0.0.0/8"])
        self.company.update(member.member_id, client, allowed_ips=["203.0.113.0/24"], force=True)
        self.assert_refused(DENIED, "MEMBER_IP_NOT_LISTED", lambda: self.company.get("", client))

    def test_the_guard_is_for_ones_own_list(self):
        member = self.company.create_member(self.unique())
        self.company.update(member.member_id, self.company.administrator, allowed_ips=["203.0.113.0/24"])

    # ---- removed ----

    def test_a_removed_member_stays_readable_and_the_address_is_free(self):
        member = self.company.create_member(self.unique(), [self.charger.role_id], issuer="https://id.example",
                                            subject=uuid.uuid4().hex, external_id=uuid.uuid4().hex)
        removed = self.company.remove(member.member_id).member
        self.assertEqual(removed.state, member_pb2.MEMBER_STATE_REMOVED)
        self.assertTrue(removed.HasField("removed_at"))
        self.assertEqual(list(removed.role_ids), [])
        self.assertEqual(self.company.get(member.member_id), removed)
        again = self.company.create_member(member.email, issuer=member.issuer, subject=member.subject,
                                           external_id=member.external_id)
        self.assertNotEqual(again.member_id, member.member_id)

    def test_removing_the_removed_is_fine_and_changing_them_is_not(self):
        member = self.company.create_member(self.unique())
        first = self.company.remove(member.member_id)
        second = self.company.remove(member.member_id)
        self.assertEqual((second.member, second.token_count, second.login_count), (first.member, 0, 0))
        self.assert_refused(PRECONDITION, "MEMBER_REMOVED",
                            lambda: self.company.update(member.member_id, display_name="x"))

    def test_its_tokens_and_log_ins_end_with_it(self):
        company = self.new_company()
        member = company.create_member("leaver@acme.example", [company.administrator_role])
        tokens = [company.owner_token(member.member_id)[0] for _ in range(3)]
        company.owner_token(member.member_id, kind="l")
        company.operator.tokens.DeactivateAccessToken(
            token_pb2.DeactivateAccessTokenRequest(token_id=tokens[0]), timeout=20)
        kept = company.company_token()[0].token_id
        removed = company.remove(member.member_id)
        self.assertEqual((removed.token_count, list(removed.token_ids), removed.login_count),
                         (2, [tokens[2], tokens[1]], 1))
        states = company.token_states()
        self.assertEqual({states[token][1] for token in tokens}, {"DEACTIVATED"})
        self.assertEqual(states[kept], ("", "ACTIVE"))
        self.assertEqual(company.count("token", f"member_id = '{uuid_of_id(member.member_id)}' "
                                       "AND deactivated_at IS NULL"), 0)
        note = company.deployment.execute("SELECT DISTINCT deactivate_note FROM latchkey.token "
                                          f"WHERE token_id = '{uuid_of_id(tokens[1])}'")
        self.assertEqual(note, [("its member was removed",)])

    def test_tokens_may_be_handed_over_to_a_member_or_to_the_company(self):
        company = self.new_company()
        heir = company.create_member("heir@acme.example", [company.administrator_role])
        for to, owner in ((heir.member_id, heir.member_id), (company.id, "")):
            with self.subTest(to):
                member = company.create_member("leaver@acme.example", [company.administrator_role])
                token, secret = company.owner_token(member.member_id)
                _, login = company.owner_token(member.member_id, kind="l")
                removed = company.remove(member.member_id, transfer_tokens_to=to, wait_for_validators={"seconds": 20})
                self.assertEqual((removed.token_count, list(removed.token_ids), removed.login_count), (1, [token], 1))
                self.assertEqual(company.token_states()[token], (owner, "ACTIVE"))
                self.assertEqual(self.decide(secret, "charges.create"), "OK")
                self.assertEqual(self.decide(login), "MEMBER_REMOVED")

    def test_a_dry_run_says_what_would_end_and_changes_nothing(self):
        company = self.new_company()
        member = company.create_member("leaver@acme.example")
        tokens = [company.owner_token(member.member_id)[0] for _ in range(2)]
        company.owner_token(member.member_id, kind="l")
        log = company.deployment.execute("SELECT count(*) FROM latchkey.change")
        for to in ("", company.id):
            told = company.remove(member.member_id, dry_run=True, transfer_tokens_to=to)
            self.assertEqual((told.token_count, list(told.token_ids), told.login_count, told.member),
                             (2, tokens[::-1], 1, member))
        self.assertEqual(company.deployment.execute("SELECT count(*) FROM latchkey.change"), log)
        self.assertEqual(company.get(member.member_id), member)

    def test_tokens_go_to_another_active_member_of_the_same_company_or_to_the_company(self):
        member = self.company.create_member(self.unique())
        for to in (member.member_id, self.other.id, "nobody", self.charger.role_id):
            self.assert_bad_fields(lambda t=to: self.company.remove(member.member_id, transfer_tokens_to=t),
                                   "transfer_tokens_to")
        gone = self.company.create_member(self.unique())
        self.company.remove(gone.member_id)
        self.assert_refused(PRECONDITION, "MEMBER_REMOVED", lambda: self.company.remove(
            member.member_id, transfer_tokens_to=gone.member_id))
        self.assertEqual(self.company.get(member.member_id), member)

    def test_a_hand_over_that_lets_tokens_do_more_is_a_grant_like_any_other(self):
        company = self.new_company()
        charger = company.create_role("charger", ["charges.create"])
        member = company.create_member("leaver@acme.example", [charger.role_id])
        company.owner_token(member.member_id, ["charges.create", "refunds.create"])
        _, secret = company.company_token(["latchkey.members.*", "charges.create"])
        client = company.client(secret)
        for to in (company.id, company.ada.member_id):
            error = self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                        lambda t=to: company.remove(member.member_id, client, transfer_tokens_to=t))
            self.assertEqual(error_info(error).metadata["permissions"], "refunds.create")
        heir = company.create_member("heir@acme.example", [charger.role_id])
        self.assertEqual(company.remove(member.member_id, client, transfer_tokens_to=heir.member_id).token_count, 1)

    # ---- the last administrator ----

    def test_the_last_administrator_stays_one(self):
        company = self.new_company()
        plain = company.create_member("plain@acme.example")
        for client in (company.operator, company.administrator):
            for call in (lambda c: company.remove(company.ada.member_id, c),
                         lambda c: company.remove(company.ada.member_id, c, dry_run=True),
                         lambda c: company.remove(company.ada.member_id, c, transfer_tokens_to=plain.member_id),
                         lambda c: company.update(company.ada.member_id, c, role_ids=[])):
                self.assert_refused(PRECONDITION, "LAST_ADMINISTRATOR", lambda f=call, c=client: f(c))
        second = company.create_member("second@acme.example", [company.administrator_role])
        company.update(company.ada.member_id, role_ids=[])
        self.assert_refused(PRECONDITION, "LAST_ADMINISTRATOR", lambda: company.remove(second.member_id))

    def test_a_removed_administrator_is_none(self):
        company = self.new_company()
        second = company.create_member("second@acme.example", [company.administrator_role])
        company.remove(second.member_id)
        self.assert_refused(PRECONDITION, "LAST_ADMINISTRATOR", lambda: company.remove(company.ada.member_id))

    def test_of_two_administrators_who_remove_or_demote_each_other_one_wins(self):
        company = self.new_company()
        for turn in range(12):
            first, second = (company.create_member(f"{name}{turn}@acme.example", [company.administrator_role])
                             for name in ("first", "second"))
            others = self.list(company.operator, role_id=company.administrator_role, state="MEMBER_STATE_ACTIVE").members
            # In even turns the two are the only ones; in odd ones a third could lose both of them.
            for other in others:
                if turn % 2 == 0 and other.member_id not in (first.member_id, second.member_id):
                    company.remove(other.member_id)
            clients = [company.client(company.owner_token(m.member_id)[1]) for m in (first, second)]
            change = ((lambda m, c: company.remove(m.member_id, c)) if turn % 4 < 2
                      else (lambda m, c: company.update(m.member_id, c, role_ids=[])))
            outcomes = at_once(lambda: change(second, clients[0]), lambda: change(first, clients[1]))
            self.assertEqual(outcomes.count("OK"), 1, outcomes)
            left = self.list(company.operator, role_id=company.administrator_role, state="MEMBER_STATE_ACTIVE").members
            self.assertGreaterEqual(len(left), 1)
            self.assertEqual(sum(m.member_id in (first.member_id, second.member_id) for m in left), 1)

    def test_an_administrator_who_is_being_demoted_makes_no_other_one(self):
        company = self.new_company()
        demoted = company.create_member("demoted@acme.example", [company.administrator_role])
        client = company.client(company.owner_token(demoted.member_id)[1])
        company.get("", client)
        with contextlib.closing(self.deployment.connect()) as connection, concurrent.futures.ThreadPoolExecutor(1) as pool:
            cursor = connection.cursor()
            cursor.execute(f"BEGIN; SELECT FROM latchkey.company WHERE company_id = '{company.uuid}' FOR NO KEY UPDATE")
            made = pool.submit(company.create_member, "second@acme.example", [company.administrator_role], client)
            wait_until(lambda: made.done() or self.somebody_waits_for_a_lock(), 30, "the new member to wait for the lock")
            cursor.execute(f"DELETE FROM latchkey.member_role WHERE member_id = '{uuid_of_id(demoted.member_id)}'; COMMIT")
            self.assert_refused(DENIED, "PERMISSION_MISSING", made.result)
        self.assertEqual(company.count("member", "email = 'second@acme.example'"), 0)

    def somebody_waits_for_a_lock(self):
        return self.deployment.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                       " AND datname = current_database()")

    def test_of_many_at_once_the_last_administrator_stays(self):
        company = self.new_company()
        admins = [company.ada] + [company.create_member(f"a{i}@acme.example", [company.administrator_role])
                                  for i in range(7)]
        outcomes = at_once(*[lambda m=m: company.remove(m.member_id) for m in admins])
        self.assertEqual(sorted(outcomes), ["LAST_ADMINISTRATOR"] + ["OK"] * 7)

    # ---- repeated requests ----

    def test_a_repeated_request_gives_the_same_answer(self):
        fields = {"email": self.unique(), "request_id": str(uuid.uuid4())}
        create = lambda: self.company.operator.members.CreateMember(
            member_pb2.CreateMemberRequest(**fields), timeout=20).member
        self.assertEqual(create(), create())
        fields["display_name"] = "Another"
        self.assert_refused(ALREADY_EXISTS, "REQUEST_ID_REUSED", create)
        removal = {"member_id": self.company.create_member(self.unique()).member_id, "request_id": str(uuid.uuid4())}
        self.company.owner_token(removal["member_id"])
        first, second = self.company.remove(**removal), self.company.remove(**removal)
        self.assertEqual((first.token_count, first.token_ids, first.member),
                         (second.token_count, second.token_ids, second.member))
        self.assertEqual(first.token_count, 1)


def at_once(*calls):
    """What became of each, made at the same moment: "OK" or the reason."""
    outcomes, ready = [None] * len(calls), threading.Barrier(len(calls))

    def run(index, call):
        ready.wait()
        try:
            call()
            outcomes[index] = "OK"
        except grpc.RpcError as error:
            outcomes[index] = error_info(error).reason

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    unittest.main()
