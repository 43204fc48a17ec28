"""Text that others chose, in every field that takes any, is text on every page: nothing of it runs, and none of it becomes an element."""

import unittest
import urllib.parse
import uuid

from console_case import LISTED, ConsoleCase, company_pb2, invitation_pb2, member_pb2, token_pb2, whitelist_pb2
from pages import PAGES, Console
from playwright.sync_api import expect

# What would raise a dialog, leave a mark or ask somebody else, if anything of it ran.
HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "<script>window.ran = 1; alert(1)</script>",
    '"><svg/onload=alert(1)><"',
    "javascript:alert(1)//'`;alert(1)//",
    "{{constructor.constructor('alert(1)')()}}${alert(1)}<%= 7*7 %>",
    '</title></textarea></style></script><iframe srcdoc="<script>parent.alert(1)</script>">',
    '<a href="javascript:alert(1)">win</a><base href="https://evil.example/">',
    "\u202egnp.exe\u202c \u0000\u2066<b>bold</b>".replace("\u0000", ""),
)


class HostileText(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token_ids, cls.member_ids, cls.role_ids = [], [], []
        for text in HOSTILE:
            cls.put_everywhere(text)
        cls.name_company(HOSTILE[0])

    @classmethod
    def put_everywhere(cls, text):
        created = cls.administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label=text, description=text, permissions=["charges.read"], metadata={"key": text}, external_id=f"{text} {uuid.uuid4()}"), timeout=60)
        cls.token_ids.append(created.access_token.token_id)
        cls.administrator.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
            token_id=cls.new_token(text).access_token.token_id, note=text), timeout=60)
        role = cls.administrator.members.CreateRole(member_pb2.CreateRoleRequest(name=text[:90], permissions=["charges.read"]), timeout=60).role
        cls.role_ids.append(role.role_id)
        cls.member_ids.append(cls.new_person(display_name=text[:100], role_ids=[role.role_id], external_id=text).member_id)
        cls.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(entries=[
            whitelist_pb2.NewWhitelistEntry(address=f"10.{HOSTILE.index(text)}.0.0/16", note=text, owner=text)]), timeout=60)
        cls.log_in(cls.new_person().email, LISTED, user_agent=text)

    @classmethod
    def name_company(cls, name):
        cls.administrator.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
            company=company_pb2.Company(name=name), update_mask={"paths": ["name"]}), timeout=60)

    def assert_is_text(self, console):
        """Whatever ran would also be an offence of the visitor's."""
        found = console.page.evaluate("""() => ({
            ran: "ran" in window,
            elements: [...document.querySelectorAll("iframe, base, svg[onload], img[onerror], [href^='javascript:'], main script, main b")].map(element => element.outerHTML),
        })""")
        self.assertEqual(found, {"ran": False, "elements": []})

    def test_no_page_runs_what_stands_in_a_name(self):
        console = self.sign_in()
        tokens = [f"/tokens/{token}" for token in self.token_ids]
        paths = [*PAGES, "/users?list=roles", *tokens, f"{tokens[0]}/edit", f"{tokens[1]}/edit", *(f"/users/{member}" for member in self.member_ids),
                 *(f"/users/roles/{role}" for role in self.role_ids)]
        for path in paths:
            with self.subTest(path=path):
                console.open(path)
                self.assert_is_text(console)

    def test_what_was_chosen_is_shown_as_it_is(self):
        console = self.sign_in()
        for path in ("/tokens", "/users", "/security", "/users?list=roles"):
            console.open(path)
            for text in HOSTILE[:3]:
                with self.subTest(path=path, text=text):
                    expect(console.page.get_by_text(text).first).to_be_visible()

    def test_no_address_of_a_page_runs_what_is_in_it(self):
        nobody = Console(self.visit())
        for text in HOSTILE[:7]:
            encoded = urllib.parse.quote(text, safe="")
            for path in (f"/sign-in?refused={encoded}&address={encoded}", f"/sign-in/link#{text}", f"/invitation#{text}", f"/{encoded}",
                         f"/tokens/{encoded}"):
                with self.subTest(path=path):
                    nobody.page.goto("about:blank")  # else only what is behind the # would be another
                    nobody.page.goto(self.url + path)
                    if "." not in path.partition("?")[0].partition("#")[0]:  # what looks like a file is none of the pages
                        expect(nobody.page.get_by_role("heading", level=1)).to_be_visible()
                    self.assert_is_text(nobody)

    def test_a_return_to_another_site_is_not_followed(self):
        for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
            visitor = self.visit()
            console = Console(visitor)
            console.page.goto(f"{self.url}/sign-in?return={target}")
            console.follow_link(self.ask_for_link(console, self.new_person().email))
            console.wait_for_page("Access tokens")

    def test_an_invitation_of_a_company_with_such_a_name_is_read_as_text(self):
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        self.administrator.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
            invitations=[invitation_pb2.NewInvitation(email=email)]), timeout=60)
        guest = Console(self.visit())
        guest.page.goto(self.mail.mails_to(email)[0].link())
        expect(guest.page.get_by_text(HOSTILE[0])).to_be_visible()
        self.assert_is_text(guest)


if __name__ == "__main__":
    unittest.main()
