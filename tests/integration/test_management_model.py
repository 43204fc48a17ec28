"""Random management across all services beside a small model of it: after each step two validators give the answers of the
model to random questions, reason by reason.

LATCHKEY_SEED repeats a run; the seed and the steps are told when it fails.
"""

import ipaddress
import os
import random
import unittest

from latchkey_test import CallCase, Client, Deployment, Stage, stubs

token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

STEPS = max(60, 300 * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")) // 100)
QUESTIONS = 6
PERMISSIONS = ("charges.create", "charges.read", "refunds.create", "customers.read")
PREFIXES = ("10.0.0.0/24", "10.0.0.0/16", "192.0.2.0/24", "2001:db8::/32")
# We call from here, so this stays listed.
HERE = "127.0.0.0/8"
ADDRESSES = ("127.0.0.1", "10.0.0.7", "10.0.9.7", "192.0.2.7", "2001:db8::7", "2001:db9::7")
API, UI = decision_pb2.CHANNEL_API, decision_pb2.CHANNEL_UI


class Role:
    def __init__(self, permissions):
        self.permissions = set(permissions)


class Member:
    """`roles` None: an administrator, who may do everything."""

    def __init__(self, roles):
        self.roles, self.ips, self.is_removed = roles, [], False

    def permissions(self):
        return set(PERMISSIONS) if self.roles is None else set().union(*(role.permissions for role in self.roles))


class Token:
    """`owner` None: the company's."""

    def __init__(self, secret, owner, permissions, channels, is_login=False):
        self.secret, self.owner, self.permissions, self.channels = secret, owner, set(permissions), set(channels)
        self.is_login, self.is_deactivated, self.is_suspended, self.ips = is_login, False, False, []

    def effective(self):
        if self.is_login:
            return self.owner.permissions()
        return self.permissions if self.owner is None else self.permissions & self.owner.permissions()


def is_listed(address, prefixes):
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(prefix) for prefix in prefixes)


class Model:
    """What the company is like, and what Validate must therefore say."""

    def __init__(self):
        self.is_suspended, self.is_enabled, self.scope = False, False, "ALL"
        self.entries = {HERE: HERE}  # id -> prefix
        self.roles, self.members, self.tokens = {}, {}, {}

    def reason(self, token, address, channel, permission):
        if self.is_suspended:
            return "COMPANY_SUSPENDED"
        if token.owner is not None and token.owner.is_removed:
            return "MEMBER_REMOVED"
        if token.is_deactivated:
            return "DEACTIVATED"
        if token.is_suspended:
            return "SUSPENDED"
        if not token.is_login and channel not in token.channels:
            return "CHANNEL_NOT_ALLOWED"
        if self.is_enabled and (self.scope == "ALL" or token.is_login) and not is_listed(address, self.entries.values()):
            return "COMPANY_IP_NOT_LISTED"
        if token.owner is not None and token.owner.ips and not is_listed(address, token.owner.ips):
            return "MEMBER_IP_NOT_LISTED"
        if token.ips and not is_listed(address, token.ips):
            return "TOKEN_IP_NOT_LISTED"
        return "OK" if permission in token.effective() else "PERMISSION_MISSING"


