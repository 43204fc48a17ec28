"""The settings of the whitelist, and the guard that keeps callers from locking themselves, or everybody, out."""

import threading
import time
import unittest
import uuid

import grpc

from latchkey_test import error_info
from whitelist_case import AWAY, FAILED_PRECONDITION, HOME, WhitelistCase, token_pb2, whitelist_pb2


class Settings(WhitelistCase):
    def test_a_new_company_s_list_is_off_and_covers_every_token(self):
        whitelist = self.get()
        self.assertEqual((whitelist.enabled, whitelist.scope, whitelist.entry_count), (False, 1, 0))
        self.assertTrue(whitelist.company_id.startswith("cmp_") and whitelist.etag)
        self.assertFalse(whitelist.HasField("confirm_by"))

    def test_an_update_says_what_to_change(self):
        self.assertIn("enabled, scope", self.bad_fields(self.update, mask=[], enabled=True)["update_mask"])
        bad = self.bad_fields(self.update, mask=["scope", "etag", "entry_count", "*"], scope=9)
        self.assertEqual(set(bad), {"update_mask.paths[1]", "update_mask.paths[2]", "update_mask.paths[3]", "whitelist.scope"})
        self.assertIn("WHITELIST_SCOPE_LOGINS", bad["whitelist.scope"])

    def test_only_what_the_mask_names_changes(self):
        self.add(HOME)
        self.assertEqual(self.update(mask=["scope"], enabled=True, scope=2).enabled, False)
        whitelist = self.update(mask=["enabled"], enabled=True, scope=1)
        self.assertEqual((whitelist.enabled, whitelist.scope), (True, 2))

    def test_named_and_absent_is_cleared(self):
        self.add(HOME)
        self.update(enabled=True, scope=2)
        whitelist = self.update(mask=["enabled", "scope"])
        self.assertEqual((whitelist.enabled, whitelist.scope), (False, 1))

    def test_a_stale_etag_is_refused(self):
        old = self.get().etag
        new = self.update(scope=2, etag=old).etag
        self.assertNotEqual(old, new)
        error = self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE", self.update, scope=1, etag=old)
        self.assertIn("read it again", error.details())
        self.assertEqual(error_info(error).metadata["etag"], new)
        self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE", self.update, scope=1, etag="x")
        self.assertEqual(self.update(scope=1, etag=new).scope, 1)

    def test_entries_do_not_move_the_etag(self):
        old = self.get().etag
        self.add("10.0.0.1")
        self.assertEqual(self.get().etag, old)

    def test_a_repeated_request_changes_once(self):
        request = whitelist_pb2.UpdateWhitelistRequest(whitelist={"scope": 2}, update_mask={"paths": ["scope"]},
                                                       request_id=str(uuid.uuid4()))
        first, second = self.call("UpdateWhitelist", request), self.call("UpdateWhitelist", request)
        self.assertEqual(first.whitelist, second.whitelist)
        self.assertEqual(self.get().etag, first.whitelist.etag)


