"""Log-ins: who may make them for whom, from where a person may log in, what is recorded, and how log-ins end."""

import concurrent.futures
import threading
import unittest
import uuid

import grpc

from latchkey_test import Client, error_info, uuid_of_id
from latchkey_test.row_lock import RowLock

from login_case import LISTED, UNLISTED, LoginCase, decision_pb2, token_pb2, typeid

API, UI = decision_pb2.CHANNEL_API, decision_pb2.CHANNEL_UI
DENIED, INVALID = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT
ABSENT, UNFIT = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION
HOUR = 60 * 60


class Creation(LoginCase):
    def lifetime(self, created):
        return created.login_token.expires_at.ToMilliseconds() - created.login_token.created_at.ToMilliseconds()

    def test_a_login_token_is_all_that_its_member_is(self):
        member, _ = self.new_member()
        created = self.log_in(member_id=member, client_ip="::ffff:203.0.113.9", user_agent="Firefox")
        token = created.login_token
        self.assertEqual((len(created.secret), created.secret[:3]), (55, "lkl"))
        self.assertEqual((token.member_id, token.client_ip, token.user_agent, token.channel, token.state),
                         (member, "203.0.113.9", "Firefox", UI, token_pb2.TOKEN_STATE_ACTIVE))
        with self.deployment.anybody(created.secret) as person:
            caller = person.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        self.assertEqual((caller.member_id, caller.kind, caller.token_id),
                         (member, decision_pb2.TOKEN_KIND_LOGIN, token.token_id))

    def test_it_lives_three_hours_or_what_the_policy_says(self):
        member, _ = self.new_member()
        self.assertEqual(self.lifetime(self.log_in(member_id=member)), 3 * HOUR * 1000)
        self.execute(f"UPDATE latchkey.company SET login_lifetime_ms = 60000 WHERE company_id = '{self.company_uuid}'")
        self.addCleanup(self.execute, "UPDATE latchkey.company SET login_lifetime_ms = NULL "
                                      f"WHERE company_id = '{self.company_uuid}'")
        self.assertEqual(self.lifetime(self.log_in(member_id=member)), 60000)

    def test_a_person_is_named_by_id_or_e_mail_or_identity(self):
        member, _ = self.new_member("Ada.Lovelace@example.com", issuer="https://id.example", subject="ada")
        for name in ({"member_id": member}, {"email": "ADA.lovelace@EXAMPLE.com"},
                     {"issuer": "https://id.example", "subject": "ada"}):
            self.assertEqual(self.log_in(**name).login_token.member_id, member)

    def test_an_address_that_only_folds_to_a_member_s_is_another_s(self):
        """The Kelvin sign is a k in small letters, a dotted capital I an i: who has such an address is somebody else."""
        self.new_member("mike@example.com")
        self.assertTrue(self.log_in(email="MIKE@Example.COM").secret)
        for email in ("mi\u212ae@example.com", "m\u0130ke@example.com"):
            self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda e=email: self.log_in(email=e))

    def test_a_person_who_is_not_there_is_not_found(self):
        for name in ({"member_id": typeid("mbr", str(uuid.uuid4()))}, {"email": "nobody@example.com"},
                     {"issuer": "https://id.example", "subject": "nobody"}):
            self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda fields=name: self.log_in(**fields))

    def test_every_bad_field_is_named_at_once(self):
        member, _ = self.new_member()
        self.assert_bad_fields(lambda: self.log_in(member_id="mbr_1", client_ip="010.0.0.1", channel=7, request_id="1"),
                               "member_id", "client_ip", "channel", "request_id")
        self.assert_bad_fields(lambda: self.log_in(), "member_id")
        self.assert_bad_fields(lambda: self.log_in(member_id=member, email="a@example.com"), "member_id")
        self.assert_bad_fields(lambda: self.log_in(member_id=member, issuer="https://id.example", subject="ada"), "member_id")
        self.assert_bad_fields(lambda: self.log_in(issuer="https://id.example"), "subject")
        self.assert_bad_fields(lambda: self.log_in(subject="ada"), "issuer")

    def test_a_long_agent_is_cut_between_characters(self):
        member, _ = self.new_member()
        created = self.log_in(member_id=member, user_agent="ü" * 501)
        self.assertEqual(created.login_token.user_agent, "ü" * 500)

    def test_a_repeated_request_makes_one_log_in_and_withholds_its_secret(self):
        member, _ = self.new_member()
        request_id = str(uuid.uuid4())
        first = self.log_in(member_id=member, request_id=request_id)
        again = self.log_in(member_id=member, request_id=request_id)
        self.assertEqual((again.login_token.token_id, again.secret, again.secret_withheld),
                         (first.login_token.token_id, "", True))
        self.assertEqual(len(self.authentications(member_id=member)), 1)


