"""A token never exceeds its maker, also not by what changes later: the addresses of the maker's member, the names that a group
comes to cover, the owner whose secret a rotation shows, and the list that a token's old owner had."""

import concurrent.futures
import time
import unittest

import grpc

from latchkey_test import error_info, uuid_of_id
from latchkey_test.row_lock import RowLock
from member_case import EVERYTHING, MemberCase, member_pb2, token_pb2

DENIED = grpc.StatusCode.PERMISSION_DENIED
HERE, OFFICE, ELSEWHERE = "127.0.0.0/8", "198.51.100.0/24", "203.0.113.0/24"  # we call from the first
EXCEEDS = "GRANT_EXCEEDS_CALLER"
NAMES = ("charges.create", "charges.read")
WAIT = {"seconds": 20}


class GrantCase(MemberCase):
    def setUp(self):
        self.company = self.new_company()

    def new_administrator(self, *ips, email="bob@acme.example"):
        """(member, client of an access token of that member's, of a log-in)."""
        member = self.company.create_member(email, [self.company.administrator_role], allowed_ips=ips)
        return (member, *(self.company.client(self.company.owner_token(member.member_id, kind=kind)[1]) for kind in "al"))

    def create(self, client, permissions=("charges.read",), **fields):
        return client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of a test", permissions=permissions, **fields), timeout=20)

    def import_one(self, client, **fields):
        """The result of the one token."""
        number = getattr(self, "imported", 0) + 1
        self.imported = number
        return client.tokens.ImportAccessTokens(token_pb2.ImportAccessTokensRequest(tokens=[
            token_pb2.ImportedAccessToken(label="of a test", secret_sha256=bytes([number]) * 32, hint="old", **fields)]),
            timeout=20).results[0]

    def change(self, client, token_id, **fields):
        return client.tokens.UpdateAccessToken(token_pb2.UpdateAccessTokenRequest(
            access_token={"token_id": token_id, **fields}, update_mask={"paths": list(fields)}), timeout=20).access_token

    def rotate(self, client, token_id, **fields):
        return client.tokens.RotateAccessToken(token_pb2.RotateAccessTokenRequest(token_id=token_id, **fields), timeout=20)

    def assert_exceeds(self, call, *words):
        """Refused with a sentence that holds these words."""
        error = self.assert_refused(DENIED, EXCEEDS, call)
        for word in words:
            self.assertIn(word, error.details())
        return error_info(error).metadata


