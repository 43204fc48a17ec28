"""Random changes of members, roles and their tokens against a small model: after each, some tokens are asked about, after some
all, and every one may do exactly what the model says. LATCHKEY_SEED repeats a run."""

import os
import random
import unittest

import grpc

from latchkey_test import error_info
from member_case import MemberCase, member_pb2, token_pb2

SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
STEPS = max(40, 150 * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")) // 100)
ASKED = 24  # questions after each step; after each tenth all
PERMISSIONS = ("charges.create", "charges.read", "refunds.create", "customers.read")
GRANTS = {**{name: {name} for name in PERMISSIONS}, "charges.*": {"charges.create", "charges.read"},
          "customers.*": {"customers.read"}}
# Each prefix holds one of the addresses that no narrower one does.
PREFIXES = {"198.51.100.0/24": {"198.51.100.7"}, "198.51.0.0/16": {"198.51.100.7", "198.51.7.7"},
            "203.0.113.0/24": {"203.0.113.7"}}
ADDRESSES = ("198.51.100.7", "198.51.7.7", "203.0.113.7", "192.0.2.7")


def expand(grants):
    return set().union(*(GRANTS[grant] for grant in grants))


def reach(prefixes):
    """The addresses that a list lets in."""
    return set().union(*(PREFIXES[prefix] for prefix in prefixes)) if prefixes else set(ADDRESSES)


class Model:
    """What there should be, by id: roles (their grants), members (roles, from where, alive), tokens (grants or None of a log-in,
    owner or "" of the company, from where, alive)."""

    def __init__(self, administrator_role, ada):
        self.administrator_role = administrator_role
        self.roles = {}
        self.members = {ada: {"roles": {administrator_role}, "from": set(ADDRESSES), "alive": True}}
        self.tokens = {}

    def alive(self):
        return [member for member, state in self.members.items() if state["alive"]]

    def rights(self, member):
        roles = self.members[member]["roles"]
        if self.administrator_role in roles:
            return set(PERMISSIONS)
        return expand(grant for role in roles for grant in self.roles[role])

    def administrators(self):
        return [m for m in self.alive() if self.administrator_role in self.members[m]["roles"]]

    def is_last_administrator(self, member):
        return self.administrators() == [member]

    def hand_over(self, token, owner, heir):
        """What the old owner's list leaves of it; with nothing left it ends."""
        state = self.tokens[token]
        state["owner"] = heir
        both = state["from"] & self.members[owner]["from"]
        if both:
            state["from"] = both
        state["alive"] = bool(both)

    def reason(self, token, permission, address):
        """Of Validate, for that permission from that address."""
        grants, owner, alive = self.tokens[token]["grants"], self.tokens[token]["owner"], self.tokens[token]["alive"]
        if owner and not self.members[owner]["alive"]:
            return "MEMBER_REMOVED"
        if not alive:
            return "DEACTIVATED"
        if owner and address not in self.members[owner]["from"]:
            return "MEMBER_IP_NOT_LISTED"
        if address not in self.tokens[token]["from"]:
            return "TOKEN_IP_NOT_LISTED"
        held = set(PERMISSIONS) if grants is None else expand(grants)
        return "OK" if permission in (held & self.rights(owner) if owner else held) else "PERMISSION_MISSING"


class MembershipModel(MemberCase):
    validators = 1

    def setUp(self):
        self.random = random.Random(SEED)
        print(f"LATCHKEY_SEED={SEED}", end=" ", flush=True)
        self.company = self.new_company()
        self.model = Model(self.company.administrator_role, self.company.ada.member_id)
        self.secrets, self.made = {}, 0
        self.fence = self.company.create_role("fence").role_id
        self.deactivate(self.company.administrator_token)

    def pick(self, things, least=0):
        things = sorted(things)
        return self.random.sample(things, self.random.randint(least, min(len(things), 3))) if things else []

    def pick_roles(self):
        roles = self.pick(self.model.roles)
        return roles + [self.model.administrator_role] * (self.random.random() < 0.2)

    def pick_ips(self):
        return self.pick(PREFIXES) if self.random.random() < 0.5 else []

    def one(self, things):
        return self.random.choice(sorted(things))

    @staticmethod
    def refused(call):
        """The reason of the refusal, or None."""
        try:
            call()
        except grpc.RpcError as error:
            return error_info(error).reason
        return None

    # ---- the operations ----

    def create_role(self):
        self.made += 1
        grants = self.pick(GRANTS)
        role = self.company.create_role(f"role {self.made}", grants)
        self.model.roles[role.role_id] = grants

    def update_role(self):
        if not self.model.roles:
            return
        role, grants = self.one(self.model.roles), self.pick(GRANTS)
        self.model.roles[role] = grants
        self.company.update_role(role, permissions=grants)

    def delete_role(self):
        if not self.model.roles:
            return
        role = self.one(self.model.roles)
        users = [m for m in self.model.alive() if role in self.model.members[m]["roles"]]
        reason = self.refused(lambda: self.company.delete_role(role))
        self.assertEqual(reason, "ROLE_IN_USE" if users else None)
        if not users:
            del self.model.roles[role]

    def create_member(self):
        self.made += 1
        roles, ips = self.pick_roles(), self.pick_ips()
        member = self.company.create_member(f"m{self.made}@acme.example", roles, allowed_ips=ips)
        self.model.members[member.member_id] = {"roles": set(roles), "from": reach(ips), "alive": True}

    def update_member(self):
        member, roles, ips = self.one(self.model.members), self.pick_roles(), self.pick_ips()
        alive = self.model.members[member]["alive"]
        is_last = self.model.is_last_administrator(member) and self.model.administrator_role not in roles
        reason = self.refused(lambda: self.company.update(member, role_ids=roles, allowed_ips=ips))
        self.assertEqual(reason, "MEMBER_REMOVED" if not alive else "LAST_ADMINISTRATOR" if is_last else None)
        if reason is None:
            self.model.members[member].update({"roles": set(roles), "from": reach(ips)})

    def remove_member(self):
        member = self.one(self.model.members)
        alive = self.model.members[member]["alive"]
        heirs = [other for other in self.model.alive() if other != member]
        to = self.random.choice(["", "", self.company.id, *heirs])
        owned = [t for t, state in self.model.tokens.items()
                 if state["owner"] == member and state["alive"] and state["grants"] is not None]
        reason = self.refused(lambda: self.check_removed(member, to, owned if alive else []))
        self.assertEqual(reason, "LAST_ADMINISTRATOR" if alive and self.model.is_last_administrator(member) else None)
        if reason is None and alive:
            for token in owned:
                if to:
                    self.model.hand_over(token, member, "" if to == self.company.id else to)
                else:
                    self.model.tokens[token]["alive"] = False
            self.model.members[member].update({"roles": set(), "alive": False})

    def check_removed(self, member, to, owned):
        answer = self.company.remove(member, transfer_tokens_to=to)
        self.assertEqual((answer.token_count, set(answer.token_ids)), (len(owned), set(owned)))
        mine = self.model.members[member]["from"]
        lost = [token for token in owned if to and not self.model.tokens[token]["from"] & mine]
        self.assertEqual(answer.unreachable_count, len(lost))

    def create_token(self):
        kind = self.random.choice("aal")
        owner = self.one(self.model.alive()) if kind == "l" or self.random.random() < 0.8 else ""
        grants, ips = self.pick(GRANTS, least=1), self.pick_ips() if kind == "a" else []
        if owner:
            token, secret = self.company.owner_token(owner, grants, kind, allowed_ips=ips)
        else:
            made, secret = self.company.company_token(grants, allowed_ips=ips)
            token = made.token_id
        self.model.tokens[token] = {"grants": None if kind == "l" else grants, "owner": owner, "from": reach(ips),
                                    "alive": True}
        self.secrets[token] = secret

    def deactivate_token(self):
        access = [t for t, state in self.model.tokens.items() if state["grants"] is not None]
        if not access:
            return
        token = self.one(access)
        self.model.tokens[token]["alive"] = False
        self.deactivate(token)

    def deactivate(self, token):
        self.company.operator.tokens.DeactivateAccessToken(
            token_pb2.DeactivateAccessTokenRequest(token_id=token), timeout=20)

    # ---- the comparison ----

    def check(self, asked=None):
        """No earlier than everything so far: a change of no consequence has the revision."""
        self.made += 1
        revision = self.company.update_role(self.fence, name=f"fence {self.made}").revision
        pairs = [(token, permission) for token in sorted(self.secrets) for permission in PERMISSIONS]
        for token, permission in self.random.sample(pairs, min(asked, len(pairs))) if asked else pairs:
            address = self.random.choice(ADDRESSES)
            self.assertEqual(self.decide(self.secrets[token], permission, revision, address),
                             self.model.reason(token, permission, address),
                             (token, permission, address, self.model.tokens[token]))

    def check_lists(self):
        listed = {member.member_id: set(member.role_ids) for member in self.company.operator.members.ListMembers(
            member_pb2.ListMembersRequest(page_size=1000), timeout=20).members}
        self.assertEqual(listed, {m: state["roles"] for m, state in self.model.members.items()})
        states = self.company.token_states()
        for token, state in self.model.tokens.items():
            if state["grants"] is not None:
                self.assertEqual(states[token], (state["owner"], "ACTIVE" if state["alive"] else "DEACTIVATED"))

    def test_after_every_change_validate_agrees_with_the_model(self):
        operations = [self.create_role, self.update_role, self.update_role, self.delete_role, self.create_member,
                      self.update_member, self.update_member, self.remove_member, self.create_token, self.create_token,
                      self.deactivate_token]
        for _ in range(4):
            self.create_role(), self.create_member(), self.create_token()
        for step in range(STEPS):
            operation = self.random.choice(operations)
            with self.subTest(step=step, operation=operation.__name__):
                operation()
                self.check(ASKED if step % 10 else None)
        self.check()
        self.check_lists()
        print(f"{STEPS} steps, {len(self.model.members)} members, {len(self.secrets)} tokens", end=" ", flush=True)


if __name__ == "__main__":
    unittest.main()
