"""My company > Security: the whitelist is typed, pasted, tried out and switched on, and nobody locks themselves out by accident."""

import re
import unittest

from console_case import LISTED, UNLISTED, ConsoleCase, whitelist_pb2
from latchkey_test.waiting import wait_until
from playwright.sync_api import expect

ELSEWHERE = "192.0.2.7"


class Whitelist(ConsoleCase):
    settings = {"whitelist_sweep": "1s", "use_flush_interval": "100ms"}

    def setUp(self):
        self.forget_whitelist()
        self.console = self.sign_in()
        self.console.go_to("Security")

    def entries(self):
        """CIDR -> note, of the live list."""
        listed = self.administrator.whitelist.ListWhitelistEntries(whitelist_pb2.ListWhitelistEntriesRequest(page_size=1000), timeout=60)
        return {entry.cidr: entry.note for entry in listed.entries}

    def is_on(self):
        return self.administrator.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=60).whitelist.enabled

    def test_rows_are_typed_with_their_checking_bits(self):
        console = self.console
        console.fill_entry_row(1, "203.0.113.77", "24", "office")
        console.button("+ One more row").click()
        console.fill_entry_row(2, "2001:db8::1", None, "laptop")
        console.button("+ One more row").click()
        console.fill_entry_row(3, "198.51.100.0", None, "not this one")
        console.button("Remove 198.51.100.0").click()
        console.button("Add").click()
        console.said("2 entries are added")
        self.assertEqual(self.entries(), {"203.0.113.0/24": "office", "2001:db8::1/128": "laptop"})
        expect(console.row("203.0.113.0/24")).to_contain_text("office")

    def test_a_pasted_list_is_judged_line_by_line(self):
        console = self.console
        console.button("Paste a list").click()
        console.field("List").fill("203.0.113.0/24 office\n10.0.0.256\n2001:db8::/32\n198.51.100.7 24\nnonsense\n")
        lines = console.page.get_by_role("table", name="Lines that are not understood")
        expect(lines).to_contain_text("10.0.0.256")
        expect(lines).to_contain_text("nonsense")
        console.button("Add 3 entries").click()
        expect(console.field("List")).to_have_attribute("aria-invalid", "true")
        self.assertEqual(self.entries(), {})
        console.page.get_by_role("checkbox", name="Leave these lines out").check()
        console.button("Add 3 entries").click()
        console.said("3 entries are added")
        self.assertEqual(self.entries(), {"203.0.113.0/24": "office", "2001:db8::/32": "", "198.51.100.0/24": ""})

    def test_an_address_is_checked_and_the_nearest_entry_named(self):
        self.add_entries("203.0.113.0/25")
        console = self.console
        console.check_address("203.0.113.1")
        expect(console.page.get_by_text("203.0.113.1 is on the list.")).to_be_visible()
        console.check_address("203.0.113.200")
        expect(console.page.get_by_text("203.0.113.200 is not on the list.")).to_be_visible()
        expect(console.page.get_by_text("24 leading bits in common")).to_be_visible()

    def test_switching_on_shows_whom_it_refuses_and_warns_of_ones_own_address(self):
        used = self.new_token()
        self.assertEqual(self.reason(used.secret, ELSEWHERE), "REASON_OK")
        wait_until(lambda: self.tokens(used.access_token.label)[0].last_used_ip == ELSEWHERE, 60, "the use to be written")
        self.add_entries("127.0.0.0/8", "10.0.0.0/8")
        console = self.console
        console.open("/security")
        console.button("Switch on").click()
        expect(console.dialog).to_contain_text(used.access_token.label)
        expect(console.dialog).to_contain_text(ELSEWHERE)
        expect(console.dialog).to_contain_text("It refuses you.")
        console.button("Switch on", console.dialog).click()
        warning = console.dialog.get_by_role("alert")
        expect(warning).to_contain_text("This would refuse you.")
        expect(warning).to_contain_text(LISTED)
        self.assertFalse(self.is_on())
        console.button("Cancel", console.dialog).click()
        console.button("Add my address").click()
        console.said(f"{LISTED} is added")
        console.button("Switch on").click()
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on")
        self.assertEqual(self.reason(used.secret, ELSEWHERE), "REASON_COMPANY_IP_NOT_LISTED")
        self.assertEqual(self.reason(used.secret, LISTED), "REASON_OK")

    def waiting(self):
        """What of the whitelist waits for its confirmation; and that it is on."""
        whitelist = self.administrator.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=60).whitelist
        return whitelist_pb2.WhitelistUnconfirmed.Name(whitelist.unconfirmed).removeprefix("WHITELIST_UNCONFIRMED_"), whitelist.enabled

    def switch_on(self, within="10 minutes"):
        """By the page, with everybody of these tests on the list."""
        self.add_entries("127.0.0.0/8", "203.0.113.0/24")
        console = self.console
        console.open("/security")
        console.button("Switch on").click()
        expect(console.field("Confirm within", console.dialog).locator("option:checked")).to_have_text("10 minutes")
        if within != "10 minutes":
            console.field("Confirm within", console.dialog).select_option(within)
        return console

    def end_soon(self):
        self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = now() + interval '3 seconds' WHERE confirm_by IS NOT NULL")

    def test_switched_on_it_counts_down_also_after_a_reload_until_it_is_kept(self):
        console = self.switch_on("5 minutes")
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on until its time is over")
        expect(console.page.get_by_role("timer")).to_have_text(re.compile("^[45]:[0-5][0-9]$"))
        self.assertEqual(self.waiting(), ("SWITCH", True))
        console.open("/security")
        expect(console.page.get_by_role("timer")).to_have_text(re.compile("^[45]:[0-5][0-9]$"))
        console.fill_entry_row(1, "198.51.100.0", "24", "who was missing")
        console.button("Add").click()
        console.said("1 entry is added")
        console.button("Keep it on").click()
        console.said("The whitelist stays on")
        expect(console.page.get_by_role("timer")).to_have_count(0)
        self.assertEqual(self.waiting(), ("UNSPECIFIED", True))
        self.assertIn("198.51.100.0/24", self.entries())

    def test_switched_on_it_goes_off_again_where_nobody_keeps_it_and_says_so(self):
        made = self.new_token()
        console = self.switch_on()
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on")
        self.assertEqual(self.reason(made.secret, ELSEWHERE), "REASON_COMPANY_IP_NOT_LISTED")
        self.end_soon()
        console.open("/security")
        expect(console.page.get_by_role("timer")).to_be_visible()
        console.said("Nobody kept the whitelist on in time: it is off again.")
        expect(console.button("Switch on")).to_be_visible()
        self.assertEqual(self.waiting(), ("UNSPECIFIED", False))
        self.assertEqual(self.reason(made.secret, ELSEWHERE), "REASON_OK")

    def test_who_locks_himself_out_all_the_same_is_let_in_again(self):
        self.add_entries("127.0.0.0/8", "10.0.0.0/8")
        console = self.console
        console.open("/security")
        console.button("Switch on").click()
        console.button("Switch on", console.dialog).click()
        console.dialog.get_by_role("alert").get_by_role("button").click()
        wait_until(self.is_on, 60, "the whitelist to be on")
        console.open("/security")
        expect(console.page.get_by_text(LISTED).first).to_be_visible()
        expect(console.button("Keep it on")).to_have_count(0)
        self.end_soon()
        wait_until(lambda: not self.is_on(), 60, "the whitelist to be off again")
        console.open("/security")
        expect(console.button("Switch on")).to_be_visible()

    def test_switched_on_for_good_it_warns_and_does_not_wait(self):
        console = self.switch_on("Without: it stays in any case")
        expect(console.dialog).to_contain_text("has to ask the operator")
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on.")
        self.assertEqual(self.waiting(), ("UNSPECIFIED", True))
        expect(console.page.get_by_role("timer")).to_have_count(0)

    def test_covering_more_waits_to_be_kept_and_covering_less_does_not(self):
        console = self.switch_on("Without: it stays in any case")
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on.")
        console.button("Change what it covers").click()
        expect(console.field("Confirm within", console.dialog)).to_have_count(0)
        console.field("Covers", console.dialog).select_option("Log-ins only")
        console.button("Save", console.dialog).click()
        console.said("Saved.")
        console.button("Change what it covers").click()
        console.field("Covers", console.dialog).select_option("Every token of the company")
        expect(console.field("Confirm within", console.dialog)).to_be_visible()
        console.button("Save", console.dialog).click()
        console.said("Saved until its time is over")
        self.assertEqual(self.waiting(), ("SCOPE", True))
        console.button("Keep it so").click()
        console.said("The whitelist covers every token.")
        self.assertEqual(self.waiting(), ("UNSPECIFIED", True))

    def test_the_entry_that_lets_one_in_is_not_removed_by_accident(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.console
        console.open("/security")
        console.button("Remove 203.0.113.0/24").click()
        expect(console.dialog).to_contain_text("It refuses you.")
        console.button("Remove", console.dialog).click()
        expect(console.dialog.get_by_role("alert")).to_contain_text("This would refuse you.")
        self.assertIn("203.0.113.0/24", self.entries())
        console.button("Cancel", console.dialog).click()
        console.open("/tokens")

    def publish_draft(self, *addresses):
        """A new list, in force on trial."""
        console = self.console
        console.open("/security")
        console.button("New empty draft").click()
        console.wait_for_page("Draft of the whitelist")
        for number, address in enumerate(addresses, 1):
            if number > 1:
                console.button("+ One more row").click()
            console.fill_entry_row(number, address, None, "")
        console.button("Add").click()
        console.said("added")
        console.button("Preview").click()
        expect(console.page.get_by_text("refuse").first).to_be_visible()
        console.button("Publish").click()
        console.field("Confirm within", console.dialog).select_option("5 minutes")
        console.button("Publish", console.dialog).click()
        console.wait_for_page("Security")
        expect(console.page.get_by_role("timer")).to_be_visible()

    def test_a_published_draft_that_is_kept_stays(self):
        self.whitelist_only("203.0.113.0/24")
        self.publish_draft("127.0.0.0/8", "203.0.113.0/28")
        self.console.button("Keep it").click()
        self.console.said("The list stays")
        self.assertEqual(sorted(self.entries()), ["127.0.0.0/8", "203.0.113.0/28"])

    def test_a_published_draft_that_nobody_keeps_gives_way_to_the_list_before(self):
        self.whitelist_only("203.0.113.0/24")
        made = self.new_token()
        self.publish_draft("127.0.0.0/8", "203.0.113.0/28")
        self.assertEqual(self.reason(made.secret, "203.0.113.200"), "REASON_COMPANY_IP_NOT_LISTED")
        self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = now() + interval '3 seconds' WHERE confirm_by IS NOT NULL")
        self.console.open("/security")
        expect(self.console.button("Keep it")).to_have_count(0)
        expect(self.console.row("203.0.113.0/24")).to_be_visible()
        self.assertEqual(sorted(self.entries()), ["127.0.0.0/8", "203.0.113.0/24"])
        self.assertEqual(self.reason(made.secret, "203.0.113.200"), "REASON_OK")

    def test_from_outside_the_list_its_own_administrator_is_refused_with_the_address(self):
        self.whitelist_only("203.0.113.0/24")
        self.console.visitor.move_to(UNLISTED)
        self.console.open("/security")
        expect(self.console.page.get_by_text(UNLISTED).first).to_be_visible()


if __name__ == "__main__":
    unittest.main()