class Callers(LoginCase):
    def test_who_checks_passwords_acts_for_any_company_but_does_nothing_else(self):
        number = self.new_company()
        theirs, _ = self.new_member(company=number)
        ours, _ = self.new_member()
        self.assertEqual(self.log_in(member_id=ours).login_token.member_id, ours)
        with self.check_for(typeid("cmp", number)) as checker:
            self.assertEqual(self.log_in(checker, member_id=theirs).login_token.member_id, theirs)
            self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda: self.log_in(checker, member_id=ours))
            for method, request in (("ListAccessTokens", token_pb2.ListAccessTokensRequest()),
                                    ("GetCaller", token_pb2.GetCallerRequest()),
                                    ("ListRecentAuthentications", token_pb2.ListRecentAuthenticationsRequest())):
                self.assert_refused(DENIED, "PERMISSION_MISSING",
                                    lambda m=method, r=request: getattr(checker.tokens, m)(r, timeout=10))

    def test_a_company_s_own_system_makes_log_ins_for_that_company_alone(self):
        self.execute("INSERT INTO latchkey.role (role_id, company_id, name, permissions) VALUES "
                     f"(gen_random_uuid(), '{self.company_uuid}', 'checks', ARRAY['latchkey.logins.create'])")
        self.execute("INSERT INTO latchkey.member_role SELECT r.company_id, "
                     f"'{uuid_of_id(self.own.member_id)}', r.role_id FROM latchkey.role r WHERE r.name = 'checks'")
        secret = self.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="checks"),
                                                             timeout=20)
        self.execute("UPDATE latchkey.token SET permissions = ARRAY['latchkey.logins.create'] WHERE token_id = "
                     f"'{uuid_of_id(secret.access_token.token_id)}'")
        member, _ = self.new_member()
        with self.deployment.anybody(secret.secret) as own:
            self.assertEqual(self.log_in(own, member_id=member).login_token.member_id, member)
        number = self.new_company()
        with Client(self.deployment.server.address, secret.secret, typeid("cmp", number)) as foreign:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.log_in(foreign, member_id=member))

    def test_administrators_can_t_make_log_ins(self):
        member, _ = self.new_member()
        self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.log_in(self.administrator, member_id=member))

    def test_nobody_makes_log_ins_for_the_operator_s_own_members(self):
        caller = self.operator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        with self.deployment.anybody(self.checker_secret) as at_home:
            self.assert_refused(DENIED, "OPERATOR_MEMBER", lambda: self.log_in(at_home, member_id=caller.member_id))
        self.assert_refused(DENIED, "OPERATOR_MEMBER", lambda: self.log_in(self.operator, member_id=caller.member_id))


