"""What the cases about the console have in common: latchkeyd with its console, PostgreSQL, a mail server, Chromium, and people in it."""

import json
import re
import tempfile
import uuid
from pathlib import Path

from browser import Browser
from latchkey_test import CallCase, Deployment, free_port, id_of_uuid, stubs
from latchkey_test.mail import MailServer
from latchkey_test.waiting import wait_until
from pages import Console
from playwright.sync_api import expect

token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")
invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")

# Where whitelist_only() lets in, and where not.
LISTED, UNLISTED = "203.0.113.7", "198.51.100.7"
ADMINISTRATOR = "administrator@demo.example"
COOKIE = "__Host-latchkey-session"


class ConsoleCase(CallCase):
    """Visitors are where `x-forwarded-for` says, as behind a proxy. No test may leave an offence behind."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.mail = cls.enter(MailServer())
        port = free_port()
        cls.url = cls.open_front(port)
        directory = cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-console-"))
        token_file = Path(directory) / "token"
        cls.deployment = Deployment(**{
            "console_listen": f"127.0.0.1:{port}", "console_url": cls.url, "console_token_file": token_file,
            "console_link_tries": 1000, "console_links_per_address": 1000, "trusted_proxies": "127.0.0.1",
            "mails_per_recipient_day": 1000, "min_revision_wait": "30s", **cls.mail_settings(), **cls.settings})
        cls.deployment.prepare()
        demo, = cls.deployment.execute("SELECT company_id FROM latchkey.company WHERE is_demo")[0]
        cls.company_id = id_of_uuid("cmp", uuid.UUID(str(demo)))
        cls.deployment.server.settings["console_company"] = cls.company_id
        token_file.write_text("not yet\n", encoding="ascii")
        cls.enter(cls.deployment)
        cls.let_console_in(token_file)
        cls.administrator = cls.enter(cls.deployment.administrator())
        cls.operator = cls.enter(cls.deployment.operator(cls.company_id))
        cls.browser = cls.enter(Browser(cls.url))

    @classmethod
    def open_front(cls, port):
        """The URL of the console that listens there. Browsers trust this name as they do TLS."""
        return f"http://console.localhost:{port}"

    @classmethod
    def mail_settings(cls):
        """Links lead to where the console's url leads by itself."""
        settings = cls.mail.settings()
        del settings["invitation_url"]
        return settings

    @classmethod
    def let_console_in(cls, token_file):
        """It may log people in, and nothing else."""
        with cls.deployment.operator() as operator:
            token_file.write_text(operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="console", permissions=["latchkey.logins.create"]), timeout=60).secret + "\n", encoding="ascii")

    def tearDown(self):
        self.assertEqual(self.browser.take_offences(), [])

    # ---- people ----

    def visit(self, address=LISTED, **options):
        return self.browser.visit(address, **options)

    def sign_in(self, email=ADMINISTRATOR, address=LISTED, **options):
        """The console as that person sees it, at its first page: with the log-in that the door would have made and the cookie that it would
        have set, for what most tests are about comes after it."""
        visitor = self.visit(address, **options)
        visitor.put_cookie(COOKIE, self.log_in(email, address).secret)
        console = Console(visitor)
        console.open("/tokens")
        return console

    @classmethod
    def log_in(cls, email, address, user_agent="of a test"):
        return cls.operator.tokens.CreateLoginToken(token_pb2.CreateLoginTokenRequest(
            email=email, client_ip=address, user_agent=user_agent, channel="CHANNEL_UI"), timeout=60)

    def sign_in_by_mail(self, email=ADMINISTRATOR, address=LISTED, **options):
        """The same through the door."""
        console = self.open_console(self.visit(address, **options))
        console.follow_link(self.ask_for_link(console, email))
        console.wait_for_page("Access tokens")
        return console

    @staticmethod
    def open_console(visitor):
        """At the door."""
        console = Console(visitor)
        console.open("/sign-in")
        return console

    def ask_for_link(self, console, email):
        """The link that the mail has which the page has sent."""
        before = len(self.sign_in_mails(email))
        console.ask_for_link(email)
        return self.mail.mails_to(email, before + 1)[before].link()

    def sign_in_mails(self, email):
        return [mail for mail in list(self.mail.mails) if email in mail.recipients]

    @classmethod
    def new_person(cls, **fields):
        """A member of the demo company, with every right unless `role_ids` says otherwise."""
        fields = {"email": f"person-{uuid.uuid4().hex[:8]}@example.com", "display_name": "Of a test",
                  "role_ids": [cls.administrators().role_id], **fields}
        return cls.administrator.members.CreateMember(member_pb2.CreateMemberRequest(**fields), timeout=60).member

    @classmethod
    def administrators(cls):
        """The role, which came first."""
        request = member_pb2.ListRolesRequest(page_size=1000)
        return next(role for role in cls.administrator.members.ListRoles(request, timeout=60).roles if role.built_in)

    def invite(self, email, **fields):
        request = invitation_pb2.CreateInvitationsRequest(invitations=[invitation_pb2.NewInvitation(email=email, **fields)])
        return self.administrator.invitations.CreateInvitations(request, timeout=60).results[0].invitation

    def wait_for_sent(self, email):
        def is_sent():
            listed = self.administrator.invitations.ListInvitations(invitation_pb2.ListInvitationsRequest(page_size=1000), timeout=60)
            return any(found.email == email and found.delivery == invitation_pb2.DELIVERY_SENT for found in listed.invitations)
        wait_until(is_sent, 60, f"the mail to {email} to be noted as sent")

    def end_sessions(self, person):
        """From elsewhere; no page of theirs is answered any more."""
        request = token_pb2.DeactivateMemberLoginsRequest(member_id=person.member_id)
        request.wait_for_validators.FromSeconds(30)
        self.assertEqual(list(self.administrator.tokens.DeactivateMemberLogins(request, timeout=60).validators.lagging), [])

    def overtake(self, console, person):
        """What the page would change is somebody else's by then, as it says."""
        console.open(f"/users/{person.member_id}")
        console.field("Name").fill("Mine")
        self.administrator.members.UpdateMember(member_pb2.UpdateMemberRequest(
            member={"member_id": person.member_id, "display_name": "Theirs"}, update_mask={"paths": ["display_name"]}), timeout=60)
        console.button("Save").click()
        expect(console.page.get_by_text("Somebody else has changed this")).to_be_visible()

    # ---- what stands behind the pages ----

    def whitelist_only(self, *addresses):
        """Switches the demo company's whitelist on with these entries and that of the tests' own calls; it is off after the test."""
        self.addCleanup(self.forget_whitelist)
        self.forget_whitelist()
        self.add_entries(*addresses, "127.0.0.0/8")
        self.switch_whitelist(True)

    def add_entries(self, *addresses):
        self.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=address) for address in addresses], force=True), timeout=60)

    def forget_whitelist(self):
        """Off, without an entry, and with nothing that waits to be confirmed."""
        whitelist = self.administrator.whitelist
        if whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=60).whitelist.HasField("confirm_by"):
            whitelist.ConfirmWhitelist(whitelist_pb2.ConfirmWhitelistRequest(), timeout=60)
        self.switch_whitelist(False)
        held = whitelist.ListWhitelistEntries(whitelist_pb2.ListWhitelistEntriesRequest(page_size=1000), timeout=60).entries
        if held:
            whitelist.RemoveWhitelistEntries(whitelist_pb2.RemoveWhitelistEntriesRequest(
                entry_ids=[entry.entry_id for entry in held], force=True), timeout=60)

    def switch_whitelist(self, is_on):
        self.administrator.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
            whitelist={"enabled": is_on, "scope": "WHITELIST_SCOPE_ALL"}, update_mask={"paths": ["enabled", "scope"]}, force=True), timeout=60)

    def tokens(self, label):
        """Those with that label."""
        request = token_pb2.ListAccessTokensRequest(page_size=1000)
        return [token for token in self.administrator.tokens.ListAccessTokens(request, timeout=60).access_tokens if token.label == label]

    @classmethod
    def new_token(cls, label=None, **fields):
        return cls.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label=label or f"token {uuid.uuid4().hex[:8]}", **{"permissions": ["charges.read"], **fields}), timeout=60)

    @classmethod
    def reason(cls, secret, address=LISTED, channel="CHANNEL_API", **fields):
        """What Validate says of a secret, once the validator has applied every change."""
        request = validation_pb2.ValidateRequest(token=secret, client_ip=address, channel=channel,
                                                 min_revision=cls.revision(), **fields)
        return decision_pb2.Reason.Name(cls.administrator.validation.Validate(request, timeout=60).reason)

    @classmethod
    def revision(cls):
        """That of a change made now."""
        return cls.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name=f"of a test {uuid.uuid4().hex[:12]}", permissions=["charges.read"]), timeout=60).revision


def cookie_of(visitor):
    """The session's, None where there is none."""
    return next((cookie for cookie in visitor.context.cookies() if cookie["name"] == COOKIE), None)


def posted(visitor, method):
    """The messages of the calls of that method."""
    return [json.loads(request.post_data) for request in visitor.requests
            if request.method == "POST" and re.search(rf"/{method}$", request.url)]
