"""Entries that change: what UpdateWhitelistEntry takes, in the live list and in a draft."""

import unittest
import uuid

import grpc

from latchkey_test import error_info
from whitelist_case import AWAY, HOME, WhitelistCase

NO_SUCH_ENTRY = "ent_01h455vb4pex5vsknk084sn02q"
NO_SUCH_DRAFT = "dra_01h455vb4pex5vsknk084sn02q"


class Changing(WhitelistCase):
    def one(self, address="10.1.2.3/8", **fields):
        return self.add({"address": address, **fields}).entries[0]

    def test_every_field_can_be_changed_and_the_answer_is_what_is_listed(self):
        entry = self.one(note="old", owner="ops")
        changed = self.change(entry.entry_id, address="192.0.2.9/24", note="Büro ☺", owner="it", disabled=True,
                              expires_at={"seconds": 4102444800}).entry
        self.assertEqual((changed.entry_id, changed.address, changed.cidr, changed.checking_bits, changed.note, changed.owner,
                          changed.disabled, changed.expires_at.seconds),
                         (entry.entry_id, "192.0.2.9/24", "192.0.2.0/24", 24, "Büro ☺", "it", True, 4102444800))
        self.assertEqual((changed.created_at, changed.created_by), (entry.created_at, entry.created_by))
        self.assertNotEqual(changed.etag, entry.etag)
        self.assertEqual(list(self.list_page().entries), [changed])

    def test_only_what_the_mask_names_changes(self):
        entry = self.one(note="old", owner="ops")
        changed = self.change(entry.entry_id, mask=["note"], note="new", owner="x", disabled=True, address="1.1.1.1").entry
        self.assertEqual((changed.note, changed.owner, changed.disabled, changed.cidr), ("new", "ops", False, "10.0.0.0/8"))

    def test_named_and_absent_is_cleared(self):
        entry = self.one(note="old", owner="ops", disabled=True, expires_at={"seconds": 4102444800})
        changed = self.change(entry.entry_id, mask=["note", "owner", "disabled", "expires_at", "checking_bits"]).entry
        self.assertEqual((changed.note, changed.owner, changed.disabled), ("", "", False))
        self.assertFalse(changed.HasField("expires_at"))
        self.assertEqual(changed.cidr, "10.0.0.0/8", "without bits it is what the address says")

    def test_new_bits_count_on_the_address_as_typed(self):
        entry = self.one()
        changed = self.change(entry.entry_id, checking_bits=16).entry
        self.assertEqual((changed.address, changed.cidr), ("10.1.2.3/16", "10.1.0.0/16"))
        self.assertEqual(self.change(entry.entry_id, checking_bits=32).entry.cidr, "10.1.2.3/32")

    def test_a_new_address_is_never_as_wide_as_what_it_replaces(self):
        entry = self.one()
        self.assertEqual(self.change(entry.entry_id, address="192.0.2.1").entry.cidr, "192.0.2.1/32")
        changed = self.change(entry.entry_id, address="2001:db8::1", checking_bits=48).entry
        self.assertEqual(changed.cidr, "2001:db8::/48")

    def test_what_was_read_can_be_sent_back(self):
        entry = self.one(note="n", expires_at={"seconds": 4102444800})
        fields = {"address": entry.address, "checking_bits": entry.checking_bits, "note": entry.note, "owner": entry.owner,
                  "disabled": entry.disabled, "expires_at": entry.expires_at, "etag": entry.etag}
        self.assertEqual(self.change(entry.entry_id, **fields).entry, entry, "nothing changed, so no new etag either")

    def test_every_bad_field_is_named(self):
        entry = self.one()
        bad = self.bad_fields(self.change, entry.entry_id, address="010.0.0.1", note="n" * 501, owner="o" * 101,
                              expires_at={"seconds": 1})
        self.assertEqual(set(bad), {"entry.address", "entry.note", "entry.owner", "entry.expires_at"})
        bad = self.bad_fields(self.change, "ent_x", mask=["cidr", "note"], draft_id="x", expires_at={"seconds": 1 << 60})
        self.assertEqual(set(bad), {"entry.entry_id", "update_mask.paths[0]", "draft_id", "entry.expires_at"})
        self.assertIn("address, checking_bits, note, owner, disabled, expires_at", bad["update_mask.paths[0]"])
        self.assertIn("update_mask", self.bad_fields(self.change, entry.entry_id, mask=[], note="x"))
        self.assertIn("0 to 32", self.bad_fields(self.change, entry.entry_id, checking_bits=33)["entry.checking_bits"])
        self.assertEqual(self.list_page().entries[0], entry)

    def test_everybody_is_let_in_only_by_force(self):
        entry = self.one()
        for fields in ({"checking_bits": 0}, {"address": "0.0.0.0/0"}):
            (sentence,) = self.bad_fields(self.change, entry.entry_id, **fields).values()
            self.assertIn("set force", sentence)
        self.assertEqual(self.change(entry.entry_id, checking_bits=0, force=True).entry.cidr, "0.0.0.0/0")

    def test_an_entry_that_has_ended_can_get_another_note(self):
        entry = self.one(expires_at={"seconds": 4102444800})
        self.deployment.execute("UPDATE latchkey.whitelist_entry SET expires_at = now() - interval '1 second'")
        self.assertEqual(self.change(entry.entry_id, note="was Bob's").entry.note, "was Bob's")

    def test_a_stale_etag_is_refused(self):
        entry = self.one()
        new = self.change(entry.entry_id, note="a", etag=entry.etag).entry
        error = self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE", self.change, entry.entry_id, note="b", etag=entry.etag)
        self.assertEqual(error_info(error).metadata["etag"], new.etag)
        self.change(entry.entry_id, note="b", etag=new.etag)

    def test_what_is_not_there_is_told(self):
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "ENTRY_NOT_FOUND", self.change, NO_SUCH_ENTRY, note="x")
        entry = self.one()
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "DRAFT_NOT_FOUND", self.change, entry.entry_id, note="x",
                            draft_id=NO_SUCH_DRAFT)
        with self.deployment.operator() as operator:
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "ENTRY_NOT_FOUND", self.change, entry.entry_id, note="x",
                                client=operator)

    def test_what_the_new_range_lies_in_is_told_but_never_the_entry_itself(self):
        wide, narrow = self.add("10.0.0.0/8", "192.0.2.0/24").entries
        self.assertFalse(self.change(wide.entry_id, checking_bits=16).warnings)
        self.change(wide.entry_id, address="10.0.0.0/8")
        (warning,) = self.change(narrow.entry_id, address="10.7.0.0/16").warnings
        self.assertEqual((warning.index, warning.kind, warning.other_entry_id, warning.other_cidr),
                         (0, 2, wide.entry_id, "10.0.0.0/8"))
        (warning,) = self.change(narrow.entry_id, address="10.0.0.0/8").warnings
        self.assertEqual(warning.kind, 1)
        (warning,) = self.change(narrow.entry_id, address="64:ff9b::1").warnings
        self.assertEqual(warning.kind, 3)

    def test_a_repeated_request_changes_once(self):
        entry, request_id = self.one(), str(uuid.uuid4())
        first = self.change(entry.entry_id, note="x", request_id=request_id)
        second = self.change(entry.entry_id, note="x", request_id=request_id)
        self.assertEqual(first.entry, second.entry)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", self.change, entry.entry_id, note="y",
                            request_id=request_id)

    def test_in_a_draft_the_live_entry_stays(self):
        entry = self.one()
        draft = self.begin()
        changed = self.change(entry.entry_id, draft_id=draft.draft_id, note="draft", checking_bits=16).entry
        self.assertEqual(changed.entry_id, entry.entry_id)
        self.assertEqual(list(self.list_page().entries), [entry])
        self.assertEqual(list(self.list_page(draft_id=draft.draft_id).entries), [changed])

    def test_a_disabled_entry_lets_nobody_in(self):
        entry = self.one("192.0.2.0/24")
        self.change(entry.entry_id, disabled=True)
        self.assertFalse(self.check("192.0.2.1").listed)
        self.change(entry.entry_id, disabled=False)
        self.assertTrue(self.check("192.0.2.1").listed)

    def test_a_removed_entry_takes_its_last_hit_with_it_unless_a_draft_has_it(self):
        kept, gone = self.add("10.0.0.1", "10.0.0.2").entries
        self.deployment.execute("INSERT INTO latchkey.whitelist_entry_use (entry_id, company_id, last_hit_at) SELECT entry_id, "
                                "company_id, '2030-01-02' FROM latchkey.whitelist_entry")
        draft = self.begin()
        self.remove(kept.entry_id, gone.entry_id)
        self.remove(gone.entry_id, draft_id=draft.draft_id)
        self.assertEqual(self.deployment.execute("SELECT count(*) FROM latchkey.whitelist_entry_use"), [(1,)])
        (entry,) = self.list_page(draft_id=draft.draft_id).entries
        self.assertEqual((entry.entry_id, entry.last_hit_at.seconds), (kept.entry_id, 1893542400))

    def test_of_entries_with_an_end_an_enabled_list_refuses_everybody_once_the_last_has_ended(self):
        self.add({"address": HOME, "expires_at": {"seconds": 4102444800}})
        self.update(enabled=True)
        self.get()
        self.deployment.execute("UPDATE latchkey.whitelist_entry SET expires_at = now()")
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.get)
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.get, address=AWAY)