class OwnLists(GrantCase):
    """Where the maker may be as a member."""

    def test_a_company_token_is_good_from_nowhere_that_its_makers_own_list_is_not(self):
        _, access, login = self.new_administrator(HERE, OFFICE)
        for client in (access, login):
            for ips in ([], [ELSEWHERE], [OFFICE, "0.0.0.0/0"], ["198.51.100.0/23"]):
                told = self.assert_exceeds(lambda c=client, i=ips: self.create(c, company_owned=True, allowed_ips=i),
                                           "you have as a member", f"type addresses within {HERE}, {OFFICE}")
                self.assertIn("memberAllowedIps", told)
            self.create(client, company_owned=True, allowed_ips=["198.51.100.9", HERE])

    def test_a_members_own_token_needs_no_copy_of_the_list_that_binds_it(self):
        _, access, login = self.new_administrator(HERE)
        for client in (access, login):
            made = self.create(client, wait_for_validators=WAIT)
            self.assertEqual(list(made.access_token.allowed_ips), [])
            self.assertEqual(self.decide(made.secret, client_ip="203.0.113.7"), "MEMBER_IP_NOT_LISTED")

    def test_both_lists_bound_where_the_calling_token_has_one_too(self):
        member, _, _ = self.new_administrator(HERE, OFFICE)
        client = self.company.client(self.company.owner_token(member.member_id, allowed_ips=[HERE, ELSEWHERE])[1])
        self.assert_exceeds(lambda: self.create(client, company_owned=True, allowed_ips=[OFFICE]), "the token that you call with")
        self.assert_exceeds(lambda: self.create(client, company_owned=True, allowed_ips=[ELSEWHERE]), "you have as a member")
        self.assert_exceeds(lambda: self.create(client, allowed_ips=[OFFICE]), "the token that you call with")
        self.create(client, allowed_ips=[ELSEWHERE])
        self.create(client, company_owned=True, allowed_ips=["127.0.0.1"])

    def test_halves_of_a_range_are_the_range(self):
        halves = ["127.0.0.0/9", "127.128.0.0/9"]
        _, access, _ = self.new_administrator(*halves)
        self.assertEqual(list(self.create(access, company_owned=True, allowed_ips=[HERE]).access_token.allowed_ips), [HERE])
        self.assert_exceeds(lambda: self.create(access, company_owned=True, allowed_ips=["126.0.0.0/7"]), HERE)

    def test_long_lists_of_an_import_are_compared_with_a_long_one_at_once(self):
        """A hundred of them with 9 999 addresses take about as long as with two."""
        long = [HERE] + [f"10.{n >> 8}.{n & 255}.0/25" for n in range(9_998)] + ["::1"]
        took = {}
        for number, own in enumerate(([HERE, "::1"], long)):
            _, access, _ = self.new_administrator(*own, email=f"has-{len(own)}@acme.example")
            began = time.monotonic()
            results = access.tokens.ImportAccessTokens(token_pb2.ImportAccessTokensRequest(tokens=[
                token_pb2.ImportedAccessToken(label="of a test", secret_sha256=bytes([number, n]) * 16, hint="old", company_owned=True,
                                              permissions=["charges.read"], allowed_ips=["::1"] * 1900) for n in range(100)]),
                timeout=60).results
            took[len(own)] = time.monotonic() - began
            self.assertEqual({result.WhichOneof("result") for result in results}, {"access_token"})
        self.assertLess(took[len(long)], 4 * took[2] + 1)

    def test_an_imported_company_token_is_bounded_alike(self):
        _, access, _ = self.new_administrator(HERE)
        result = self.import_one(access, permissions=["charges.read"], company_owned=True)
        self.assertEqual(result.error.code, DENIED.value[0])
        self.assertIn("you have as a member", result.error.message)
        self.assertTrue(self.import_one(access, permissions=["charges.read"]).access_token.token_id)
        self.assertTrue(self.import_one(access, company_owned=True, allowed_ips=[HERE]).access_token.token_id)

    def test_a_company_token_or_anothers_is_not_widened_beyond_the_own_list(self):
        _, access, _ = self.new_administrator(HERE)
        others = self.company.owner_token(self.company.ada.member_id, allowed_ips=["127.0.0.1"])[0]
        companys = self.company.company_token(allowed_ips=["127.0.0.1"])[0].token_id
        for token_id in (others, companys):
            self.assert_exceeds(lambda t=token_id: self.change(access, t, allowed_ips=[]), "you have as a member")
            self.assertEqual(list(self.change(access, token_id, allowed_ips=[HERE]).allowed_ips), [HERE])
        far = self.company.company_token(["charges.create"], allowed_ips=[ELSEWHERE])[0].token_id
        self.assert_exceeds(lambda: self.change(access, far, permissions=NAMES), "you have as a member")
        self.assertEqual(list(self.change(access, far, permissions=[]).permissions), [])

    def test_a_company_token_that_reaches_beyond_the_own_list_is_not_rotated(self):
        _, access, _ = self.new_administrator(HERE)
        anywhere, here = self.company.company_token()[0], self.company.company_token(allowed_ips=["127.0.0.1"])[0]
        self.assert_exceeds(lambda: self.rotate(access, anywhere.token_id), "you have as a member")
        self.assertTrue(self.rotate(access, here.token_id).secret)

    def test_nobody_lets_himself_in_from_elsewhere(self):
        member, access, login = self.new_administrator(HERE, OFFICE)
        token = self.create(access, EVERYTHING, company_owned=True, allowed_ips=[HERE])
        for client, word in ((access, "as a member"), (login, "as a member"),
                             (self.company.client(token.secret), "the token that you call with")):
            for ips in ([], [HERE, OFFICE, ELSEWHERE], [HERE, "198.51.0.0/16"]):
                self.assert_exceeds(lambda c=client, i=ips: self.company.update(member.member_id, c, allowed_ips=i), word)
        self.assertEqual(self.company.get(member.member_id), member)
        self.company.update(member.member_id, access, allowed_ips=[HERE])
        self.company.update(member.member_id, self.company.administrator, allowed_ips=[])

    def test_nobody_lets_another_in_from_where_he_may_not_be(self):
        _, access, _ = self.new_administrator(HERE)
        eve = self.company.create_member("eve@acme.example", allowed_ips=[OFFICE])
        for ips in ([], [OFFICE, ELSEWHERE]):
            self.assert_exceeds(lambda i=ips: self.company.update(eve.member_id, access, allowed_ips=i), "as a member")
        self.company.update(eve.member_id, access, allowed_ips=[OFFICE, "127.0.0.1"])
        self.company.update(eve.member_id, access, allowed_ips=["198.51.100.7"])

    def test_a_new_member_may_be_let_in_from_anywhere(self):
        _, access, _ = self.new_administrator(HERE)
        self.assertEqual(list(self.company.create_member("eve@acme.example", client=access).allowed_ips), [])
        self.company.create_member("fay@acme.example", client=access, allowed_ips=[ELSEWHERE])

    def test_who_has_no_list_is_bounded_by_none(self):
        made = self.create(self.company.administrator, company_owned=True, allowed_ips=["0.0.0.0/0"])
        self.assertTrue(self.change(self.company.administrator, made.access_token.token_id, allowed_ips=[]).token_id)


