"""What was done, and why a token is let in or refused."""

import unittest
import uuid

from console_case import ADMINISTRATOR, LISTED, ConsoleCase, company_pb2
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
        self.new_token()
        self.new_person()
        console = self.sign_in()
        console.go_to("Audit")
        console.filter_audit("token.created")
        actions = console.page.get_by_role("table").first.get_by_role("rowheader")
        expect(actions.filter(has_not_text="token.created")).to_have_count(0)
        expect(actions.filter(has_text="token.created").first).to_be_visible()

    def test_what_was_changed_is_shown_before_and_after(self):
        person = self.new_person(display_name="Before")
        console = self.sign_in()
        console.open(f"/users/{person.member_id}")
        console.field("Name").fill("After")
        console.button("Save").click()
        console.said("Saved")
        console.go_to("Audit")
        console.filter_audit("member.updated")
        console.page.get_by_role("button", name="Details of member.updated").first.click()
        row = console.dialog.get_by_role("row").filter(has_text="display")
        expect(row.first).to_contain_text("Before")
        expect(row.first).to_contain_text("After")

    def test_the_chain_is_walked_and_a_link_that_was_altered_is_named(self):
        self.new_token()
        console = self.sign_in()
        console.go_to("Audit")
        console.button("Verify").click()
        expect(console.page.get_by_text("The chain is intact")).to_be_visible()
        number = self.alter_event()
        try:
            console.button("Verify").click()
            expect(console.page.get_by_text(f"The chain is broken at event {number}.")).to_be_visible()
        finally:
            self.alter_event(back=True)

    def alter_event(self, back=False):
        """Past the trigger that keeps events as they are; the number of the one that says something else now."""
        action = "'token.created'" if back else "'token.forged'"
        self.switch_guard("DISABLE")
        try:
            return self.deployment.execute(f"""
                UPDATE latchkey.audit_event SET action = {action}
                 WHERE event_id = (SELECT event_id FROM latchkey.audit_event JOIN latchkey.company USING (company_id)
                                    WHERE is_demo AND action IN ('token.created', 'token.forged') ORDER BY number LIMIT 1)
                RETURNING number""")[0][0]
        finally:
            self.switch_guard("ENABLE ALWAYS")

    def switch_guard(self, how):
        self.deployment.execute(f"ALTER TABLE latchkey.audit_event {how} TRIGGER audit_event_kept")


class Policy(ConsoleCase):
    def test_the_companys_rules_hold_for_the_next_token(self):
        console = self.sign_in()
        self.addCleanup(self.forget_policy)
        console.go_to("Company policy")
        console.page.get_by_role("checkbox", name="A new access token must have an expiry").check()
        console.button("Save").click()
        console.said("Saved")
        label = f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        console.button("Create").click()
        expect(console.alert).to_be_visible()
        self.assertEqual(self.tokens(label), [])
        console.field("Expires in").fill("30")
        console.create_token()
        console.save_secret()
        self.assertTrue(self.tokens(label)[0].HasField("expires_at"))

    def forget_policy(self):
        self.administrator.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
            company=company_pb2.Company(), update_mask={"paths": ["policy.require_expiry"]}), timeout=60)


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
        expect(console.page.get_by_text("Allowed.", exact=True)).to_be_visible()
        self.explain(console, label, "203.0.113.200")
        expect(console.page.get_by_text("Refused.", exact=True)).to_be_visible()
        expect(console.page.get_by_role("main")).to_contain_text("203.0.113.0/25")
        expect(console.page.get_by_role("main")).to_contain_text("24 leading bits in common")
        self.assertEqual(self.reason(made.secret, "203.0.113.200"), "REASON_TOKEN_IP_NOT_LISTED")


if __name__ == "__main__":
    unittest.main()
