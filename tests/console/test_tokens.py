"""Access tokens as their owner keeps them, and what the validator makes of each change."""

import re
import unittest
import uuid

from accessibility import ALL, violations
from console_case import ADMINISTRATOR, LISTED, UNLISTED, ConsoleCase, posted
from latchkey_test.waiting import wait_until
from playwright.sync_api import expect


def unique(words="token"):
    return f"{words} {uuid.uuid4().hex[:8]}"


class Tokens(ConsoleCase):
    settings = {"use_flush_interval": "100ms"}

    def test_a_new_token_is_shown_once_and_works_as_it_was_granted(self):
        console, label = self.sign_in(), unique()
        console.link("Create new").click()
        console.wait_for_page("New access token")
        console.field("Label").fill(label)
        console.page.get_by_role("checkbox", name="charges.create").check()
        secret = console.create_token()
        self.assertEqual(self.reason(secret, permissions=["charges.create"]), "REASON_OK")
        self.assertEqual(self.reason(secret, permissions=["refunds.create"]), "REASON_PERMISSION_MISSING")
        console.save_secret()
        self.assertNotIn(secret, console.page.content())
        (token,) = self.tokens(label)
        self.assertFalse(token.HasField("expires_at"))
        console.open("/tokens")
        expect(console.row(label)).to_contain_text("Active")
        self.assertNotIn(secret, console.page.content())

    def test_a_group_grants_all_that_is_in_it(self):
        console, label = self.sign_in(), unique()
        console.fill_new_token(label, "charges.*")
        secret = console.create_token()
        console.save_secret()
        self.assertEqual(list(self.tokens(label)[0].permissions), ["charges.*"])
        self.assertEqual(self.reason(secret, permissions=["charges.create", "charges.read"]), "REASON_OK")

    def test_the_secret_is_copied_by_a_button(self):
        console = self.sign_in(permissions=["clipboard-read", "clipboard-write"])
        console.fill_new_token(unique(), "charges.read")
        secret = console.create_token()
        console.button("Copy").click()
        console.said("Copied")
        self.assertEqual(console.page.evaluate("navigator.clipboard.readText()"), secret)
        console.save_secret()

    def test_addresses_and_domains_of_a_token_are_those_that_were_typed(self):
        console, label = self.sign_in(), unique()
        console.fill_new_token(label, "charges.read")
        console.allow_in_browsers()
        console.field("Whitelist IPs").fill("203.0.113.0/24\n2001:db8::/32")
        console.field("Whitelist domains").fill("app.example.com\n*.example.org")
        secret = console.create_token()
        console.save_secret()
        (token,) = self.tokens(label)
        self.assertEqual(list(token.allowed_ips), ["203.0.113.0/24", "2001:db8::/32"])
        self.assertEqual(sorted(token.allowed_domains), ["*.example.org", "app.example.com"])
        ask = {"channel": "CHANNEL_UI", "domain": "app.example.com"}
        self.assertEqual(self.reason(secret, LISTED, **ask), "REASON_OK")
        self.assertEqual(self.reason(secret, UNLISTED, **ask), "REASON_TOKEN_IP_NOT_LISTED")
        self.assertEqual(self.reason(secret, LISTED, **{**ask, "domain": "other.example.com"}), "REASON_DOMAIN_NOT_LISTED")

    def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(self):
        console, label = self.sign_in(), unique()
        console.fill_new_token(label, "charges.read")
        console.field("Whitelist IPs").fill("203.0.113.0/24\n300.1.1.1")
        console.button("Create").click()
        expect(console.page.get_by_text("300.1.1.1").first).to_be_visible()
        expect(console.field("Whitelist IPs")).to_have_attribute("aria-invalid", "true")
        expect(console.field("Label")).to_have_value(label)
        expect(console.page.get_by_role("checkbox", name="charges.read")).to_be_checked()
        self.assertEqual(self.tokens(label), [])
        console.field("Whitelist IPs").fill("203.0.113.0/24")
        console.create_token()
        console.save_secret()

    def test_a_token_is_narrowed_where_it_is_edited(self):
        made = self.new_token(permissions=["charges.read", "charges.create"])
        console = self.sign_in()
        console.open_token(made.access_token.label)
        console.link("Edit").click()
        console.field("Whitelist IPs").fill("203.0.113.0/28")
        console.page.get_by_role("checkbox", name="charges.create").uncheck()
        console.button("Save").click()
        console.said("Saved")
        self.assertEqual(self.reason(made.secret, LISTED, permissions=["charges.read"]), "REASON_OK")
        self.assertEqual(self.reason(made.secret, UNLISTED), "REASON_TOKEN_IP_NOT_LISTED")
        self.assertEqual(self.reason(made.secret, LISTED, permissions=["charges.create"]), "REASON_PERMISSION_MISSING")

    def test_a_rotation_with_grace_leaves_both_secrets_good(self):
        made = self.new_token()
        console = self.sign_in()
        console.open_token(made.access_token.label)
        console.button("Rotate").click()
        console.field("The old secret works on for", console.dialog).select_option("1 hour")
        console.button("Rotate", console.dialog).click()
        secret = console.secret()
        self.assertNotEqual(secret, made.secret)
        self.assertEqual(self.reason(secret), "REASON_OK")
        self.assertEqual(self.reason(made.secret), "REASON_OK")
        console.save_secret()

    def test_a_suspended_token_is_refused_until_it_is_resumed(self):
        made = self.new_token()
        console = self.sign_in()
        console.open_token(made.access_token.label)
        console.button("Suspend").click()
        console.button("Suspend", console.dialog).click()
        console.said("It is suspended")
        self.assertEqual(self.reason(made.secret), "REASON_SUSPENDED")
        console.button("Resume").click()
        console.said("It is resumed")
        self.assertEqual(self.reason(made.secret), "REASON_OK")

    def test_a_deactivation_must_be_typed_and_is_for_good(self):
        made = self.new_token()
        label = made.access_token.label
        console = self.sign_in()
        console.open_token(label)
        console.button("Deactivate").click()
        confirm = console.button("Deactivate permanently", console.dialog)
        confirmation = console.dialog.get_by_label(f"Type {label} to confirm")
        confirmation.fill(label[:-1])
        confirm.click(force=True)
        self.assertEqual(posted(console.visitor, "DeactivateAccessToken"), [])
        confirmation.fill(label)
        confirm.click()
        expect(console.dialog).to_have_count(0)
        self.assertEqual(self.reason(made.secret), "REASON_DEACTIVATED")
        console.open("/tokens")
        expect(console.row(label)).to_contain_text("Deactivated")

    def test_all_tokens_of_a_filter_are_deactivated_once_their_number_is_typed(self):
        words = unique("of one kind")
        made = [self.new_token(f"{words} {number}") for number in range(3)]
        other = self.new_token()
        console = self.sign_in()
        expect(console.button("Deactivate all of these")).to_have_count(0)
        console.field("Label contains").fill(words)
        expect(console.row(other.access_token.label)).to_have_count(0)
        console.button("Deactivate all of these").click()
        expect(console.dialog).to_contain_text("3 access tokens are like that")
        expect(console.dialog).to_contain_text(words)
        self.assertEqual(violations(console.page, ALL), [])
        confirmation = console.dialog.get_by_label("Type 3 to confirm")
        confirmation.fill("4")
        console.button("Deactivate permanently", console.dialog).click()
        expect(confirmation).to_have_attribute("aria-invalid", "true")
        self.assertEqual([message for message in posted(console.visitor, "DeactivateAccessTokens") if not message.get("dryRun")], [])
        confirmation.fill("3")
        console.button("Deactivate permanently", console.dialog).click()
        console.said("3 access tokens are deactivated")
        expect(console.dialog).to_have_count(0)
        for token in made:
            self.assertEqual(self.reason(token.secret), "REASON_DEACTIVATED")
            expect(console.row(token.access_token.label)).to_contain_text("Deactivated")
        self.assertEqual(self.reason(other.secret), "REASON_OK")
        console.button("Deactivate all of these").click()
        expect(console.dialog).to_contain_text("There is none to deactivate")

    def test_the_list_says_when_and_from_where_a_token_was_used_last(self):
        made = self.new_token()
        self.assertEqual(self.reason(made.secret, LISTED), "REASON_OK")
        wait_until(lambda: self.tokens(made.access_token.label)[0].last_used_ip == LISTED, 60, "the use to be written")
        console = self.sign_in()
        row = console.row(made.access_token.label)
        expect(row).to_contain_text(LISTED)
        expect(row.locator("time").first).to_have_attribute("title", re.compile(r"UTC"))

    def test_recent_authentications_name_each_log_in_and_end_it(self):
        person = self.new_person()
        there = self.sign_in(person.email, address=LISTED)
        console = self.sign_in(ADMINISTRATOR)
        console.go_to("Recent authentications")
        row = console.page.get_by_role("row").filter(has_text=person.email).filter(has=console.page.get_by_role("button"))
        expect(row).to_contain_text(LISTED)
        row.get_by_role("button").click()
        console.button("Deactivate", console.dialog).click()
        expect(row).to_have_count(0)
        there.link("Users").click()
        there.wait_for_page("Sign in")


if __name__ == "__main__":
    unittest.main()
