"""The console as who uses it knows it: what pages and controls are called. Nothing else here says so."""

import re

from browser import PATIENCE_S
from latchkey_test.waiting import wait_until
from playwright.sync_api import expect

BROKEN_LINK = "This invitation link is broken. Please contact your system administrator"

# Path -> heading, of the pages that an administrator's navigation leads to.
PAGES = {
    "/tokens": "Access tokens",
    "/logins": "Recent authentications",
    "/explain": "Explain",
    "/security": "Security",
    "/users": "Users",
    "/company": "Company policy",
    "/audit": "Audit",
}


class Console:
    """What one visitor does; `page` is the tab in front."""

    def __init__(self, visitor, page=None):
        self.visitor, self.page = visitor, page or visitor.page

    # ---- getting about ----

    def open(self, path):
        """By address, as from a bookmark."""
        self.page.goto(self.visitor.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        self.wait_until_loaded()

    def go_to(self, name):
        """By the navigation."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
        self.wait_for_page(name)

    def wait_for_page(self, heading):
        expect(self.heading(heading)).to_be_visible()
        self.wait_until_loaded()

    def heading(self, name):
        return self.page.get_by_role("heading", level=1, name=name)

    def wait_until_loaded(self):
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    # ---- what is on a page ----

    def field(self, name, within=None):
        """Its name as a whole, but for `(required)` behind it."""
        return (within or self.page).get_by_label(re.compile(rf"^{re.escape(name)}( \(required\))?$"))

    def button(self, name, within=None):
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def link(self, name, within=None):
        return (within or self.page).get_by_role("link", name=name, exact=True)

    def row(self, header):
        """The row of a table by what its first cell says."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=header))

    @property
    def dialog(self):
        return self.page.get_by_role("dialog")

    @property
    def alert(self):
        return self.page.get_by_role("alert")

    def said(self, words):
        """Waits for what is told in passing, since that was waited for the last time or another page was opened."""
        wait_until(lambda: self.page.evaluate("words => [...latchkeySaid].some(text => text.includes(words))", words), PATIENCE_S,
                   f"“{words}” to be said")
        self.page.evaluate("latchkeySaid.clear()")

    # ---- signing in ----

    def ask_for_link(self, email):
        self.field("E-mail address").fill(email)
        self.button("Send me a link").click()
        expect(self.page.get_by_text("Look into your mailbox")).to_be_visible()

    def follow_link(self, link):
        """That of a mail, in the browser that has asked for it; no other is let in by it."""
        self.page.goto(link)

    def signed_out(self):
        """What covers a page with something typed on it when the session is over."""
        return self.page.get_by_role("dialog", name="You are signed out")

    # ---- access tokens ----

    def fill_new_token(self, label, *permissions):
        self.open("/tokens/new")
        self.field("Label").fill(label)
        for permission in permissions:
            self.page.get_by_role("checkbox", name=permission).check()

    def create_token(self):
        """The secret, of which the page says that it is shown this once."""
        self.button("Create").click()
        return self.secret()

    def secret(self):
        field = self.field("Secret")
        expect(field).to_have_value(re.compile(r"^lka_\w{51}$"))
        return field.input_value()

    def save_secret(self):
        self.button("I have saved it").click()
        expect(self.field("Secret")).to_have_count(0)

    def allow_in_browsers(self):
        self.page.get_by_role("checkbox", name="In a browser (UI)").check()

    def open_token(self, label):
        self.open("/tokens")
        self.link(label).click()
        self.wait_for_page(re.compile("."))

    # ---- security ----

    def fill_entry_row(self, number, address, bits, note):
        """`bits` as the choice has it, None: as it stands."""
        row = self.page.get_by_role("group", name=f"Address {number}", exact=True)
        self.field("Address", row).fill(address)
        if bits:
            self.field("Checking bits", row).select_option(label=bits)
        self.field("Note", row).fill(note)

    def check_address(self, address):
        card = self.page.get_by_role("region", name="Check an address")
        self.field("Address", card).fill(address)
        self.button("Check", card).click()

    def filter_entries(self, address):
        self.field("Holds the address").fill(address)
        self.button("Show").click()
        self.wait_until_loaded()

    def scroll_list(self, screens, measure):
        """Downwards by the wheel; the most that was measured on the way."""
        most = 0
        for _ in range(screens):
            self.page.mouse.wheel(0, 700)
            most = max(most, measure())
        return most

    # ---- users ----

    def open_invitations(self):
        self.open("/users?list=invitations")

    # ---- audit and explain ----

    def filter_audit(self, action):
        self.field("Action").fill(action)
        self.button("Show").click()
        self.wait_until_loaded()

    def choose_token(self, label):
        self.field("Token").select_option(label=f"{label} (Active)")
