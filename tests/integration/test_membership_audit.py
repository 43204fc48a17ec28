"""What the audit log says of changes of companies, members and roles: one event each, in the company that was changed, and none
where nothing did."""

import json
import unittest

from audit_case import audit_pb2
from member_case import MemberCase, company_pb2


class MembershipAudit(MemberCase):
    def events(self, company):
        """(action, object, before, after) in the order in which they happened, but for what the tests' own tokens leave."""
        page = company.operator.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=1000), timeout=20)
        return [(event.action, event.object_id, json.loads(event.before or "null"), json.loads(event.after or "null"))
                for event in reversed(page.events) if not event.action.startswith("token.")]

    def test_each_change_has_one_event_in_the_log_of_its_company(self):
        company = self.new_company()
        role = company.create_role("worker", ["charges.create"])
        company.update_role(role.role_id, permissions=["charges.*"])
        member = company.create_member("bob@acme.example", [role.role_id], display_name="Bob")
        company.update(member.member_id, display_name="Robert", role_ids=[])
        company.delete_role(role.role_id)
        company.owner_token(member.member_id)
        company.remove(member.member_id, transfer_tokens_to=company.id)
        with self.deployment.operator() as operator:
            operator.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
                company={"company_id": company.id, "name": "Renamed", "policy": {"require_expiry": True}},
                update_mask={"paths": ["name", "policy.require_expiry"]}), timeout=20)
            operator.companies.SuspendCompany(company_pb2.SuspendCompanyRequest(
                company_id=company.id, note="unpaid"), timeout=20)
            operator.companies.ResumeCompany(company_pb2.ResumeCompanyRequest(company_id=company.id), timeout=20)
        events = self.events(company)
        self.assertEqual([(action, object_id) for action, object_id, _, _ in events], [
            ("company.created", company.id), ("member.created", company.ada.member_id),
            ("role.created", role.role_id), ("role.updated", role.role_id), ("member.created", member.member_id),
            ("member.updated", member.member_id), ("role.deleted", role.role_id), ("member.removed", member.member_id),
            ("member.tokens_transferred", member.member_id), ("company.updated", company.id), ("company.suspended", company.id),
            ("company.suspension_explained", company.id), ("company.resumed", company.id)])
        told = {action: (before, after) for action, _, before, after in events}
        self.assertEqual(told["role.updated"], ({"permissions": ["charges.create"]}, {"permissions": ["charges.*"]}))
        self.assertEqual(told["member.updated"], ({"display_name": "Bob", "role_ids": [role.role_id]},
                                                  {"display_name": "Robert", "role_ids": []}))
        self.assertEqual(told["member.tokens_transferred"][1],
                         {"token_count": 1, "login_count": 0, "transfer_tokens_to": company.id})
        self.assertEqual(told["company.suspension_explained"][1], {"note": "unpaid"})
        self.assertEqual(told["company.updated"][1], {"name": "Renamed", "policy": {"require_expiry": True}})

    def test_tokens_that_end_with_their_member_are_counted(self):
        company = self.new_company()
        member = company.create_member("bob@acme.example")
        for kind in "aal":
            company.owner_token(member.member_id, kind=kind)
        company.remove(member.member_id)
        self.assertEqual(self.events(company)[-1], ("member.tokens_ended", member.member_id, None, {
            "token_count": 2, "login_count": 1, "transfer_tokens_to": ""}))

    def test_what_changes_nothing_has_none(self):
        company = self.new_company()
        role = company.create_role("worker", ["charges.create"])
        member = company.create_member("bob@acme.example", [role.role_id])
        company.remove(member.member_id)
        before = self.events(company)
        company.update_role(role.role_id, name="worker", permissions=["charges.create"])
        company.update(company.ada.member_id, role_ids=[company.administrator_role])
        company.remove(member.member_id)
        company.delete_role("rol_00000000000000000000000000")
        company.remove(company.create_member("eve@acme.example").member_id, dry_run=True)
        with self.deployment.operator() as operator:
            operator.companies.ResumeCompany(company_pb2.ResumeCompanyRequest(company_id=company.id), timeout=20)
        self.assertEqual([event[0] for event in self.events(company)[len(before):]], ["member.created"])


if __name__ == "__main__":
    unittest.main()