class Refusals(LoginCase):
    def refused(self, reason, member, code=DENIED, **fields):
        """The ErrorInfo's metadata of a log-in that is refused."""
        return error_info(self.assert_refused(code, reason, lambda: self.log_in(member_id=member, **fields))).metadata

    def rows(self, member):
        return [(decision_pb2.Reason.Name(row.refused_reason), row.client_ip, row.count)
                for row in self.authentications(member_id=member)]

    def test_the_company_s_whitelist_refuses_whatever_its_scope(self):
        member, _ = self.new_member()
        for scope in (1, 2):
            self.whitelist("203.0.113.0/24", scope=scope)
            self.log_in(member_id=member)
            self.assertEqual(dict(self.refused("COMPANY_IP_NOT_LISTED", member, client_ip=UNLISTED)),
                             {"clientIp": UNLISTED, "nearestEntry": "203.0.113.0/24"})
            self.refused("COMPANY_IP_NOT_LISTED", member, client_ip="")

    def test_a_whitelist_that_is_off_refuses_nobody(self):
        member, _ = self.new_member()
        self.whitelist("203.0.113.0/24", enabled=False)
        self.log_in(member_id=member, client_ip=UNLISTED)
        self.log_in(member_id=member, client_ip="")

    def test_an_entry_that_is_disabled_or_has_ended_is_named_as_such(self):
        member, _ = self.new_member()
        self.whitelist("203.0.113.0/24")
        for change in ("disabled = true", "disabled = false, expires_at = now() - interval '1 second'"):
            self.execute(f"UPDATE latchkey.whitelist_entry SET {change} WHERE cidr = '203.0.113.0/24'")
            error = self.assert_refused(DENIED, "COMPANY_IP_NOT_LISTED", lambda: self.log_in(member_id=member))
            self.assertIn("disabled or has ended", error.details())

    def test_the_member_s_own_list_refuses_too(self):
        member, _ = self.new_member(ips=["203.0.113.0/28", "2001:db8::/32"])
        self.log_in(member_id=member, client_ip="2001:db8::1")
        self.assertEqual(dict(self.refused("MEMBER_IP_NOT_LISTED", member, client_ip="203.0.113.200")),
                         {"clientIp": "203.0.113.200", "nearestEntry": "203.0.113.0/28"})
        self.refused("MEMBER_IP_NOT_LISTED", member, client_ip="")

    def test_a_suspended_company_and_a_removed_member_can_t_log_in(self):
        member, number = self.new_member("gone@example.com", issuer="https://id.example", subject="gone")
        self.execute(f"UPDATE latchkey.company SET suspended = true WHERE company_id = '{self.company_uuid}'")
        try:
            self.refused("COMPANY_SUSPENDED", member, UNFIT)
        finally:
            self.execute(f"UPDATE latchkey.company SET suspended = false WHERE company_id = '{self.company_uuid}'")
        self.execute(f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'")
        for name in ({"member_id": member}, {"email": "gone@example.com"},
                     {"issuer": "https://id.example", "subject": "gone"}):
            self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda fields=name: self.log_in(**fields))
        self.assertEqual({row[0] for row in self.rows(member)}, {"REASON_COMPANY_SUSPENDED", "REASON_MEMBER_REMOVED"})

    def log_in_behind_a_lock(self, number, statement, **fields):
        """A log-in that comes while its member is held by who then runs the statement."""
        with RowLock(self.deployment, f"member WHERE member_id = '{number}'", "UPDATE") as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(self.log_in, **fields)
            lock.wait_for_others(1)
            lock.release(statement)
            return waiting.result()

    def test_who_is_removed_while_a_log_in_waits_can_t_log_in(self):
        for name in ("member_id", "email", "subject"):
            member, number = self.new_member(f"{name}@example.com", issuer="https://id.example", subject=name)
            fields = {"member_id": {"member_id": member}, "email": {"email": f"{name}@example.com"},
                      "subject": {"issuer": "https://id.example", "subject": name}}[name]
            remove = f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'"
            with self.subTest(name):
                self.assert_refused(UNFIT, "MEMBER_REMOVED",
                                    lambda r=remove, n=number, f=fields: self.log_in_behind_a_lock(n, r, **f))
                self.assertEqual([row[0] for row in self.rows(member)], ["REASON_MEMBER_REMOVED"])

    def test_a_log_in_that_waits_for_its_member_can_be_cancelled(self):
        member, number = self.new_member()
        request = token_pb2.CreateLoginTokenRequest(member_id=member, client_ip=LISTED)
        with RowLock(self.deployment, f"member WHERE member_id = '{number}'", "UPDATE") as lock:
            waiting = self.checker.tokens.CreateLoginToken.future(request, timeout=120)
            lock.wait_for_others(1)
            waiting.cancel()
            lock.wait_for_others(0)
        self.assertEqual(self.rows(member), [])

    def test_an_address_beside_an_identity_is_nobody_s_whom_the_issuer_knows_as_another(self):
        """Else who was given the old address of a member, or took it at the provider, would be that member."""
        here, there = "https://id.example", "https://other.example"
        bound, _ = self.new_member("bound@example.com", issuer=here, subject="bound")
        free, _ = self.new_member("free@example.com")
        foreign, _ = self.new_member("foreign@example.com", issuer=there, subject="s-1")
        gone, number = self.new_member("left@example.com", issuer=here, subject="left")
        self.execute(f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'")
        for subject, email, member in (("bound", "elsewhere@example.com", bound), ("bound", "free@example.com", bound),
                                       ("s-2", "FREE@example.com", free), ("s-1", "foreign@example.com", foreign)):
            self.assertEqual(self.log_in(issuer=here, subject=subject, email=email).login_token.member_id, member, (subject, email))
        self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda: self.log_in(issuer=here, subject="s-2", email="bound@example.com"))
        self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda: self.log_in(issuer=here, subject="s-2", email="nobody@example.com"))
        for subject, email in (("left", "free@example.com"), ("s-2", "left@example.com")):
            self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda s=subject, e=email: self.log_in(issuer=here, subject=s, email=e))
        self.assertEqual([row[0] for row in self.rows(gone)], ["REASON_MEMBER_REMOVED"])

    def remove(self, number):
        self.execute(f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'")

    def test_who_was_removed_and_is_a_member_again_logs_in_by_the_identity_of_before(self):
        here, email = "https://id.example", "ada.again@example.com"
        identity = {"issuer": here, "subject": "ada-again"}
        left = []
        for _ in range(3):  # the identity stands on the first alone: nobody who invites knows it
            member, number = self.new_member(email, **({} if left else identity))
            self.assertEqual(self.log_in(**identity, email=email.upper()).login_token.member_id, member)
            if left:  # nobody vouches for the address, and the identity alone is of who was removed
                self.refuse_as_removed("ada-again", "")
            self.remove(number)
            left.append(member)
            for more in ({"email": email}, {}):
                self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda more=more: self.log_in(**identity, **more))
        # Whose identity it was sees who has tried.
        self.assertEqual([{row[0] for row in self.rows(member)} for member in left],
                         [{"REASON_UNSPECIFIED", "REASON_MEMBER_REMOVED"}, {"REASON_UNSPECIFIED"}, {"REASON_UNSPECIFIED"}])

    def test_who_was_removed_is_nobody_who_was_not_made_a_member_again(self):
        """Whatever addresses the provider vouches for by now."""
        here, other_issuer = "https://id.example", "https://other.example"
        before, before_number = self.new_member("before@example.com")
        _, number = self.new_member("gone.for.good@example.com", issuer=here, subject="gone-for-good")
        self.remove(number)
        since, _ = self.new_member("since@example.com")
        for email in ("before@example.com", "since@example.com", "gone.for.good@example.com", ""):
            self.refuse_as_removed("gone-for-good", email)
        # One who has been there all along has the address now.
        self.execute(f"UPDATE latchkey.member SET email = 'gone.for.good@example.com' WHERE member_id = '{before_number}'")
        self.refuse_as_removed("gone-for-good", "gone.for.good@example.com")
        for subject, email, member in (("new", "gone.for.good@example.com", before), ("new", "since@example.com", since)):
            self.assertEqual(self.log_in(issuer=here, subject=subject, email=email).login_token.member_id, member)
        # The same subject of another issuer is another person.
        self.assertEqual(self.log_in(issuer=other_issuer, subject="gone-for-good", email="since@example.com").login_token.member_id, since)

    def test_an_address_that_went_to_somebody_whom_the_issuer_knows_is_not_that_of_who_had_it(self):
        _, number = self.new_member("desk@example.com", issuer="https://id.example", subject="desk-1")
        self.remove(number)
        new, _ = self.new_member("desk@example.com", issuer="https://id.example", subject="desk-2")
        self.refuse_as_removed("desk-1", "desk@example.com")
        self.assertEqual(self.log_in(issuer="https://id.example", subject="desk-2").login_token.member_id, new)

    def test_of_several_removals_the_last_one_counts(self):
        identity = {"issuer": "https://id.example", "subject": "twice"}
        for email in ("twice.first@example.com", "twice.last@example.com"):
            _, number = self.new_member(email, **identity)
            self.remove(number)
        self.new_member("twice.first@example.com")
        self.refuse_as_removed("twice", "twice.first@example.com")
        last, _ = self.new_member("twice.last@example.com")
        self.assertEqual(self.log_in(**identity, email="twice.last@example.com").login_token.member_id, last)

    def test_what_another_company_removed_or_made_changes_nothing_here(self):
        identity = {"issuer": "https://id.example", "subject": "of-two"}
        other = self.new_company()
        there = self.enter(self.check_for(typeid("cmp", other)))
        here, number = self.new_member("of.two@example.com")
        _, number_there = self.new_member("of.two@example.com", company=other, **identity)
        self.remove(number_there)
        self.assertEqual(self.log_in(**identity, email="of.two@example.com").login_token.member_id, here)
        self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda: self.log_in(there, **identity, email="of.two@example.com"))
        self.execute(f"UPDATE latchkey.member SET issuer = 'https://id.example', subject = 'of-two' WHERE member_id = '{number}'")
        self.remove(number)
        again_there, _ = self.new_member("of.two@example.com", company=other)
        self.refuse_as_removed("of-two", "of.two@example.com")
        self.assertEqual(self.log_in(there, **identity, email="of.two@example.com").login_token.member_id, again_there)

    def test_who_is_removed_again_while_a_log_in_waits_can_t_log_in(self):
        identity = {"issuer": "https://id.example", "subject": "again-and-gone"}
        _, number = self.new_member("again.and.gone@example.com", **identity)
        self.remove(number)
        _, number = self.new_member("again.and.gone@example.com")
        self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda: self.log_in_behind_a_lock(
            number, f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'", **identity,
            email="again.and.gone@example.com"))

    def refuse_as_removed(self, subject, email):
        self.assert_refused(UNFIT, "MEMBER_REMOVED", lambda: self.log_in(issuer="https://id.example", subject=subject, email=email))

    def test_whoever_came_back_under_an_old_address_is_the_one_who_is_there(self):
        old, number = self.new_member("back@example.com")
        self.execute(f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{number}'")
        new, _ = self.new_member("back@example.com")
        self.assertEqual(self.log_in(email="back@example.com").login_token.member_id, new)
        self.assertNotEqual(old, new)

    def test_a_refusal_is_recorded_and_audited(self):
        member, number = self.new_member(ips=["203.0.113.0/28"])
        self.refused("MEMBER_IP_NOT_LISTED", member, client_ip=UNLISTED, user_agent="curl")
        (row,) = self.authentications(member_id=member)
        self.assertEqual((row.member_id, row.client_ip, row.user_agent, row.count, row.HasField("login_token")),
                         (member, UNLISTED, "curl", 1, False))
        self.assertEqual(row.refused_reason, decision_pb2.REASON_MEMBER_IP_NOT_LISTED)
        events = self.execute("SELECT action, after ->> 'reason' FROM latchkey.audit_event "
                              f"WHERE object_id = '{member}' AND company_id = '{self.company_uuid}'")
        self.assertEqual(events, [("login.refused", "MEMBER_IP_NOT_LISTED")])
        self.assertEqual(self.execute(f"SELECT count(*) FROM latchkey.token WHERE member_id = '{number}'"), [(0,)])

    def test_a_refused_request_that_is_repeated_is_decided_anew(self):
        member, number = self.new_member(ips=["203.0.113.0/28"])
        request_id = str(uuid.uuid4())
        self.refused("MEMBER_IP_NOT_LISTED", member, client_ip=UNLISTED, request_id=request_id)
        self.execute(f"UPDATE latchkey.member SET allowed_ips = '{{}}' WHERE member_id = '{number}'")
        self.assertEqual(len(self.log_in(member_id=member, client_ip=UNLISTED, request_id=request_id).secret), 55)


class Flood(LoginCase):
    def test_a_flood_grows_the_list_by_a_few_rows_a_minute(self):
        member, number = self.new_member(ips=["203.0.113.0/28"])
        addresses = [f"198.51.100.{i}" for i in range(60)] + [UNLISTED] * 20

        def flood(own):
            for address in own:
                with self.assertRaises(grpc.RpcError):
                    self.log_in(member_id=member, client_ip=address)

        threads = [threading.Thread(target=flood, args=(addresses[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = self.execute("SELECT count(*), sum(count), count(DISTINCT minute) FROM latchkey.login_refusal "
                            f"WHERE member_id = '{number}'")
        count, total, minutes = rows[0]
        self.assertEqual(total, len(addresses))
        self.assertLessEqual(count, 25 * minutes)  # 20 addresses, those without, and what four at once may add
        self.assertIn("", {row.client_ip for row in self.authentications(member_id=member)})


class Listing(LoginCase):
    def test_log_ins_and_refusals_come_newest_first(self):
        member, _ = self.new_member(ips=["203.0.113.0/24"])
        made = []
        for address in (LISTED, UNLISTED, "203.0.113.8", "198.51.100.8", "203.0.113.9"):
            try:
                self.log_in(member_id=member, client_ip=address)
            except grpc.RpcError:
                pass
            made.append(address)
        rows = self.authentications(member_id=member)
        self.assertEqual([row.client_ip for row in rows], made[::-1])
        self.assertEqual([row.HasField("login_token") for row in rows], [True, False, True, False, True])
        times = [row.at.ToMilliseconds() for row in rows]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_everybody_sees_their_own_and_only_the_permitted_see_all(self):
        (mine, _), (other, _) = self.new_member(), self.new_member()
        self.log_in(member_id=other)
        with self.deployment.anybody(self.log_in(member_id=mine).secret) as person:
            for fields in ({}, {"member_id": mine}):
                self.assertEqual({row.member_id for row in self.authentications(person, **fields)}, {mine})
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.authentications(person, member_id=other))
        self.assertLessEqual({mine, other}, {row.member_id for row in self.authentications()})

    def test_a_company_s_token_without_the_permission_has_no_log_ins_of_its_own(self):
        secret = self.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of the company", company_owned=True, permissions=["charges.read"]), timeout=20).secret
        with self.deployment.anybody(secret) as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.authentications(client))

    def test_states_and_uses_are_told(self):
        member, _ = self.new_member()
        tokens = [self.log_in(member_id=member).login_token.token_id for _ in range(3)]
        self.execute("UPDATE latchkey.token SET created_at = now() - interval '2 h', expires_at = now() - interval '1 h' "
                     f"WHERE token_id = '{uuid_of_id(tokens[0])}'")
        self.execute("UPDATE latchkey.token SET deactivated_at = now() "
                     f"WHERE token_id = '{uuid_of_id(tokens[1])}'")
        self.execute("SELECT latchkey.token_use_record(array_agg(digest), ARRAY[now()], ARRAY['203.0.113.7'::inet], "
                     f"ARRAY['local']) FROM latchkey.token_secret WHERE token_id = '{uuid_of_id(tokens[2])}'")
        rows = {row.login_token.token_id: row.login_token for row in self.authentications(member_id=member)}
        self.assertEqual([rows[token].state for token in tokens],
                         [token_pb2.TOKEN_STATE_EXPIRED, token_pb2.TOKEN_STATE_DEACTIVATED,
                          token_pb2.TOKEN_STATE_ACTIVE])
        self.assertEqual([rows[token].HasField("last_used_at") for token in tokens], [False, False, True])


class Ends(LoginCase):
    def end(self, token_id, client=None):
        request = token_pb2.DeactivateLoginTokenRequest(token_id=token_id)
        return (client or self.administrator).tokens.DeactivateLoginToken(request, timeout=20).login_token

    def end_all(self, member_id, client=None):
        request = token_pb2.DeactivateMemberLoginsRequest(member_id=member_id)
        return (client or self.administrator).tokens.DeactivateMemberLogins(request, timeout=20).count

    def events(self, object_id):
        return [row[0] for row in self.execute("SELECT action FROM latchkey.audit_event WHERE object_id = "
                                               f"'{object_id}' ORDER BY number")]

    def test_an_ended_log_in_is_refused_and_ending_it_again_changes_nothing(self):
        member, _ = self.new_member()
        created = self.log_in(member_id=member)
        token_id = created.login_token.token_id
        for _ in range(2):
            self.assertEqual(self.end(token_id).state, token_pb2.TOKEN_STATE_DEACTIVATED)
        with self.deployment.anybody(created.secret) as person:
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED",
                                lambda: person.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10))
        self.assertEqual(self.events(token_id), ["login.created", "login.deactivated"])

    def test_an_expired_log_in_stays_expired(self):
        member, _ = self.new_member()
        token_id = self.log_in(member_id=member).login_token.token_id
        self.execute("UPDATE latchkey.token SET created_at = now() - interval '2 h', expires_at = now() - interval '1 h' "
                     f"WHERE token_id = '{uuid_of_id(token_id)}'")
        self.assertEqual(self.end(token_id).state, token_pb2.TOKEN_STATE_EXPIRED)
        self.assertEqual(self.end_all(member), 0)
        self.assertEqual(self.events(member), [])

    def test_everybody_may_end_their_own_and_nobody_else_s(self):
        (mine, _), (other, _) = self.new_member(), self.new_member()
        first, second = self.log_in(member_id=mine), self.log_in(member_id=mine)
        theirs = self.log_in(member_id=other).login_token.token_id
        with self.deployment.anybody(first.secret) as person:
            self.assertEqual(self.end(second.login_token.token_id, person).state, token_pb2.TOKEN_STATE_DEACTIVATED)
            for refused in (lambda: self.end(theirs, person), lambda: self.end_all(other, person),
                            lambda: self.end(typeid("tok", str(uuid.uuid4())), person)):
                self.assert_refused(DENIED, "PERMISSION_MISSING", refused)
            self.assertEqual(self.end_all(mine, person), 1)

    def test_all_of_a_member_s_end_together(self):
        member, _ = self.new_member()
        for _ in range(3):
            self.log_in(member_id=member)
        self.assertEqual([self.end_all(member), self.end_all(member)], [3, 0])
        self.assertEqual(self.events(member), ["member.logins_deactivated"])

    def test_what_is_not_there_or_another_company_s_is_not_found(self):
        access = self.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="no log-in"),
                                                             timeout=20).access_token.token_id
        number = self.new_company()
        foreign, _ = self.new_member(company=number)
        with self.check_for(typeid("cmp", number)) as checker:
            theirs = self.log_in(checker, member_id=foreign).login_token.token_id
        for token_id in (access, theirs, typeid("tok", str(uuid.uuid4()))):
            self.assert_refused(ABSENT, "TOKEN_NOT_FOUND", lambda bad=token_id: self.end(bad))
        self.assert_refused(ABSENT, "MEMBER_NOT_FOUND", lambda: self.end_all(foreign))
        self.assert_bad_fields(lambda: self.end("tok_1"), "token_id")
        self.assert_bad_fields(lambda: self.end_all("mbr_1"), "member_id")


if __name__ == "__main__":
    unittest.main()
