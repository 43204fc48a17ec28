"""What was done, and why a token is let in or refused."""

import unittest
import uuid

from console_case import ADMINISTRATOR, LISTED, UNLISTED, ConsoleCase
from playwright.sync_api import expect


class Audit(ConsoleCase):
    def test_what_was_done_is_listed_with_who_did_it_and_from_where(self):
        console, label = self.sign_in(), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        console.create_token()
        console.save_secret()
        console.go_to("Audit")
        row = console.page.get_by_role("row").filter(has_text="token.created").first
        expect(row).to_contain_text(ADMINISTRATOR)
        expect(row).to_contain_text(LISTED)

    def test_a_filter_leaves_what_was_asked_for(self):
        made = self.new_token()
        console = self.sign_in()
        console.go_to("Audit")
        console.filter_audit("token.created")
        rows = console.page.get_by_role("row").filter(has=console.page.get_by_role("cell"))
        expect(rows.first).to_contain_text("token.created")
        expect(rows.filter(has_not_text="token.created")).to_have_count(0)
        self.assertTrue(made.access_token.token_id)

    def test_the_chain_is_verified_and_a_broken_link_is_named(self):
        self.new_token()
        console = self.sign_in()
        console.go_to("Audit")
        console.verify_chain()
        expect(console.page.get_by_text("intact").first).to_be_visible()


class Explain(ConsoleCase):
    def explain(self, console, label, address):
        console.open("/explain")
        console.choose_token(label)
        console.field("Address").fill(address)
        console.button("Explain").click()
        expect(console.page.get_by_role("heading", name="The answer")).to_be_visible()

    def test_the_check_that_fails_is_named_with_the_nearest_entry(self):
        made = self.new_token(allowed_ips=["203.0.113.0/25"])
        label = made.access_token.label
        console = self.sign_in()
        self.explain(console, label, LISTED)
        expect(console.page.get_by_text("Allowed", exact=True)).to_be_visible()
        self.explain(console, label, "203.0.113.200")
        expect(console.page.get_by_text("Refused", exact=True)).to_be_visible()
        expect(console.page.get_by_role("main")).to_contain_text("203.0.113.0/25")
        expect(console.page.get_by_role("main")).to_contain_text("24 leading bits in common")
        self.assertEqual(self.reason(made.secret, "203.0.113.200"), "REASON_TOKEN_IP_NOT_LISTED")
        self.assertFalse(self.tokens(label)[0].HasField("last_used_at") and self.tokens(label)[0].last_used_ip == UNLISTED)


if __name__ == "__main__":
    unittest.main()
