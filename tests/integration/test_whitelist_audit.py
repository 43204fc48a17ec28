"""What the audit log says of changes of the whitelist: every one of them, once, and nothing where nothing changed."""

import json
import unittest

import grpc

from latchkey_test import stubs
from whitelist_case import AWAY, HOME, WhitelistCase

audit_pb2 = stubs.messages("latchkey/v1/audit.proto")

NO_SUCH_ENTRY = "ent_01h455vb4pex5vsknk084sn02q"


class Events(WhitelistCase):
    settings = {"whitelist_confirm_check": "50ms"}

    def setUp(self):
        super().setUp()
        self.seen = self.newest().sequence if self.newest() else 0

    def newest(self):
        events = self.list_events(1)
        return events[0] if events else None

    def list_events(self, page_size):
        return self.client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=page_size), timeout=10,
                                                 metadata=[("x-forwarded-for", HOME)]).events

    def events(self):
        """Those since the last time, oldest first."""
        events = [event for event in self.list_events(1000) if event.sequence > self.seen]
        self.seen = max([self.seen, *(event.sequence for event in events)])
        return events[::-1]

    def assert_noted(self, *expected):
        events = self.events()
        self.assertEqual([(event.action, event.object_id) for event in events], list(expected))
        return events

    def test_entries_are_noted_each_by_itself_with_what_they_say(self):
        entry = self.add({"address": "10.0.0.0/8", "note": "office"}).entries[0]
        self.change(entry.entry_id, note="branch")
        self.remove(entry.entry_id)
        created, updated, removed = self.assert_noted(
            ("whitelist_entry.created", entry.entry_id), ("whitelist_entry.updated", entry.entry_id),
            ("whitelist_entry.removed", entry.entry_id))
        self.assertEqual(json.loads(created.after)["cidr"], "10.0.0.0/8")
        self.assertEqual((json.loads(updated.before)["note"], json.loads(updated.after)["note"]), ("office", "branch"))
        self.assertEqual(json.loads(removed.before)["note"], "branch")
        self.assertEqual((created.client_ip, created.actor.member_id.startswith("mbr_")), (HOME, True))

    def test_many_entries_are_noted_together(self):
        entries = self.add(*[f"10.0.0.{i}" for i in range(21)]).entries
        self.remove(*[entry.entry_id for entry in entries])
        company_id = self.get().company_id
        created, removed = self.assert_noted(("whitelist.entries_created", company_id), ("whitelist.entries_removed", company_id))
        self.assertEqual(json.loads(created.after), {"count": 21, "first_entry_id": entries[0].entry_id,
                                                     "last_entry_id": entries[-1].entry_id})
        self.assertEqual(json.loads(removed.before)["count"], 21)

    def test_settings_and_the_life_of_a_draft_are_noted(self):
        company_id = self.get().company_id
        self.add(HOME)
        self.update(enabled=True)
        draft_id = self.begin().draft_id
        self.add("10.0.0.1", draft_id=draft_id)
        self.publish(draft_id, confirm_within=600)
        self.confirm()
        self.discard(self.begin().draft_id)
        events = self.events()
        self.assertEqual([event.action for event in events],
                         ["whitelist_entry.created", "whitelist.updated", "whitelist_draft.created",
                          "whitelist_draft.entry_created", "whitelist.published", "whitelist.confirmed",
                          "whitelist_draft.created", "whitelist_draft.discarded"])
        self.assertEqual([event.object_id for event in events[1:6]], [company_id, draft_id, draft_id, draft_id, company_id])
        self.assertEqual(json.loads(events[1].after)["enabled"], True)

    def test_a_list_that_came_back_was_the_sweeper_s_doing(self):
        self.add(HOME)
        draft_id = self.begin().draft_id
        self.add("10.0.0.1", draft_id=draft_id)
        self.publish(draft_id, confirm_within=600)
        self.events()
        self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = now() WHERE confirm_by IS NOT NULL")
        self.await_value(lambda: self.get().HasField("confirm_by"), False, "the list before to come back")
        (event,) = self.assert_noted(("whitelist.reverted", self.get().company_id))
        self.assertEqual((event.actor.system, event.actor.member_id), ("sweeper", ""))

    def test_the_operator_who_switches_a_list_off_is_named(self):
        company_id = self.get().company_id
        self.add("10.0.0.0/8")
        self.update(enabled=True, force=True)
        with self.deployment.operator(company_id) as operator:
            self.update(enabled=False, client=operator, address=AWAY)
        event = self.events()[-1]
        self.assertEqual((event.action, event.client_ip), ("whitelist.updated", AWAY))
        self.assertTrue(event.actor.operator_company_id.startswith("cmp_"))

    def test_what_changes_nothing_or_is_refused_is_not_noted(self):
        entry = self.add(HOME).entries[0]
        self.update(enabled=True)
        self.events()
        self.update(enabled=True)
        self.change(entry.entry_id, note="")
        self.remove(NO_SUCH_ENTRY)
        self.preview()
        with self.assertRaises(grpc.RpcError):
            self.remove(entry.entry_id)
        self.discard("dra_01h455vb4pex5vsknk084sn02q")
        self.assert_noted()


if __name__ == "__main__":
    unittest.main()
