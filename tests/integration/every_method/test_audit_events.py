"""Every change that is served, called for real: it writes exactly the events of its line below, with who, what, before, after.

A method that is served and has no line fails.
"""

import json
import unittest
import uuid

from latchkey_test import CallCase, Deployment, Stage, contract, uuid_of_id

CHANGES = [method for method in contract.served_methods() if method.is_change]

# Method -> its events in their order: action, what its object's id begins with, whether there is a before, an after.
EVENTS = {
    "CreateAccessToken": [("token.created", "tok_", False, True)],
    "ImportAccessTokens": [("token.imported", "tok_", False, True)] * 2,
    "UpdateAccessToken": [("token.updated", "tok_", True, True)],
    "DeactivateAccessToken": [("token.deactivated", "tok_", True, True)],
    "DeactivateAccessTokens": [("token.deactivated", "cmp_", False, True)],
    "SuspendAccessToken": [("token.suspended", "tok_", True, True)],
    "ResumeAccessToken": [("token.resumed", "tok_", True, True)],
    "RotateAccessToken": [("token.rotated", "tok_", True, True)],
    "SetPermissions": [("permissions.set", "cmp_", True, True)],
    "CreateLoginToken": [("login.created", "tok_", False, True)],
    "DeactivateLoginToken": [("login.deactivated", "tok_", True, True)],
    "DeactivateMemberLogins": [("member.logins_deactivated", "mbr_", False, True)],
    "ReportLeakedToken": [("token.leak_reported", "tok_", False, True), ("token.deactivated", "tok_", True, True)],

    "UpdateWhitelist": [("whitelist.updated", "cmp_", True, True)],
    "AddWhitelistEntries": [("whitelist_entry.created", "ent_", False, True)],
    "UpdateWhitelistEntry": [("whitelist_entry.updated", "ent_", True, True)],
    "RemoveWhitelistEntries": [("whitelist_entry.removed", "ent_", True, False)],
    "CreateWhitelistDraft": [("whitelist_draft.created", "dra_", False, True)],
    "DiscardWhitelistDraft": [("whitelist_draft.discarded", "dra_", False, False)],
    "PublishWhitelistDraft": [("whitelist.published", "dra_", True, True)],
    "ConfirmWhitelist": [("whitelist.confirmed", "cmp_", True, True)],

    "CreateCompany": [("company.created", "cmp_", False, True), ("member.created", "mbr_", False, True)],
    "UpdateCompany": [("company.updated", "cmp_", True, True)],
    "SuspendCompany": [("company.suspended", "cmp_", True, True)],
    "ResumeCompany": [("company.resumed", "cmp_", True, True)],

    "CreateMember": [("member.created", "mbr_", False, True)],
    "UpdateMember": [("member.updated", "mbr_", True, True)],
    "RemoveMember": [("member.removed", "mbr_", True, True)],
    "CreateRole": [("role.created", "rol_", False, True)],
    "UpdateRole": [("role.updated", "rol_", True, True)],
    "DeleteRole": [("role.deleted", "rol_", True, False)],

    "CreateInvitations": [("invitation.created", "inv_", False, True)],
    "ResendInvitation": [("invitation.resent", "inv_", True, True)],
    "DeactivateInvitation": [("invitation.deactivated", "inv_", True, True)],
    "AcceptInvitation": [("invitation.accepted", "inv_", True, True), ("member.created", "mbr_", False, True)],
}

_COLUMNS = ("event_id", "company_id", "actor_member", "actor_token", "actor_operator", "action", "object_id", "before",
            "after", "request_id", "email", "client_ip")


class EveryChange(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies="127.0.0.1")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.stage = Stage(cls.deployment)
        cls.addClassCleanup(cls.stage.close)

    def events(self):
        """What callers did, in all companies; what the system does by itself meanwhile is no answer to a call."""
        rows = self.deployment.execute(
            "SELECT e.event_id::text, e.company_id::text, e.actor_member::text, e.actor_token::text, e.actor_operator::text,"
            " e.action, e.object_id, (e.before::jsonb || coalesce(p.before::jsonb, '{}'))::text,"
            " (e.after::jsonb || coalesce(p.after::jsonb, '{}'))::text, e.request_id::text, p.email, host(p.client_ip)"
            " FROM latchkey.audit_event e LEFT JOIN latchkey.audit_person p USING (company_id, number)"
            " WHERE e.actor_system = '' ORDER BY e.at, e.number")
        return [dict(zip(_COLUMNS, row)) for row in rows]

    def call(self, method):
        """The request, and the events that calling it has written."""
        request = self.stage.request(method)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.uuid4())
        known = {event["event_id"] for event in self.events()}
        self.stage.caller(method).call(method, request)
        return request, [event for event in self.events() if event["event_id"] not in known]

    def assert_actor(self, method, event):
        self.assertEqual(event["client_ip"], "127.0.0.1")
        if method.is_open:
            self.assertEqual((event["actor_member"], event["actor_token"]), (None, None))
            return
        self.assertTrue(event["actor_token"] and event["actor_member"] and event["email"])
        is_own = self.stage.caller(method) is self.stage.administrator
        self.assertEqual(event["actor_member"] == uuid_of_id(self.stage.member_id), is_own)
        home, = self.deployment.execute(f"SELECT company_id::text FROM latchkey.token WHERE token_id = '{event['actor_token']}'")
        self.assertEqual(event["actor_operator"], None if home[0] == event["company_id"] else home[0])

    def assert_event(self, method, request, event, expected):
        action, prefix, has_before, has_after = expected
        self.assertEqual(event["action"], action)
        self.assertTrue(event["object_id"].startswith(prefix), event)
        self.assertEqual((event["before"] is not None, event["after"] is not None), (has_before, has_after), event)
        if has_before and has_after and action != "whitelist.published":  # as many entries, but others
            self.assertNotEqual(json.loads(event["before"]), json.loads(event["after"]))
        if has_after:
            self.assertTrue(json.loads(event["after"]))
        self.assertEqual(event["request_id"], getattr(request, "request_id", None) or None)
        self.assert_actor(method, event)

    def test_every_change_that_is_served_has_its_line(self):
        self.assertEqual([method.name for method in CHANGES if method.name not in EVENTS], [])

    def test_each_writes_exactly_its_events(self):
        for method in CHANGES:
            with self.subTest(method.name):
                request, events = self.call(method)
                expected = EVENTS[method.name]
                self.assertEqual([event["action"] for event in events], [action for action, *_ in expected])
                for event, line in zip(events, expected):
                    self.assert_event(method, request, event, line)

    def test_and_the_chains_of_all_companies_hold(self):
        verify, = (method for method in contract.served_methods() if method.name == "VerifyAuditLog")
        for client in (self.stage.administrator, self.stage.operator_at_home):
            self.assertTrue(client.call(verify, verify.request()).intact)


if __name__ == "__main__":
    unittest.main()