class Walk:
    """One random step after the other, at the servers and in the model."""

    def __init__(self, stage, chance):
        self.stage, self.chance, self.model = stage, chance, Model()
        self.administrator = Member(None)
        self.revision = ""
        self.steps = []
        self.note(stage.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=HERE)]), timeout=20))
        for step in (self.make_role, self.make_member, self.make_token):
            step()

    def step(self):
        name = self.chance.choice([name for name in dir(self) if name.startswith(("make_", "change_", "end_"))])
        if self.model.is_suspended:  # then nothing else is admitted
            name = "change_company"
        self.steps.append(name)
        getattr(self, name)()

    def note(self, answer):
        self.revision = answer.revision
        return answer

    def pick(self, things):
        """(id, thing) of one that is alive, or None."""
        alive = [(key, thing) for key, thing in things.items()
                 if not getattr(thing, "is_removed", False) and not getattr(thing, "is_deactivated", False)
                 and not (getattr(thing, "owner", None) and thing.owner.is_removed)]
        return self.chance.choice(alive) if alive else (None, None)

    def some(self, things):
        return self.chance.sample(list(things), self.chance.randrange(len(things) + 1))

    # ---- tokens ----

    def make_token(self):
        owner = self.chance.choice([self.administrator, None])
        permissions, channels = self.some(PERMISSIONS), self.chance.choice([[API], [UI], [API, UI]])
        made = self.note(self.stage.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of the walk", permissions=permissions, channels=channels, company_owned=owner is None), timeout=20))
        self.model.tokens[made.access_token.token_id] = Token(made.secret, owner, permissions, channels)

    def change_token_rights(self):
        token_id, token = self.pick({key: token for key, token in self.model.tokens.items() if not token.is_login})
        if not token:
            return
        permissions, ips = self.some(PERMISSIONS), self.some(PREFIXES)
        self.note(self.stage.administrator.tokens.UpdateAccessToken(token_pb2.UpdateAccessTokenRequest(
            access_token={"token_id": token_id, "permissions": permissions, "allowed_ips": ips},
            update_mask={"paths": ["permissions", "allowed_ips"]}), timeout=20))
        token.permissions, token.ips = set(permissions), ips

    def change_token_suspension(self):
        token_id, token = self.pick({key: token for key, token in self.model.tokens.items() if not token.is_login})
        if not token:
            return
        tokens = self.stage.administrator.tokens
        self.note(tokens.ResumeAccessToken(token_pb2.ResumeAccessTokenRequest(token_id=token_id), timeout=20)
                  if token.is_suspended else
                  tokens.SuspendAccessToken(token_pb2.SuspendAccessTokenRequest(token_id=token_id), timeout=20))
        token.is_suspended = not token.is_suspended

    def change_token_secret(self):
        token_id, token = self.pick({key: token for key, token in self.model.tokens.items()
                                     if not token.is_login and not token.is_suspended})
        if token:
            token.secret = self.note(self.stage.administrator.tokens.RotateAccessToken(
                token_pb2.RotateAccessTokenRequest(token_id=token_id), timeout=20)).secret

    def end_token(self):
        token_id, token = self.pick({key: token for key, token in self.model.tokens.items() if not token.is_login})
        if token:
            self.note(self.stage.administrator.tokens.DeactivateAccessToken(
                token_pb2.DeactivateAccessTokenRequest(token_id=token_id), timeout=20))
            token.is_deactivated = True

    # ---- log-ins ----

    def make_login(self):
        member_id, member = self.pick(self.model.members)
        if not member:
            return
        address = self.chance.choice([one for one in ADDRESSES if not self.model.is_enabled
                                      or is_listed(one, self.model.entries.values())] or ["127.0.0.1"])
        if member.ips and not is_listed(address, member.ips) or self.model.is_enabled and not is_listed(
                address, self.model.entries.values()):
            return
        made = self.note(self.stage.operator.tokens.CreateLoginToken(token_pb2.CreateLoginTokenRequest(
            member_id=member_id, client_ip=address, channel=UI), timeout=20))
        self.model.tokens[made.login_token.token_id] = Token(made.secret, member, (), (UI,), is_login=True)

    def end_logins(self):
        member_id, member = self.pick(self.model.members)
        if not member:
            return
        self.note(self.stage.administrator.tokens.DeactivateMemberLogins(
            token_pb2.DeactivateMemberLoginsRequest(member_id=member_id), timeout=20))
        for token in self.model.tokens.values():
            token.is_deactivated |= token.is_login and token.owner is member

    # ---- whitelist ----

    def make_entry(self):
        prefix = self.chance.choice(PREFIXES)
        made = self.note(self.stage.administrator.whitelist.AddWhitelistEntries(
            whitelist_pb2.AddWhitelistEntriesRequest(entries=[whitelist_pb2.NewWhitelistEntry(address=prefix)]), timeout=20))
        self.model.entries[made.entries[0].entry_id] = prefix

    def end_entry(self):
        removable = [entry_id for entry_id in self.model.entries if entry_id != HERE]
        if not removable:
            return
        entry_id = self.chance.choice(removable)
        self.note(self.stage.administrator.whitelist.RemoveWhitelistEntries(
            whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=[entry_id]), timeout=20))
        del self.model.entries[entry_id]

    def change_whitelist(self):
        self.model.is_enabled, self.model.scope = self.chance.choice([True, False]), self.chance.choice(["ALL", "LOGINS"])
        self.note(self.stage.administrator.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
            whitelist={"enabled": self.model.is_enabled, "scope": f"WHITELIST_SCOPE_{self.model.scope}"},
            update_mask={"paths": ["enabled", "scope"]}), timeout=20))

    # ---- members, roles, the company ----

    def make_role(self):
        permissions = self.some(PERMISSIONS)
        made = self.note(self.stage.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name=f"role {self.chance.random()}", permissions=permissions), timeout=20))
        self.model.roles[made.role.role_id] = Role(permissions)

    def change_role(self):
        role_id, role = self.pick(self.model.roles)
        permissions = self.some(PERMISSIONS)
        self.note(self.stage.administrator.members.UpdateRole(member_pb2.UpdateRoleRequest(
            role={"role_id": role_id, "permissions": permissions}, update_mask={"paths": ["permissions"]}), timeout=20))
        role.permissions = set(permissions)

    def make_member(self):
        role_ids = self.some(self.model.roles)
        made = self.note(self.stage.administrator.members.CreateMember(member_pb2.CreateMemberRequest(
            email=f"{self.chance.getrandbits(64):x}@example.com", role_ids=role_ids), timeout=20))
        self.model.members[made.member.member_id] = Member([self.model.roles[role_id] for role_id in role_ids])

    def change_member(self):
        member_id, member = self.pick(self.model.members)
        if not member:
            return
        role_ids, ips = self.some(self.model.roles), self.some(PREFIXES)
        self.note(self.stage.administrator.members.UpdateMember(member_pb2.UpdateMemberRequest(
            member={"member_id": member_id, "role_ids": role_ids, "allowed_ips": ips},
            update_mask={"paths": ["role_ids", "allowed_ips"]}), timeout=20))
        member.roles, member.ips = [self.model.roles[role_id] for role_id in role_ids], ips

    def end_member(self):
        member_id, member = self.pick(self.model.members)
        if member and self.chance.random() < 0.3:
            self.note(self.stage.administrator.members.RemoveMember(
                member_pb2.RemoveMemberRequest(member_id=member_id), timeout=20))
            member.is_removed = True

    def change_company(self):
        companies, company_id = self.stage.operator_at_home.companies, self.stage.company_id
        if self.model.is_suspended:
            self.note(companies.ResumeCompany(company_pb2.ResumeCompanyRequest(company_id=company_id), timeout=20))
        else:
            self.note(companies.SuspendCompany(company_pb2.SuspendCompanyRequest(company_id=company_id), timeout=20))
        self.model.is_suspended = not self.model.is_suspended