class Groups(GrantCase):
    """A group covers names that nobody held when it was given."""

    def new_holder(self, *permissions, kind="l", email="bob@acme.example"):
        """A client of somebody who has a role of these permissions, and manages tokens and members."""
        role = self.company.create_role(f"role of {email}", [*permissions, "latchkey.tokens.*", "latchkey.members.*"])
        member = self.company.create_member(email, [role.role_id])
        return self.company.client(self.company.owner_token(member.member_id, kind=kind)[1])

    def test_all_names_of_a_group_are_not_the_group(self):
        client = self.new_holder(*NAMES)
        for owner in (False, True):
            told = self.assert_exceeds(lambda o=owner: self.create(client, ["charges.*"], company_owned=o),
                                       "type the names instead: charges.create, charges.read")
            self.assertEqual(told["groups"], "charges.*")
            self.create(client, NAMES, company_owned=owner)

    def test_who_holds_the_group_by_role_gives_it(self):
        client = self.new_holder("charges.*")
        self.create(client, ["charges.*"], company_owned=True)
        self.create(client, ["latchkey.tokens.*"])
        self.assert_exceeds(lambda: self.create(client, ["latchkey.*"]))

    def test_token_and_owner_must_both_hold_it(self):
        role = self.company.create_role("names", [*NAMES, "latchkey.tokens.*"])
        member = self.company.create_member("names@acme.example", [role.role_id])
        by_token = self.company.client(self.company.owner_token(member.member_id)[1])
        by_owner = self.company.client(self.company.owner_token(
            self.company.ada.member_id, [*NAMES, "latchkey.tokens.manage"])[1])
        for client in (by_token, by_owner):
            self.assert_exceeds(lambda c=client: self.create(c, ["charges.*"]), "type the names instead")
            self.create(client, NAMES)
        self.create(self.company.administrator, ["charges.*"])

    def test_an_administrator_who_has_logged_in_gives_the_group_of_every_resource(self):
        _, _, login = self.new_administrator()
        self.create(login, EVERYTHING, company_owned=True)

    def test_a_company_token_gives_the_groups_that_it_has(self):
        client = self.company.client(self.company.company_token([*NAMES, "refunds.*", "latchkey.tokens.manage"])[1])
        self.assert_exceeds(lambda: self.create(client, ["charges.*"], company_owned=True))
        self.create(client, ["refunds.*", *NAMES], company_owned=True)

    def test_an_imported_group_is_bounded_alike(self):
        client = self.new_holder(*NAMES)
        self.assertEqual(self.import_one(client, permissions=["charges.*"]).error.code, DENIED.value[0])
        self.assertTrue(self.import_one(client, permissions=NAMES).access_token.token_id)

    def test_a_token_does_not_turn_its_names_into_the_group(self):
        client = self.new_holder(*NAMES)
        names = self.create(client, NAMES).access_token.token_id
        self.assert_exceeds(lambda: self.change(client, names, permissions=["charges.*"]), "type the names instead")
        group = self.create(self.company.administrator, ["charges.*"], company_owned=True).access_token.token_id
        self.assertEqual(list(self.change(client, group, permissions=NAMES).permissions), list(NAMES))

    def test_a_token_that_has_a_group_is_not_rotated_by_who_holds_names(self):
        client = self.new_holder(*NAMES)
        group = self.create(self.company.administrator, ["charges.*"], company_owned=True).access_token.token_id
        self.assert_exceeds(lambda: self.rotate(client, group))

    def test_a_role_gets_a_group_from_who_holds_it(self):
        client, holder = self.new_holder(*NAMES), self.new_holder("charges.*", email="eve@acme.example")
        self.assert_exceeds(lambda: self.company.create_role("all", ["charges.*"], client),
                            "give the names instead: charges.create, charges.read")
        role = self.company.create_role("all", NAMES, client)
        self.assert_exceeds(lambda: self.company.update_role(role.role_id, client, permissions=["charges.*"]))
        self.company.update_role(role.role_id, holder, permissions=["charges.*"])
        self.company.update_role(role.role_id, client, permissions=["charges.*", "charges.read"])  # what is there may stay

    def test_a_role_that_has_a_group_is_given_by_who_holds_it(self):
        client, holder = self.new_holder(*NAMES), self.new_holder("charges.*", email="eve@acme.example")
        role = self.company.create_role("all", ["charges.*"])
        member = self.company.create_member("fay@acme.example")
        for call in (lambda c: self.company.create_member("gus@acme.example", [role.role_id], c),
                     lambda c: self.company.update(member.member_id, c, role_ids=[role.role_id])):
            self.assert_exceeds(lambda f=call: f(client), "the role all")
            call(holder)

    def test_the_administrator_is_made_by_who_holds_the_group_of_every_resource(self):
        by_name = [p.name for p in self.company.operator.tokens.ListPermissions(
            token_pb2.ListPermissionsRequest(page_size=1000), timeout=20).permissions]
        role = self.company.operator.members.ListRoles(member_pb2.ListRolesRequest(), timeout=20).roles[0]
        self.assertLessEqual(set(role.permissions), set(by_name))
        client = self.company.client(self.company.company_token(role.permissions)[1])
        wanted = [self.company.administrator_role]
        told = self.assert_exceeds(lambda: self.company.create_member("bob@acme.example", wanted, client), "administrator")
        self.assertEqual(told["groups"], "charges.*, customers.*, latchkey.*, refunds.*")
        for most in (EVERYTHING[:2] + tuple(role.permissions), EVERYTHING):
            client = self.company.client(self.company.company_token(sorted(most))[1])
            if most == EVERYTHING:
                self.company.create_member("bob@acme.example", wanted, client)
            else:
                self.assert_exceeds(lambda c=client: self.company.create_member("bob@acme.example", wanted, c))
        _, _, login = self.new_administrator(email="eve@acme.example")
        self.company.create_member("fay@acme.example", wanted, login)

    def test_a_hand_over_that_lets_a_group_grow_is_a_grant_like_any_other(self):
        names = self.company.create_role("names", NAMES)
        member = self.company.create_member("leaver@acme.example", [names.role_id])
        self.company.owner_token(member.member_id, ["charges.*"])
        client = self.new_holder(*NAMES)
        for to in (self.company.id, self.company.ada.member_id):
            told = self.assert_exceeds(lambda t=to: self.company.remove(member.member_id, client, transfer_tokens_to=t),
                                       "can't hand over")
            self.assertEqual(told["groups"], "charges.*")
        heir = self.company.create_member("heir@acme.example", [names.role_id])
        self.assertEqual(self.company.remove(member.member_id, client, transfer_tokens_to=heir.member_id).token_count, 1)


