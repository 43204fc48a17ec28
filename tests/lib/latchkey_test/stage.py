"""A company with whatever a method needs, and a valid request for every method: for tests that hold of all of them.

    stage = Stage(deployment)
    request = stage.request(method)           # each time a new one, that does something
    stage.caller(method).call(method, request)

A method without a line in _REQUESTS is told by missing_requests(): it fails the tests that ask.
"""

import itertools
import random
import uuid

import grpc

from . import secret_text, stubs
from .cases import uuid_of_id
from .client import Client
from .contract import served_methods

# Of a server that leaves alone what a test has just made.
QUIET = {"whitelist_sweep": "1h", "company_whitelist_drafts_max": 100}

_numbers = itertools.count(1)


def _pb(name):
    return stubs.messages(f"latchkey/v1/{name}.proto")


def _unique(prefix):
    return f"{prefix}-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


class Stage:
    """One company of a deployment, made by the operator, and its administrator."""

    def __init__(self, deployment, name=None):
        self.deployment = deployment
        with deployment.operator() as operator:
            created = operator.companies.CreateCompany(_pb("company").CreateCompanyRequest(
                name=name or _unique("company"), administrator_email=f"{_unique('admin')}@example.com"), timeout=20)
        self.company_id = created.company.company_id
        self.member_id = created.administrator.member_id
        self._drafts = []
        self._scopes = itertools.cycle(["WHITELIST_SCOPE_LOGINS", "WHITELIST_SCOPE_ALL"])
        self.secret = self._make_secret()
        self._connect()

    def _connect(self):
        self.administrator = Client(self.deployment.server.address, self.secret)
        self.operator = self.deployment.operator(self.company_id)
        self.operator_at_home = self.deployment.operator()
        self.anybody = self.deployment.anybody()

    def reconnect(self):
        """To a server that was killed and started: clients put off what has just been refused."""
        self.close()
        self._connect()

    def close(self):
        for client in (self.administrator, self.operator, self.operator_at_home, self.anybody):
            client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def caller(self, method):
        """The client of whoever may call it."""
        if method.name in _OF_THE_OPERATOR:
            return self.operator_at_home
        if method.name in _OF_THE_OPERATOR_FOR_A_COMPANY:
            return self.operator
        return self.anybody if method.is_open else self.administrator

    def request(self, method):
        return _REQUESTS[method.name](self)

    def _make_secret(self):
        """Of the administrator's token, which may do all that an administrator may."""
        company, member, token = uuid_of_id(self.company_id), uuid_of_id(self.member_id), uuid.uuid4()
        secret = secret_text.make_secret(random.SystemRandom(), uuid.UUID(company).int & 63)
        self.deployment.execute(f"""
            INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions)
            SELECT '{token}', '{company}', '{member}', 'a', 3, 'of the stage', array_agg(name)
              FROM latchkey.permission WHERE NOT operator_only;
            INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
            VALUES ('\\x{secret_text.digest(secret).hex()}', '{token}', '{company}', 'lka…')""")
        return secret

    # ---- things of the company, new ones each time ----

    def new_token(self, **fields):
        return self.administrator.tokens.CreateAccessToken(_pb("token").CreateAccessTokenRequest(
            label=_unique("token"), permissions=["charges.read"], **fields), timeout=20)

    def new_suspended_token(self):
        token_id = self.new_token().access_token.token_id
        self.administrator.tokens.SuspendAccessToken(_pb("token").SuspendAccessTokenRequest(token_id=token_id), timeout=20)
        return token_id

    def new_login(self):
        return self.operator.tokens.CreateLoginToken(self.login_request(), timeout=20)

    def login_request(self):
        return _pb("token").CreateLoginTokenRequest(member_id=self.member_id, client_ip="127.0.0.1",
                                                    user_agent=_unique("agent"), channel="CHANNEL_UI")

    def new_entry(self, **fields):
        return self.administrator.whitelist.AddWhitelistEntries(self.entries_request(**fields), timeout=20).entries[0]

    def entries_request(self, **fields):
        address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
        return _pb("whitelist").AddWhitelistEntriesRequest(
            entries=[_pb("whitelist").NewWhitelistEntry(address=address, note=_unique("entry"))], **fields)

    def other_scope(self):
        return next(self._scopes)

    def new_draft(self, **fields):
        self._discard_old_drafts()
        draft_id = self.administrator.whitelist.CreateWhitelistDraft(
            _pb("whitelist").CreateWhitelistDraftRequest(**fields), timeout=20).draft.draft_id
        self._drafts.append(draft_id)
        return draft_id

    def _discard_old_drafts(self):
        """A company has only so many at a time."""
        while len(self._drafts) > 20:
            self._try(self.administrator.whitelist.DiscardWhitelistDraft,
                      _pb("whitelist").DiscardWhitelistDraftRequest(draft_id=self._drafts.pop(0)))

    def confirm_publication(self):
        """While one waits for its confirmation nothing else is published."""
        self._try(self.administrator.whitelist.ConfirmWhitelist, _pb("whitelist").ConfirmWhitelistRequest())

    @staticmethod
    def _try(call, request):
        """Where there may be nothing to do."""
        try:
            call(request, timeout=20)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND):
                raise

    def new_draft_to_publish(self):
        self.confirm_publication()
        return self.new_draft()

    def new_publication(self):
        """A published draft that is yet to be confirmed, from where we are."""
        self.confirm_publication()
        draft_id = self.new_draft(empty=True)
        self.administrator.whitelist.AddWhitelistEntries(_pb("whitelist").AddWhitelistEntriesRequest(
            draft_id=draft_id, entries=[_pb("whitelist").NewWhitelistEntry(address="127.0.0.0/8")]), timeout=20)
        self.administrator.whitelist.PublishWhitelistDraft(_pb("whitelist").PublishWhitelistDraftRequest(
            draft_id=draft_id, confirm_within={"seconds": 600}), timeout=20)
        return _pb("whitelist").ConfirmWhitelistRequest()

    def new_trial(self):
        """The whitelist, switched on from where we are, which is yet to be confirmed."""
        whitelist_pb2 = _pb("whitelist")
        self.confirm_publication()
        mask = {"paths": ["enabled"]}
        self.administrator.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
            whitelist={"enabled": False}, update_mask=mask), timeout=20)
        self.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address="127.0.0.0/8")]), timeout=20)
        self.administrator.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
            whitelist={"enabled": True}, update_mask=mask, confirm_within={"seconds": 600}), timeout=20)

    def new_member(self):
        return self.administrator.members.CreateMember(self.member_request(), timeout=20).member.member_id

    def member_request(self):
        return _pb("member").CreateMemberRequest(email=f"{_unique('member')}@example.com", display_name="Of a test")

    def new_role(self):
        return self.administrator.members.CreateRole(self.role_request(), timeout=20).role.role_id

    def role_request(self):
        return _pb("member").CreateRoleRequest(name=_unique("role"), permissions=["charges.read"])

    def new_invitation(self):
        created = self.administrator.invitations.CreateInvitations(self.invitations_request(), timeout=20)
        return created.results[0].invitation.invitation_id

    def invitations_request(self):
        return _pb("invitation").CreateInvitationsRequest(
            invitations=[_pb("invitation").NewInvitation(email=f"{_unique('guest')}@example.com")])

    def new_invitation_secret(self):
        """A link that still works: as the mailer makes them, which nobody but the invited person sees."""
        invitation_id = self.new_invitation()
        secret = self._foreign_secret("i")
        self.deployment.execute(f"""
            INSERT INTO latchkey.invitation_secret (digest, company_id, invitation_id, generation)
            SELECT '\\x{secret_text.digest(secret).hex()}', company_id, invitation_id, generation
              FROM latchkey.invitation WHERE invitation_id = '{uuid_of_id(invitation_id)}'""")
        return secret

    def new_company(self):
        with Stage(self.deployment) as other:
            return other.company_id

    def new_suspended_company(self):
        company_id = self.new_company()
        self.operator_at_home.companies.SuspendCompany(
            _pb("company").SuspendCompanyRequest(company_id=company_id), timeout=20)
        return company_id

    def permissions_request(self):
        """The catalogue of the deployment as it is, and one more."""
        listed = self.operator_at_home.tokens.ListPermissions(
            _pb("token").ListPermissionsRequest(page_size=1000), timeout=20).permissions
        own = [permission for permission in listed if not permission.name.startswith("latchkey.")]
        new = _pb("token").Permission(name=f"test{next(_numbers)}.do", description="Of a test")
        return _pb("token").SetPermissionsRequest(permissions=[*own, new])

    def imported_token(self):
        return _pb("token").ImportedAccessToken(
            secret_sha256=secret_text.digest(self._foreign_secret()), label=_unique("imported"),
            permissions=["charges.read"])

    def _foreign_secret(self, kind="a"):
        lane = uuid.UUID(uuid_of_id(self.company_id)).int & 63
        return secret_text.make_secret(random.SystemRandom(), lane, kind)


