"""What a member's tokens may do follows the member's roles at once, in every validator: by two of them, after each kind of
change, also for a hundred thousand tokens of one role. Changes touch roles and members, never tokens."""

import os
import time
import unittest

from latchkey_test import uuid_of_id
from member_case import MemberCase

WAIT = {"seconds": 30}
TOKENS = max(1000, 100_000 * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")) // 100)
TOKENS_OF_EACH = 1000


class MembershipRights(MemberCase):
    validators = 1

    def assert_confirmed(self, answer):
        """Both validators have applied it."""
        self.assertTrue(answer.validators.all_confirmed, answer.validators)
        self.assertEqual(answer.validators.live, 2)
        return answer

    def make_member(self, permissions, email="bob@acme.example"):
        """A company, a role with the permissions, a member who has it, and a token and a log-in of that member."""
        company = self.new_company()
        role = company.create_role("worker", permissions)
        member = company.create_member(email, [role.role_id])
        _, secret = company.owner_token(member.member_id, ["charges.*", "refunds.create"])
        _, login = company.owner_token(member.member_id, kind="l")
        self.assert_confirmed(company.update(member.member_id, display_name="Bob", wait=WAIT))
        return company, role, member, secret, login

    def test_a_token_may_do_what_it_was_granted_and_its_owner_may_now(self):
        _, _, _, secret, login = self.make_member(["charges.create", "customers.read"])
        self.assertEqual([self.decide(secret, p) for p in ("charges.create", "charges.read", "customers.read")],
                         ["OK", "PERMISSION_MISSING", "PERMISSION_MISSING"])
        self.assertEqual([self.decide(login, p) for p in ("charges.create", "customers.read", "refunds.create")],
                         ["OK", "OK", "PERMISSION_MISSING"])

    def test_a_change_of_the_role_holds_at_once(self):
        company, role, _, secret, login = self.make_member(["charges.create"])
        self.assert_confirmed(company.update_role(role.role_id, permissions=["refunds.create"], wait=WAIT))
        for token in (secret, login):
            self.assertEqual((self.decide(token, "charges.create"), self.decide(token, "refunds.create")),
                             ("PERMISSION_MISSING", "OK"))
        revision = company.update_role(role.role_id, permissions=["charges.*"]).revision
        for token in (secret, login):
            self.assertEqual((self.decide(token, "charges.read", revision), self.decide(token, "refunds.create", revision)),
                             ("OK", "PERMISSION_MISSING"))

    def test_a_role_that_is_taken_and_deleted_holds_at_once(self):
        company, role, member, secret, login = self.make_member(["charges.create"])
        self.assert_confirmed(company.update(member.member_id, role_ids=[], wait=WAIT))
        for token in (secret, login):
            self.assertEqual(self.decide(token, "charges.create"), "PERMISSION_MISSING")
        self.assert_confirmed(company.delete_role(role.role_id, wait=WAIT))
        again = company.create_role("worker", ["refunds.create"])
        self.assert_confirmed(company.update(member.member_id, role_ids=[again.role_id], wait=WAIT))
        for token in (secret, login):
            self.assertEqual((self.decide(token, "charges.create"), self.decide(token, "refunds.create")),
                             ("PERMISSION_MISSING", "OK"))

    def test_the_administrators_rights_are_the_catalogue_as_it_is(self):
        company, _, member, _, login = self.make_member(["charges.create"])
        self.assert_confirmed(company.update(member.member_id, role_ids=[company.administrator_role], wait=WAIT))
        self.assertEqual([self.decide(login, p) for p in ("customers.read", "latchkey.members.manage", "latchkey.operate")],
                         ["OK", "OK", "PERMISSION_MISSING"])

    def test_a_members_own_list_of_addresses_holds_at_once(self):
        company, _, member, secret, login = self.make_member(["charges.create"])
        self.assert_confirmed(company.update(member.member_id, allowed_ips=["198.51.100.0/24"], wait=WAIT))
        for token in (secret, login):
            self.assertEqual((self.decide(token, client_ip="203.0.113.7"), self.decide(token, client_ip="198.51.100.9")),
                             ("MEMBER_IP_NOT_LISTED", "OK"))
        self.assert_confirmed(company.update(member.member_id, allowed_ips=[], wait=WAIT))
        self.assertEqual(self.decide(secret), "OK")

    def test_a_removed_member_is_refused_everywhere_once_it_is_confirmed(self):
        company, _, member, secret, login = self.make_member(["charges.create"])
        self.assert_confirmed(company.remove(member.member_id, wait_for_validators=WAIT))
        for token in (secret, login):
            self.assertEqual(self.decide(token, "charges.create"), "MEMBER_REMOVED")

    def test_tokens_that_were_handed_over_may_do_what_their_new_owner_may(self):
        company, _, member, secret, login = self.make_member(["charges.create"])
        refunder = company.create_role("refunder", ["refunds.create"])
        heir = company.create_member("heir@acme.example", [refunder.role_id], allowed_ips=["198.51.100.0/24"])
        self.assert_confirmed(company.remove(member.member_id, transfer_tokens_to=heir.member_id,
                                             wait_for_validators=WAIT))
        at_home = {"client_ip": "198.51.100.1"}
        self.assertEqual((self.decide(secret, "charges.create", **at_home), self.decide(secret, "refunds.create", **at_home),
                          self.decide(secret, "refunds.create")), ("PERMISSION_MISSING", "OK", "MEMBER_IP_NOT_LISTED"))
        self.assertEqual(self.decide(login), "MEMBER_REMOVED")
        self.assert_confirmed(company.remove(heir.member_id, transfer_tokens_to=company.id, wait_for_validators=WAIT))
        self.assertEqual((self.decide(secret, "charges.create", **at_home), self.decide(secret, "refunds.create", **at_home),
                          self.decide(secret, "refunds.create")), ("OK", "OK", "TOKEN_IP_NOT_LISTED"))

    # ---- a hundred thousand tokens of a role ----

    def load_tokens(self, company, members):
        """Rows of as many tokens as the test wants, shared out evenly, whose secrets nobody but two are known for."""
        ids = ", ".join(f"'{uuid_of_id(member.member_id)}'" for member in members)
        self.deployment.execute(f"""
            WITH made AS (INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions)
                SELECT gen_random_uuid(), '{company.uuid}', owner, 'a', 1, 'of many', '{{charges.*}}'
                  FROM unnest(ARRAY[{ids}]::uuid[]) AS owner, generate_series(1, {TOKENS // len(members)})
                RETURNING token_id, company_id)
            INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
            SELECT sha256(uuid_send(token_id)), token_id, company_id, 'lka_...' FROM made""")

    def find_log(self, after):
        """(kind, how many objects or None) of each change after that instant."""
        return self.deployment.execute(f"SELECT kind, cardinality(objects) FROM latchkey.change WHERE at > '{after}' "
                                       "AND company_id IS NOT NULL ORDER BY at")

    def test_a_role_of_a_hundred_thousand_tokens_changes_by_one_small_row_of_the_log(self):
        company = self.new_company()
        role = company.create_role("worker", ["charges.create"])
        members = [company.create_member(f"w{i}@acme.example", [role.role_id]) for i in range(TOKENS // TOKENS_OF_EACH)]
        secrets = [company.owner_token(member.member_id, ["charges.*"])[1] for member in (members[0], members[-1])]
        self.load_tokens(company, members)
        # Everything that was loaded is there before the clock starts.
        self.assert_confirmed(company.update(members[0].member_id, display_name="ready", wait={"seconds": 50}))
        self.assertEqual(company.count("token", "label = 'of many'"), TOKENS)
        versions = self.deployment.execute("SELECT sum(version) FROM latchkey.token")

        after, took = self.deployment.execute("SELECT clock_timestamp()::text")[0][0], []
        for permission, other in (("charges.read", "charges.create"), ("charges.create", "charges.read")):
            began = time.monotonic()
            self.assert_confirmed(company.update_role(role.role_id, permissions=[permission], wait=WAIT))
            took.append(time.monotonic() - began)
            for secret in secrets:
                self.assertEqual((self.decide(secret, permission), self.decide(secret, other)), ("OK", "PERMISSION_MISSING"))
        self.assertEqual(self.find_log(after), [("role", 1)] * 2)
        self.assertEqual(self.deployment.execute("SELECT sum(version) FROM latchkey.token"), versions)
        print(f"{TOKENS} tokens, {len(members)} members: confirmed by both validators in "
              f"{' and '.join(f'{seconds * 1000:.0f} ms' for seconds in took)}", end=" ", flush=True)
        self.assertLess(max(took), 10)

    def test_a_member_of_many_tokens_is_removed_with_all_of_them_in_one_change(self):
        company = self.new_company()
        member = company.create_member("many@acme.example", [company.administrator_role])
        _, secret = company.owner_token(member.member_id)
        self.load_tokens(company, [member])
        after = self.deployment.execute("SELECT clock_timestamp()::text")[0][0]
        began = time.monotonic()
        removed = self.assert_confirmed(company.remove(member.member_id, wait_for_validators={"seconds": 50}))
        took = time.monotonic() - began
        self.assertEqual((removed.token_count, len(removed.token_ids)), (TOKENS + 1, 1000))
        self.assertEqual(self.decide(secret), "MEMBER_REMOVED")
        self.assertEqual(sorted(self.find_log(after)), [("member", 1), ("token", None)])
        self.assertEqual(company.count("token", f"deactivated_at IS NULL AND member_id = '{uuid_of_id(member.member_id)}'"), 0)
        print(f"{TOKENS} tokens ended and confirmed in {took:.1f} s", end=" ", flush=True)


if __name__ == "__main__":
    unittest.main()