class Rotations(GrantCase):
    """Whoever rotates a token has its secret."""

    def test_a_members_token_is_not_rotated_by_another_member(self):
        token_id, secret = self.company.owner_token(self.company.ada.member_id, ["charges.read"])
        _, access, login = self.new_administrator()
        companys = self.company.client(self.company.company_token()[1])
        for client in (access, login, companys):
            for supersede in (False, True):
                error = self.assert_refused(DENIED, "ROTATE_OTHERS_TOKEN", lambda c=client, s=supersede: self.rotate(
                    c, token_id, supersede=s))
                for word in ("deactivate", self.company.ada.member_id):
                    self.assertIn(word, error.details())
        self.assertEqual(self.company.count("token_secret", f"token_id = '{uuid_of_id(token_id)}'"), 1)

    def test_it_is_rotated_by_itself_and_by_its_own_member(self):
        member, access, login = self.new_administrator()
        token_id, secret = self.company.owner_token(member.member_id, ["charges.read"])
        for client in (self.company.client(secret), access, login):
            secret = self.rotate(client, token_id, wait_for_validators=WAIT).secret
            self.assertEqual(self.decide(secret, "charges.read"), "OK")
        self.rotate(login, token_id, supersede=True)

    def test_it_is_rotated_by_an_operator_who_acts(self):
        token_id, _ = self.company.owner_token(self.company.ada.member_id)
        self.assertTrue(self.rotate(self.company.operator, token_id).secret)

    def test_a_company_token_is_rotated_by_every_manager_within_his_rights(self):
        token = self.company.company_token(["charges.read"])[0]
        _, access, login = self.new_administrator()
        for client in (access, login, self.company.client(self.company.company_token()[1])):
            self.assertTrue(self.rotate(client, token.token_id).secret)

    def test_nobody_makes_or_imports_a_token_for_another_member(self):
        for message in (token_pb2.CreateAccessTokenRequest, token_pb2.ImportedAccessToken):
            self.assertFalse([f.name for f in message.DESCRIPTOR.fields if "member" in f.name or "owner" in f.name])
        member, access, _ = self.new_administrator()
        self.assertEqual(self.create(access).access_token.member_id, member.member_id)
        self.assertEqual(self.import_one(access).access_token.member_id, member.member_id)