def missing_requests():
    """Names of methods that are served and have no line below."""
    return [method.name for method in served_methods() if method.name not in _REQUESTS]


def _token(name, make):
    return lambda stage: getattr(_pb("token"), name)(**make(stage))


def _whitelist(name, make):
    return lambda stage: getattr(_pb("whitelist"), name)(**make(stage))


def _member(name, make):
    return lambda stage: getattr(_pb("member"), name)(**make(stage))


def _invitation(name, make):
    return lambda stage: getattr(_pb("invitation"), name)(**make(stage))


def _company(name, make):
    return lambda stage: getattr(_pb("company"), name)(**make(stage))


def _audit(name, make):
    return lambda stage: getattr(_pb("audit"), name)(**make(stage))


_OF_THE_OPERATOR = {"CreateCompany", "ListCompanies", "SuspendCompany", "ResumeCompany", "SetPermissions"}
_OF_THE_OPERATOR_FOR_A_COMPANY = {"CreateLoginToken"}

_REQUESTS = {
    "CreateAccessToken": _token("CreateAccessTokenRequest", lambda stage: {
        "label": _unique("token"), "permissions": ["charges.read"], "allowed_ips": ["127.0.0.0/8"],
        "metadata": {"made": "by a test"}, "external_id": _unique("external")}),
    "ImportAccessTokens": _token("ImportAccessTokensRequest", lambda stage: {
        "tokens": [stage.imported_token(), stage.imported_token()]}),
    "GetAccessToken": _token("GetAccessTokenRequest", lambda stage: {
        "token_id": stage.new_token().access_token.token_id}),
    "ListAccessTokens": _token("ListAccessTokensRequest", lambda stage: {"page_size": 2}),
    "UpdateAccessToken": _token("UpdateAccessTokenRequest", lambda stage: {
        "access_token": {"token_id": stage.new_token().access_token.token_id, "label": _unique("label")},
        "update_mask": {"paths": ["label"]}}),
    "DeactivateAccessToken": _token("DeactivateAccessTokenRequest", lambda stage: {
        "token_id": stage.new_token().access_token.token_id, "note": "of a test"}),
    "DeactivateAccessTokens": _token("DeactivateAccessTokensRequest", lambda stage: {
        "external_id": stage.new_token(external_id=_unique("external")).access_token.external_id}),
    "SuspendAccessToken": _token("SuspendAccessTokenRequest", lambda stage: {
        "token_id": stage.new_token().access_token.token_id, "note": "of a test"}),
    "ResumeAccessToken": _token("ResumeAccessTokenRequest", lambda stage: {"token_id": stage.new_suspended_token()}),
    "RotateAccessToken": _token("RotateAccessTokenRequest", lambda stage: {
        "token_id": stage.new_token().access_token.token_id, "grace": {"seconds": 60}}),
    "CreateLoginToken": Stage.login_request,
    "ListRecentAuthentications": _token("ListRecentAuthenticationsRequest", lambda stage: {"page_size": 2}),
    "DeactivateLoginToken": _token("DeactivateLoginTokenRequest", lambda stage: {
        "token_id": stage.new_login().login_token.token_id}),
    "DeactivateMemberLogins": _token("DeactivateMemberLoginsRequest", lambda stage: {
        "member_id": stage.new_login().login_token.member_id}),
    "ListPermissions": _token("ListPermissionsRequest", lambda stage: {"page_size": 2}),
    "SetPermissions": Stage.permissions_request,
    "GetCaller": _token("GetCallerRequest", lambda stage: {}),
    "ReportLeakedToken": _token("ReportLeakedTokenRequest", lambda stage: {"secret": stage.new_token().secret}),

    "GetWhitelist": _whitelist("GetWhitelistRequest", lambda stage: {}),
    "UpdateWhitelist": _whitelist("UpdateWhitelistRequest", lambda stage: {
        "whitelist": {"scope": stage.other_scope()},
        "update_mask": {"paths": ["scope"]}, "force": True}),
    "AddWhitelistEntries": Stage.entries_request,
    "UpdateWhitelistEntry": _whitelist("UpdateWhitelistEntryRequest", lambda stage: {
        "entry": {"entry_id": stage.new_entry().entry_id, "note": _unique("note")}, "update_mask": {"paths": ["note"]},
        "force": True}),
    "RemoveWhitelistEntries": _whitelist("RemoveWhitelistEntriesRequest", lambda stage: {
        "entry_ids": [stage.new_entry().entry_id], "force": True}),
    "ListWhitelistEntries": _whitelist("ListWhitelistEntriesRequest", lambda stage: {"page_size": 2}),
    "CheckIp": _whitelist("CheckIpRequest", lambda stage: {"client_ip": "192.0.2.7"}),
    "CreateWhitelistDraft": _whitelist("CreateWhitelistDraftRequest", lambda stage: {}),
    "GetWhitelistDraft": _whitelist("GetWhitelistDraftRequest", lambda stage: {"draft_id": stage.new_draft()}),
    "DiscardWhitelistDraft": _whitelist("DiscardWhitelistDraftRequest", lambda stage: {"draft_id": stage.new_draft()}),
    "PreviewWhitelist": _whitelist("PreviewWhitelistRequest", lambda stage: {"draft_id": stage.new_draft()}),
    "PublishWhitelistDraft": _whitelist("PublishWhitelistDraftRequest", lambda stage: {
        "draft_id": stage.new_draft_to_publish(), "force": True}),
    "ConfirmWhitelist": Stage.new_publication,

    "CreateInvitations": Stage.invitations_request,
    "GetInvitation": _invitation("GetInvitationRequest", lambda stage: {"invitation_id": stage.new_invitation()}),
    "ListInvitations": _invitation("ListInvitationsRequest", lambda stage: {"page_size": 2}),
    "ResendInvitation": _invitation("ResendInvitationRequest", lambda stage: {"invitation_id": stage.new_invitation()}),
    "DeactivateInvitation": _invitation("DeactivateInvitationRequest", lambda stage: {
        "invitation_id": stage.new_invitation()}),

    "LookupInvitation": _invitation("LookupInvitationRequest", lambda stage: {"secret": stage.new_invitation_secret()}),
    "AcceptInvitation": _invitation("AcceptInvitationRequest", lambda stage: {
        "secret": stage.new_invitation_secret(), "display_name": "Of a test"}),

    "ListMembers": _member("ListMembersRequest", lambda stage: {"page_size": 2}),
    "GetMember": _member("GetMemberRequest", lambda stage: {"member_id": stage.new_member()}),
    "CreateMember": Stage.member_request,
    "UpdateMember": _member("UpdateMemberRequest", lambda stage: {
        "member": {"member_id": stage.new_member(), "display_name": _unique("name")},
        "update_mask": {"paths": ["display_name"]}}),
    "RemoveMember": _member("RemoveMemberRequest", lambda stage: {"member_id": stage.new_member()}),
    "ListRoles": _member("ListRolesRequest", lambda stage: {"page_size": 2}),
    "CreateRole": Stage.role_request,
    "UpdateRole": _member("UpdateRoleRequest", lambda stage: {
        "role": {"role_id": stage.new_role(), "name": _unique("role")}, "update_mask": {"paths": ["name"]}}),
    "DeleteRole": _member("DeleteRoleRequest", lambda stage: {"role_id": stage.new_role()}),

    "CreateCompany": _company("CreateCompanyRequest", lambda stage: {
        "name": _unique("company"), "administrator_email": f"{_unique('admin')}@example.com",
        "external_id": _unique("external")}),
    "GetCompany": _company("GetCompanyRequest", lambda stage: {"company_id": stage.company_id}),
    "ListCompanies": _company("ListCompaniesRequest", lambda stage: {"page_size": 2}),
    "UpdateCompany": _company("UpdateCompanyRequest", lambda stage: {
        "company": {"company_id": stage.company_id, "name": _unique("company")}, "update_mask": {"paths": ["name"]}}),
    "SuspendCompany": _company("SuspendCompanyRequest", lambda stage: {"company_id": stage.new_company()}),
    "ResumeCompany": _company("ResumeCompanyRequest", lambda stage: {"company_id": stage.new_suspended_company()}),

    "ListAuditEvents": _audit("ListAuditEventsRequest", lambda stage: {"page_size": 2}),
    "VerifyAuditLog": _audit("VerifyAuditLogRequest", lambda stage: {}),
}