class Pages(WhitelistCase):
    def fill(self, count, note):
        self.deployment.execute(
            "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, note) "
            "SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, w.company_id, w.live_list_id, "
            f"'10.0.0.1', '10.0.0.1', {note} FROM latchkey.whitelist w JOIN latchkey.company c USING (company_id), "
            f"generate_series(1, {count}) AS i WHERE c.is_demo")

    def test_a_filter_without_index_looks_at_a_bounded_part_of_the_list(self):
        self.fill(250000, "CASE WHEN i IN (1, 120000, 249999) THEN 'here' ELSE '' END")
        pages, token = [], ""
        while True:
            page = self.list_page(note_contains="here", page_token=token)
            pages.append(len(page.entries))
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(pages, [1, 1, 1], "the newest 100 000, the next, and the rest")
        self.assertEqual(len(self.list_page(note_contains="here", within="10.0.0.0/8").entries), 3)

    def test_a_full_page_of_such_a_filter_goes_on_where_it_ended(self):
        self.fill(3000, "CASE WHEN i % 3 = 0 THEN 'here' ELSE '' END")
        seen, token = [], ""
        while True:
            page = self.list_page(note_contains="here", page_token=token, page_size=300)
            seen += [entry.entry_id for entry in page.entries]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual((len(seen), len(set(seen)), seen), (1000, 1000, sorted(seen, reverse=True)))


class Injection(WhitelistCase):
    def test_text_comes_back_unchanged(self):
        for text in ("'; DROP TABLE latchkey.whitelist; --", "%s%n\\", "\"}, {\"", "<script>", "‮abc", "\x01\x7f"):
            entry = self.add({"address": "10.0.0.1", "note": text, "owner": text}).entries[0]
            self.assertEqual((entry.note, entry.owner), (text, text))
            self.assertEqual(self.change(entry.entry_id, note=text + "2").entry.note, text + "2")
            self.assertEqual(self.list_page(note_contains=text + "2").entries[0].note, text + "2")
            self.remove(entry.entry_id)


if __name__ == "__main__":
    unittest.main()