class LockOut(WhitelistCase):
    def assert_locks_out(self, caller, function, *arguments, **fields):
        """It is called with address=caller."""
        error = self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", function, *arguments, **fields, address=caller)
        bits = 128 if ":" in caller else 32
        self.assertEqual(dict(error_info(error).metadata), {"clientIp": caller, "neededEntry": f"{caller}/{bits}"})
        self.assertIn(f"add the entry {caller}/{bits} first, or set force", error.details())

    def assert_gets_in(self, address, may=True):
        if may:
            self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest(), address)
            return
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.call, "GetWhitelist",
                            whitelist_pb2.GetWhitelistRequest(), address)

    # ---- switching on ----

    def test_an_empty_list_is_switched_on_only_by_force(self):
        self.assert_locks_out(HOME, self.update, enabled=True)
        self.assertFalse(self.get().enabled)
        self.assertTrue(self.update(enabled=True, force=True).enabled)
        self.assert_gets_in(HOME, may=False)

    def test_a_list_of_others_is_switched_on_only_by_force(self):
        self.add("10.0.0.0/8", "2001:db8::/32")
        self.assert_locks_out(HOME, self.update, enabled=True)
        self.assert_locks_out("2001:db9::1", self.update, enabled=True)
        self.update(enabled=True, address="2001:db8::1")
        self.assert_gets_in(HOME, may=False)
        self.assert_gets_in("10.9.9.9")

    def test_an_entry_that_is_disabled_or_over_does_not_count(self):
        self.add({"address": HOME, "disabled": True}, {"address": HOME, "expires_at": {"seconds": 4000000000}})
        self.deployment.execute("UPDATE latchkey.whitelist_entry SET expires_at = now() - interval '1 second' "
                                "WHERE expires_at IS NOT NULL")
        self.assert_locks_out(HOME, self.update, enabled=True)

    def test_ipv6_that_holds_the_ipv4_address_in_writing_does_not_count(self):
        self.add("64:ff9b::203.0.113.9", "::/0", force=True)
        self.assert_locks_out(HOME, self.update, enabled=True)

    def test_what_covers_no_access_token_locks_none_out_but_needs_somebody(self):
        error = self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY", self.update, enabled=True, scope=2)
        self.assertIn("add one first, or set force", error.details())
        self.add("10.0.0.0/8")
        self.update(enabled=True, scope=2)
        self.assert_gets_in(HOME)
        self.assert_locks_out(HOME, self.update, scope=1)

    def test_a_caller_whose_address_is_unknown_is_told_so(self):
        self.add("10.0.0.0/8")
        error = self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.update, enabled=True, address="nowhere")
        self.assertIn("can't tell", error.details())

    def test_switching_off_needs_no_force(self):
        self.add(HOME)
        self.update(enabled=True)
        self.assertFalse(self.update(enabled=False).enabled)

    # ---- removing ----

    def test_the_covering_entry_is_removed_only_by_force(self):
        entry = self.add(HOME, "10.0.0.0/8").entries[0]
        self.update(enabled=True)
        self.assert_locks_out(HOME, self.remove, entry.entry_id)
        self.assertEqual(self.get().entry_count, 2)
        self.assertEqual(self.remove(entry.entry_id, force=True).count, 1)
        self.assert_gets_in(HOME, may=False)

    def test_one_of_two_covering_entries_may_go(self):
        wide, narrow = [entry.entry_id for entry in self.add("203.0.113.0/24", HOME).entries]
        self.update(enabled=True)
        self.remove(narrow)
        self.assert_locks_out(HOME, self.remove, wide)

    def test_while_the_list_is_off_anything_may_go(self):
        entry = self.add(HOME).entries[0]
        self.assertEqual(self.remove(entry.entry_id).count, 1)

    def test_who_is_not_covered_may_not_remove_the_last_live_entry(self):
        entry = self.add("10.0.0.0/8", {"address": "11.0.0.0/8", "disabled": True}).entries[0]
        self.update(enabled=True, scope=2)
        self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY", self.remove, entry.entry_id)
        self.remove(entry.entry_id, force=True)

    def test_an_operator_is_not_bound_but_locks_nobody_out_by_mistake(self):
        company_id = self.get().company_id
        with self.deployment.operator(company_id) as operator:
            self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY", self.update, enabled=True, client=operator)
            entry = self.add("10.0.0.0/8", client=operator).entries[0]
            self.assertTrue(self.update(enabled=True, client=operator, address=AWAY).enabled)
            self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY", self.remove, entry.entry_id, client=operator)

    def test_two_removals_at_once_that_are_harmless_alone_do_not_lock_out_together(self):
        for _ in range(10):
            self.setUp()
            ids = [entry.entry_id for entry in self.add("203.0.113.0/24", HOME, "10.0.0.0/8").entries[:2]]
            self.update(enabled=True)
            outcomes, barrier = [], threading.Barrier(2)

            def remove(entry_id, outcomes=outcomes, barrier=barrier):
                with self.deployment.administrator() as client:
                    self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest(), client=client)
                    barrier.wait()
                    try:
                        outcomes.append(self.remove(entry_id, client=client).count)
                    except grpc.RpcError as error:
                        outcomes.append(error_info(error).reason)

            threads = [threading.Thread(target=remove, args=(entry_id,)) for entry_id in ids]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(set(outcomes), {1, "LOCKS_OUT_CALLER"})
            self.assert_gets_in(HOME)

    # ---- changing an entry ----

    def test_the_covering_entry_is_narrowed_moved_or_disabled_only_by_force(self):
        entry = self.add("203.0.113.1/24", "10.0.0.0/8").entries[0]
        self.update(enabled=True)
        for fields in ({"address": "198.51.100.0/24"}, {"checking_bits": 32}, {"disabled": True}):
            self.assert_locks_out(HOME, lambda address, fields=fields: self.change(entry.entry_id, caller=address, **fields))
        self.assertEqual(self.list_page().entries[1], entry)
        self.change(entry.entry_id, checking_bits=28)  # still around
        self.change(entry.entry_id, note="what it says does not matter")
        self.change(entry.entry_id, disabled=True, force=True)
        self.assert_gets_in(HOME, may=False)

    def test_the_covering_entry_ends_soon_only_by_force(self):
        entry = self.add("203.0.113.0/24").entries[0]
        self.update(enabled=True)
        soon, later = int(time.time()) + 600, int(time.time()) + 7200
        error = self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.change, entry.entry_id,
                                    expires_at={"seconds": soon})
        details = dict(error_info(error).metadata)
        self.assertTrue(500 < int(details.pop("refusedInSeconds")) <= 600)
        self.assertEqual(details, {"clientIp": HOME, "neededEntry": f"{HOME}/32"})
        self.change(entry.entry_id, expires_at={"seconds": later})
        self.change(entry.entry_id, expires_at={"seconds": soon}, force=True)
        self.change(entry.entry_id, note="it ends soon anyhow")
        self.change(entry.entry_id, expires_at={"seconds": soon + 60})

    def test_a_list_whose_covering_entry_ends_soon_is_switched_on_only_by_force(self):
        self.add({"address": HOME, "expires_at": {"seconds": int(time.time()) + 600}}, "10.0.0.0/8")
        self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.update, enabled=True)
        self.update(enabled=True, force=True)

    def test_what_is_left_counts_not_what_is_changed(self):
        wide, narrow = self.add("203.0.113.0/24", HOME).entries
        self.update(enabled=True)
        self.change(wide.entry_id, disabled=True)
        self.assert_locks_out(HOME, lambda address: self.change(narrow.entry_id, caller=address, disabled=True))

    def test_while_the_list_is_off_any_entry_may_change(self):
        entry = self.add(HOME).entries[0]
        self.change(entry.entry_id, disabled=True)

    # ---- publishing ----

    def test_a_draft_without_the_caller_is_published_only_by_force(self):
        self.add(HOME)
        self.update(enabled=True)
        draft = self.begin(empty=True)
        self.assert_locks_out(HOME, self.publish, draft.draft_id)
        self.add("10.0.0.0/8", draft_id=draft.draft_id)
        self.assert_locks_out(HOME, self.publish, draft.draft_id)
        self.assert_locks_out(HOME, self.publish, draft.draft_id, confirm_within=600)
        self.add("203.0.113.0/24", draft_id=draft.draft_id)
        self.publish(draft.draft_id)
        self.assert_gets_in(HOME)

    def test_a_draft_that_holds_the_caller_not_for_long_is_published_only_by_force(self):
        self.add(HOME)
        self.update(enabled=True)
        draft = self.begin(empty=True)
        self.add({"address": HOME, "expires_at": {"seconds": int(time.time()) + 600}}, draft_id=draft.draft_id)
        self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.publish, draft.draft_id)
        self.publish(draft.draft_id, force=True)

    def test_an_empty_draft_refuses_everybody_so_also_an_operator_needs_force(self):
        self.add(HOME)
        self.update(enabled=True)
        draft = self.begin(empty=True)
        with self.deployment.operator(self.get().company_id) as operator:
            self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY", self.publish, draft.draft_id, client=operator)
            self.publish(draft.draft_id, client=operator, force=True)
        self.assert_gets_in(HOME, may=False)

    # ---- the way back ----

    def test_the_operator_switches_off_a_list_that_locks_everybody_out(self):
        company_id = self.get().company_id
        self.add("10.0.0.0/8")
        self.update(enabled=True, force=True)
        self.assert_gets_in(HOME, may=False)
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.update, enabled=False)
        with self.deployment.operator(company_id) as operator:
            self.assertFalse(self.update(enabled=False, client=operator, address=AWAY).enabled)
        self.assert_gets_in(HOME)

    # ---- what takes effect ----

    def test_a_list_that_is_on_binds_from_the_next_call_on(self):
        self.add(HOME)
        self.assert_gets_in(AWAY)
        self.update(enabled=True)
        self.assert_gets_in(AWAY, may=False)
        self.add("198.51.100.0/24")
        self.assert_gets_in(AWAY)
        self.client.tokens.GetCaller(token_pb2.GetCallerRequest(), metadata=[("x-forwarded-for", AWAY)], timeout=10)


if __name__ == "__main__":
    unittest.main()
