"""What test cases about members, roles and companies have in common: companies of their own, whose members hold tokens."""

import contextlib
import itertools

from latchkey_test import CallCase, Client, Deployment, Server, stubs, uuid_of_id

company_pb2 = stubs.messages("latchkey/v1/company.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")

# Everything that an administrator may, as the groups of the demonstration's catalogue.
EVERYTHING = ("latchkey.*", "charges.*", "refunds.*", "customers.*")
PATIENCE = {"min_revision_wait": "10s"}  # the machine may be busy

_numbers = itertools.count(1)


class Company:
    """A company made for a test, and calls for it. `operator` acts for it; members get tokens by owner_token()."""

    def __init__(self, deployment, stack):
        self.deployment = deployment
        self._stack = stack
        with deployment.operator() as operator:
            made = operator.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                name=f"Company {next(_numbers)}", administrator_email="ada@acme.example"), timeout=20)
        self.id, self.uuid, self.company = made.company.company_id, uuid_of_id(made.company.company_id), made.company
        self.ada, self.administrator_role = made.administrator, made.administrator.role_ids[0]
        self.operator = stack.enter_context(deployment.operator(self.id))
        self.administrator_token, secret = self.owner_token(self.ada.member_id)
        self.administrator = self.client(secret)

    def client(self, secret):
        return self._stack.enter_context(Client(self.deployment.server.address, secret))

    def company_token(self, permissions=EVERYTHING, **fields):
        """(access token, secret) of the company's own."""
        made = self.operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of a test", permissions=permissions, company_owned=True, **fields), timeout=20)
        return made.access_token, made.secret

    def owner_token(self, member_id, permissions=EVERYTHING, kind="a", **fields):
        """(id, secret) of one that a member owns, or a log-in (kind "l"): nobody makes a token for somebody else, so the owner is written by hand."""
        token, secret = self.company_token(permissions, **fields)
        login = ", kind = 'l', permissions = '{}', expires_at = now() + interval '3 hours'" if kind == "l" else ""
        self.deployment.execute(f"UPDATE latchkey.token SET member_id = '{uuid_of_id(member_id)}'{login} "
                                f"WHERE token_id = '{uuid_of_id(token.token_id)}'")
        return token.token_id, secret

    def create_member(self, email, role_ids=(), client=None, **fields):
        return (client or self.operator).members.CreateMember(member_pb2.CreateMemberRequest(
            email=email, role_ids=role_ids, **fields), timeout=20).member

    def create_role(self, name, permissions=(), client=None, **fields):
        return (client or self.operator).members.CreateRole(member_pb2.CreateRoleRequest(
            name=name, permissions=permissions, **fields), timeout=20).role

    def get(self, member_id, client=None):
        return (client or self.operator).members.GetMember(
            member_pb2.GetMemberRequest(member_id=member_id), timeout=20).member

    def update(self, member_id, client=None, force=False, etag="", wait=None, **fields):
        """The whole answer of UpdateMember; the fields given are those of the mask."""
        return (client or self.operator).members.UpdateMember(member_pb2.UpdateMemberRequest(
            member={"member_id": member_id, "etag": etag, **fields}, update_mask={"paths": list(fields)}, force=force,
            wait_for_validators=wait), timeout=40)

    def remove(self, member_id, client=None, **fields):
        return (client or self.operator).members.RemoveMember(member_pb2.RemoveMemberRequest(
            member_id=member_id, **fields), timeout=60)

    def update_role(self, role_id, client=None, etag="", wait=None, **fields):
        return (client or self.operator).members.UpdateRole(member_pb2.UpdateRoleRequest(
            role={"role_id": role_id, "etag": etag, **fields}, update_mask={"paths": list(fields)},
            wait_for_validators=wait), timeout=40)

    def delete_role(self, role_id, client=None, wait=None):
        return (client or self.operator).members.DeleteRole(member_pb2.DeleteRoleRequest(
            role_id=role_id, wait_for_validators=wait), timeout=40)

    def token_states(self):
        """Token id -> (owner or "", state), of all access tokens."""
        listed = self.operator.tokens.ListAccessTokens(token_pb2.ListAccessTokensRequest(page_size=1000), timeout=20)
        return {token.token_id: (token.member_id, token_pb2.TokenState.Name(token.state)[len("TOKEN_STATE_"):])
                for token in listed.access_tokens}

    def count(self, table, condition="true"):
        return self.deployment.execute(f"SELECT count(*) FROM latchkey.{table} "
                                       f"WHERE company_id = '{self.uuid}' AND {condition}")[0][0]


class MemberCase(CallCase):
    """One deployment for a class, and as many validators beside the one in latchkeyd as `validators` says."""

    settings = {}
    validators = 0

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.deployment = cls.stack.enter_context(Deployment(trusted_proxies="127.0.0.1", **PATIENCE, **cls.settings))
        cls.asked = [cls.stack.enter_context(cls.deployment.anybody())]
        for _ in range(cls.validators):
            server = cls.stack.enter_context(Server("latchkey-validator", database_url=cls.deployment.url, **PATIENCE))
            cls.asked.append(cls.stack.enter_context(Client(server.address)))

    @classmethod
    def new_company(cls):
        return Company(cls.deployment, cls.stack)

    def decide(self, secret, permission=None, revision="", client_ip="203.0.113.7"):
        """What all validators say, which must be the same, no earlier than the revision: "OK" or the reason."""
        request = validation_pb2.ValidateRequest(token=secret, channel=decision_pb2.CHANNEL_API, client_ip=client_ip,
                                                 permissions=[permission] if permission else [], min_revision=revision)
        said = {decision_pb2.Reason.Name(client.validation.Validate(request, timeout=20).reason)[len("REASON_"):]
                for client in self.asked}
        self.assertEqual(len(said), 1, said)
        return said.pop()
