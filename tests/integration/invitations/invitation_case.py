"""What the cases about invitations have in common: a mail server, a deployment that uses it, and calls by their short names."""

import uuid

import grpc

from latchkey_test import CallCase, Deployment, stubs, uuid_of_id
from latchkey_test.mail import MailServer
from latchkey_test.waiting import wait_until

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")
error_details = stubs.messages("google/rpc/error_details.proto")

BROKEN = "This invitation link is broken. Please contact your system administrator"
NO_INVITATION = "inv_00000000000000000000000000"


class InvitationCase(CallCase):
    """`mail` is the MailServer of the class, or None where there is none."""

    mail_options = {}
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.mail = cls.make_mail_server()
        settings = cls.mail.settings() if cls.mail else {}
        cls.deployment = Deployment(**{"trusted_proxies": "127.0.0.1", "mails_per_recipient_day": 1000, **settings,
                                       **cls.settings})
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.administrator = cls.deployment.administrator()
        cls.addClassCleanup(cls.administrator.close)
        cls.anybody = cls.deployment.anybody()
        cls.addClassCleanup(cls.anybody.close)

    @classmethod
    def make_mail_server(cls):
        mail = MailServer(**cls.mail_options)
        mail.__enter__()
        cls.addClassCleanup(mail.__exit__)
        return mail

    # ---- calls ----

    def create(self, *invitations, client=None, **fields):
        """The results of one CreateInvitations."""
        wanted = [invitation if isinstance(invitation, invitation_pb2.NewInvitation)
                  else invitation_pb2.NewInvitation(email=invitation) for invitation in invitations]
        request = invitation_pb2.CreateInvitationsRequest(invitations=wanted, **fields)
        return list((client or self.administrator).invitations.CreateInvitations(request, timeout=30).results)

    def invite(self, email=None, client=None, **fields):
        """One invitation that must be made."""
        (result,) = self.create(invitation_pb2.NewInvitation(email=email or self.unique(), **fields), client=client)
        self.assertEqual(result.WhichOneof("result"), "invitation", result)
        return result.invitation

    def get(self, invitation):
        request = invitation_pb2.GetInvitationRequest(invitation_id=invitation.invitation_id)
        return self.administrator.invitations.GetInvitation(request, timeout=10).invitation

    def list(self, client=None, **fields):
        return (client or self.administrator).invitations.ListInvitations(
            invitation_pb2.ListInvitationsRequest(**fields), timeout=10)

    def resend(self, invitation, client=None):
        request = invitation_pb2.ResendInvitationRequest(invitation_id=invitation.invitation_id)
        return (client or self.administrator).invitations.ResendInvitation(request, timeout=10).invitation

    def deactivate(self, invitation):
        request = invitation_pb2.DeactivateInvitationRequest(invitation_id=invitation.invitation_id)
        return self.administrator.invitations.DeactivateInvitation(request, timeout=10).invitation

    def look_up(self, secret, metadata=()):
        return self.anybody.invitations.LookupInvitation(
            invitation_pb2.LookupInvitationRequest(secret=secret), metadata=metadata, timeout=10)

    def accept(self, secret, display_name="Eva", metadata=(), **fields):
        return self.anybody.invitations.AcceptInvitation(
            invitation_pb2.AcceptInvitationRequest(secret=secret, display_name=display_name, **fields),
            metadata=metadata, timeout=30).member

    # ---- what stands behind ----

    def restart(self):
        """Starts the server that was killed or stopped, and lets the clients find it."""
        self.deployment.server.start()
        wait_until(self._is_served, 30, "calls to be answered")

    def _is_served(self):
        try:
            return self.list(page_size=1) is not None
        except grpc.RpcError:
            return False

    def unique(self, local="person"):
        return f"{local}-{uuid.uuid4().hex[:12]}@example.com"

    def secret_of(self, invitation, count=1):
        """The secret in the `count`th mail of the invitation."""
        return self.mail.mails_to(invitation.email, count)[-1].secret()

    def change(self, invitation, what):
        """Changes its row by hand."""
        self.deployment.execute(f"UPDATE latchkey.invitation SET {what}"
                                f" WHERE invitation_id = '{uuid_of_id(invitation.invitation_id)}'")

    def expire(self, invitation):
        self.change(invitation, "expires_at = now() - interval '1 second'")

    def make_due(self):
        """Mails that were put off are due now."""
        self.deployment.execute("UPDATE latchkey.mail_outbox SET next_at = now() WHERE state = 'q'")

    def wait_for_delivery(self, invitation, delivery):
        """The invitation once the mail has come that far."""
        return wait_until(lambda: (found := self.get(invitation)).delivery == delivery and found, 30,
                          f"delivery {invitation_pb2.Delivery.Name(delivery)}")

    def wait_for_words(self, invitation, words):
        return wait_until(lambda: words in (found := self.get(invitation)).delivery_detail and found, 30,
                          f"the words {words}")

    def create_role(self, name, permissions):
        return self.administrator.members.CreateRole(
            member_pb2.CreateRoleRequest(name=name, permissions=permissions), timeout=10).role

    def administrator_role(self):
        request = member_pb2.ListRolesRequest(page_size=1000)
        while True:
            page = self.administrator.members.ListRoles(request, timeout=10)
            for role in page.roles:
                if role.built_in:
                    return role
            self.assertTrue(page.next_page_token)
            request.page_token = page.next_page_token

    def token(self, *permissions):
        """A client with a token that may do no more."""
        created = self.administrator.tokens.CreateAccessToken(
            token_pb2.CreateAccessTokenRequest(label="of a test", permissions=permissions), timeout=10)
        client = self.deployment.anybody(created.secret)
        self.addCleanup(client.close)
        return client

    def token_of(self, member):
        """A client with a token of the member's that may do all that the member may; its owner is written by hand."""
        created = self.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of a test", permissions=["latchkey.*", "charges.*", "refunds.*", "customers.*"], company_owned=True),
            timeout=10)
        self.deployment.execute(f"UPDATE latchkey.token SET member_id = '{uuid_of_id(member.member_id)}'"
                                f" WHERE token_id = '{uuid_of_id(created.access_token.token_id)}'")
        client = self.deployment.anybody(created.secret)
        self.addCleanup(client.close)
        return client