class HandedOver(GrantCase):
    """The list of addresses of a token's old owner."""

    def leave(self, ips, *lists, **fields):
        """The answer of a removal that hands tokens with these lists over to the company, the tokens' ids and secrets."""
        member = self.company.create_member("leaver@acme.example", [self.company.administrator_role], allowed_ips=ips)
        made = [self.company.owner_token(member.member_id, allowed_ips=one) for one in lists]
        fields = {"transfer_tokens_to": self.company.id, **fields}
        return self.company.remove(member.member_id, **fields), made

    def find(self, token_id):
        return self.company.operator.tokens.GetAccessToken(token_pb2.GetAccessTokenRequest(token_id=token_id),
                                                           timeout=20).access_token

    def test_a_token_keeps_what_its_list_and_its_old_owners_share(self):
        cases = (([], [OFFICE, "2001:db8::/32"]), (["198.51.100.7"], ["198.51.100.7/32"]),
                 (["198.51.0.0/16"], [OFFICE]), (["0.0.0.0/0"], [OFFICE]),
                 (["198.51.100.7", ELSEWHERE], ["198.51.100.7/32"]), (["2001:db8:1::/48", "::1"], ["2001:db8:1::/48"]),
                 (["198.51.100.64/26", "198.51.0.0/16"], [OFFICE]))
        removed, made = self.leave([OFFICE, "2001:db8::/32"], *(case[0] for case in cases))
        for (token_id, _), (before, after) in zip(made, cases):
            with self.subTest(before):
                self.assertEqual(set(self.find(token_id).allowed_ips), set(after))
        self.assertEqual((removed.token_count, removed.narrowed_count, removed.unreachable_count), (7, 6, 0))

    def test_the_secret_works_from_nowhere_that_it_did_not_before(self):
        heir = self.company.create_member("heir@acme.example", [self.company.administrator_role])
        for to in (self.company.id, heir.member_id):
            _, ((_, secret),) = self.leave([OFFICE], [], transfer_tokens_to=to, wait_for_validators=WAIT)
            self.assertEqual((self.decide(secret, "charges.read", client_ip="198.51.100.7"),
                              self.decide(secret, "charges.read", client_ip="203.0.113.7")), ("OK", "TOKEN_IP_NOT_LISTED"))

    def test_a_token_that_no_address_is_left_for_ends(self):
        removed, ((ended, secret), (kept, _)) = self.leave([OFFICE], [ELSEWHERE, "2001:db8::1"], [OFFICE],
                                                           wait_for_validators=WAIT)
        self.assertEqual((removed.token_count, removed.narrowed_count, removed.unreachable_count), (2, 0, 1))
        token = self.find(ended)
        self.assertEqual((token.state, token.deactivate_reason, token.member_id),
                         (token_pb2.TOKEN_STATE_DEACTIVATED, token_pb2.DEACTIVATE_REASON_POLICY, ""))
        self.assertIn("no address", token.deactivate_note)
        self.assertEqual(list(token.allowed_ips), [ELSEWHERE, "2001:db8::1/128"])
        self.assertEqual(self.decide(secret, client_ip="203.0.113.7"), "DEACTIVATED")
        self.assertEqual(self.company.token_states()[kept], ("", "ACTIVE"))

    def test_without_a_list_of_the_old_owners_the_tokens_stay_as_they_are(self):
        removed, ((token_id, _), (other, _)) = self.leave([], [], [ELSEWHERE])
        self.assertEqual((removed.narrowed_count, removed.unreachable_count), (0, 0))
        self.assertEqual((list(self.find(token_id).allowed_ips), list(self.find(other).allowed_ips)), ([], [ELSEWHERE]))

    def test_a_dry_run_says_it_and_changes_nothing(self):
        removed, made = self.leave([OFFICE], [], [ELSEWHERE], [OFFICE], dry_run=True)
        self.assertEqual((removed.token_count, removed.narrowed_count, removed.unreachable_count), (3, 1, 1))
        self.assertEqual([list(self.find(token_id).allowed_ips) for token_id, _ in made], [[], [ELSEWHERE], [OFFICE]])

    def test_one_whose_list_would_get_too_long_is_told_before_and_keeps_its_owner(self):
        lists = [[f"{own}.0.0.0/8"] + [f"{other}.{n >> 8}.{n & 255}.0/24" for n in range(6000)]
                 for own, other in ((10, 11), (11, 10))]
        member = self.company.create_member("leaver@acme.example", [self.company.administrator_role], allowed_ips=lists[0])
        token_id, _ = self.company.owner_token(member.member_id, allowed_ips=lists[1])
        for dry_run in (True, False):
            error = self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "TOKEN_LIST_TOO_LONG", lambda dry_run=dry_run:
                                        self.company.remove(member.member_id, transfer_tokens_to=self.company.id, dry_run=dry_run))
            self.assertIn(token_id, error.details())
        self.assertEqual(self.company.remove(member.member_id).token_count, 1)

    def test_long_lists_are_handed_over_in_the_time_of_a_call(self):
        first, second, around = ([f"10.{n >> 8}.{n & 255}.{rest}" for n in range(10_000)]
                                 for rest in ("0/26", "64/26", "0/25"))
        removed, _ = self.leave(first, first, around, second, around)
        self.assertEqual((removed.token_count, removed.narrowed_count, removed.unreachable_count), (4, 2, 1))

    def test_the_audit_log_counts_them(self):
        self.leave([OFFICE], [], [ELSEWHERE])
        (after,) = self.deployment.execute("SELECT after FROM latchkey.audit_event WHERE action = 'member.tokens_transferred' "
                                           f"AND company_id = '{self.company.uuid}'")[0]
        self.assertEqual((after["token_count"], after["narrowed_count"], after["unreachable_count"]), (2, 1, 1))