class ManagementModel(CallCase):
    def test_after_each_step_every_validator_agrees_with_the_model(self):
        seed = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().getrandbits(32))
        print(f"LATCHKEY_SEED={seed}", flush=True)
        chance = random.Random(seed)
        with Deployment() as deployment, deployment.beside("latchkey-validator") as second, Stage(deployment) as stage:
            walk = Walk(stage, chance)
            asked = [deployment.anybody(), Client(second.address)]
            for client in asked:
                self.addCleanup(client.close)
            seen = set()
            for _ in range(STEPS):
                walk.step()
                for _ in range(QUESTIONS):
                    seen.add(self.ask(walk, asked, chance))
        self.assertGreaterEqual(len(seen), 3 + STEPS // 75, seen)

    def ask(self, walk, clients, chance):
        token = chance.choice(list(walk.model.tokens.values()))
        address, channel, permission = chance.choice(ADDRESSES), chance.choice([API, UI]), chance.choice(PERMISSIONS)
        wanted = walk.model.reason(token, address, channel, permission)
        request = validation_pb2.ValidateRequest(token=token.secret, channel=channel, client_ip=address,
                                                 permissions=[permission], min_revision=walk.revision)
        for client in clients:
            told = decision_pb2.Reason.Name(client.validation.Validate(request, timeout=20).reason)
            self.assertEqual(told, f"REASON_{wanted}", (address, channel, permission, vars(token), walk.steps[-20:]))
        return wanted


if __name__ == "__main__":
    unittest.main()
