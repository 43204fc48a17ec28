"""The console as who uses it knows it: what pages and controls are called. Nothing else here says so."""

import re

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
        """Waits for what is told in passing."""
        expect(self.page.get_by_role("status").filter(has_text=words)).to_be_visible()

    # ---- signing in ----

    def ask_for_link(self, email):
        self.field("E-mail address").fill(email)
        self.button("Send me a link").click()
        expect(self.page.get_by_text("Look into your mailbox")).to_be_visible()

    def follow_link(self, link):
        """That of a mail; what only looks at mails presses no button."""
        self.page.goto(link)
        self.wait_for_page("Finish signing in")
        self.button("Sign in").click()

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

    def choose_channel(self, name):
        self.page.get_by_role("group", name="Channels").get_by_role("checkbox", name=re.compile(rf"^{name}\b")).check()

    def choose_grace(self):
        """As it is proposed."""
        expect(self.dialog).to_be_visible()

    def show_ended_tokens(self):
        self.page.get_by_label("State").select_option(label="Any state")

    def confirm_if_asked(self, name):
        """In the dialog, where one opens."""
        expect(self.page.get_by_role("status").or_(self.dialog).first).to_be_attached()
        if self.dialog.count():
            self.button(name, self.dialog).click()

    # ---- users ----

    def open_invitations(self):
        self.open("/users")
        self.page.get_by_role("tab", name="Invitations").or_(self.link("Invitations")).or_(self.button("Invitations")).first.click()
        self.wait_until_loaded()

    # ---- audit and explain ----

    def filter_audit(self, action):
        self.field("Action").fill(action)
        self.page.keyboard.press("Enter")
        self.wait_until_loaded()

    def verify_chain(self):
        self.button("Verify").click()

    def choose_token(self, label):
        self.field("Token").select_option(label=label)