class Meanwhile(GrantCase):
    """What bounds the caller changes while its call waits for the row that it is to change or to refer to."""

    def change_behind_a_lock(self, client, statement, **fields):
        """Lets `client` widen a token of the company's, whose row is locked until the statement has run."""
        token_id = self.company.company_token(NAMES, allowed_ips=["127.0.0.1"])[0].token_id
        with RowLock(self.deployment, f"token WHERE token_id = '{uuid_of_id(token_id)}'") as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            call = pool.submit(self.change, client, token_id, **fields)
            lock.wait_for_others(1)
            self.deployment.execute(statement)
            lock.release()
            return call.result(30)

    def test_a_list_that_the_caller_got_while_it_waited_bounds_it(self):
        member, access, _ = self.new_administrator()
        self.assert_exceeds(lambda: self.change_behind_a_lock(
            access, f"UPDATE latchkey.member SET allowed_ips = '{{{HERE}}}' "
                    f"WHERE member_id = '{uuid_of_id(member.member_id)}'", allowed_ips=[]), "you have as a member")

    def test_a_group_that_the_caller_lost_while_it_waited_is_not_given(self):
        role = self.company.create_role("holder", ["charges.*", "latchkey.tokens.*"])
        member = self.company.create_member("eve@acme.example", [role.role_id])
        client = self.company.client(self.company.owner_token(member.member_id)[1])
        names = ",".join((*NAMES, "latchkey.tokens.*"))
        self.assert_exceeds(lambda: self.change_behind_a_lock(
            client, f"UPDATE latchkey.role SET permissions = '{{{names}}}' WHERE role_id = '{uuid_of_id(role.role_id)}'",
            permissions=["charges.*"]))

    def create_behind_a_lock(self, client, statement):
        """Lets `client` make a token of the company's, whose row is locked until the statement has run."""
        with RowLock(self.deployment, f"company WHERE company_id = '{self.company.uuid}'", "UPDATE") as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            call = pool.submit(self.create, client, ["charges.*"], company_owned=True)
            lock.wait_for_others(1)
            lock.release(statement)
            return call.result(30)

    def test_who_was_removed_while_it_waited_makes_no_token_of_the_company(self):
        member, access, _ = self.new_administrator()
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "MEMBER_REMOVED", lambda: self.create_behind_a_lock(
            access, f"UPDATE latchkey.member SET removed_at = now() WHERE member_id = '{uuid_of_id(member.member_id)}'"))
        self.assertEqual(self.company.count("token", "member_id IS NULL AND label = 'of a test'"), 0)

    def test_who_got_a_list_while_it_waited_makes_no_token_without_one(self):
        member, access, _ = self.new_administrator()
        self.assert_exceeds(lambda: self.create_behind_a_lock(
            access, f"UPDATE latchkey.member SET allowed_ips = '{{{HERE}}}' "
                    f"WHERE member_id = '{uuid_of_id(member.member_id)}'"), "you have as a member")

    def test_a_group_that_the_maker_lost_while_it_waited_is_not_in_its_token(self):
        role = self.company.create_role("holder", ["charges.*", "latchkey.tokens.*"])
        member = self.company.create_member("eve@acme.example", [role.role_id])
        client = self.company.client(self.company.owner_token(member.member_id)[1])
        names = ",".join((*NAMES, "latchkey.tokens.*"))
        self.assert_exceeds(lambda: self.create_behind_a_lock(
            client, f"UPDATE latchkey.role SET permissions = '{{{names}}}' WHERE role_id = '{uuid_of_id(role.role_id)}'"))


if __name__ == "__main__":
    unittest.main()
