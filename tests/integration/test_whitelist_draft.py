"""Drafts: begun, edited beside the live list, published at once, confirmed or taken back, swept."""

import concurrent.futures
import contextlib
import threading
import unittest
import uuid

import grpc

from latchkey_test import error_info, retry_info, stubs
from latchkey_test.waiting import wait_until
from whitelist_case import AWAY, FAILED_PRECONDITION, HOME, WhitelistCase, whitelist_pb2

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

NO_SUCH_DRAFT = "dra_01h455vb4pex5vsknk084sn02q"
ABORTED, NOT_FOUND = grpc.StatusCode.ABORTED, grpc.StatusCode.NOT_FOUND


class DraftCase(WhitelistCase):
    settings = {"whitelist_sweep": "100ms", "whitelist_confirm_check": "50ms"}

    def cidrs(self, draft_id=""):
        return sorted(self.list_cidrs(draft_id=draft_id))

    def lists(self):
        """State -> number of the demo company's lists."""
        rows = self.deployment.execute("SELECT l.state, count(*)::int FROM latchkey.whitelist_list l "
                                       "JOIN latchkey.company c USING (company_id) WHERE c.is_demo GROUP BY 1")
        return dict(rows)


class Drafts(DraftCase):
    def test_a_copy_has_the_live_entries_under_their_ids_and_an_empty_one_none(self):
        self.add("10.0.0.0/8", {"address": "192.0.2.1", "note": "n", "owner": "o", "disabled": True,
                                "expires_at": {"seconds": 4102444800}})
        copy, empty = self.begin(), self.begin(empty=True)
        self.assertTrue(copy.draft_id.startswith("dra_") and copy.created_by.startswith("mbr_") and copy.HasField("created_at"))
        self.assertEqual((copy.entry_count, empty.entry_count, copy.outdated), (2, 0, False))
        self.assertEqual(list(self.list_page(draft_id=copy.draft_id).entries), list(self.list_page().entries))
        self.assertEqual(list(self.list_page(draft_id=empty.draft_id).entries), [])
        self.assertEqual(self.get_draft(copy.draft_id), copy)
        self.assertEqual(self.drafts(), [empty, copy])

    def test_a_draft_is_edited_without_the_live_list(self):
        entry = self.add("10.0.0.0/8").entries[0]
        draft_id = self.begin().draft_id
        (warning,) = self.add("10.1.0.0/16", draft_id=draft_id).warnings
        self.assertEqual((warning.other_entry_id, warning.other_cidr), (entry.entry_id, "10.0.0.0/8"))
        self.assertEqual(self.remove(entry.entry_id, draft_id=draft_id).count, 1)
        self.assertEqual((self.cidrs(), self.cidrs(draft_id)), (["10.0.0.0/8"], ["10.1.0.0/16"]))
        self.assertEqual((self.get().entry_count, self.get_draft(draft_id).entry_count), (1, 1))
        self.assertEqual((self.check("10.2.0.1").listed, self.check("10.2.0.1", draft_id=draft_id).listed), (True, False))
        self.assertFalse(self.get_draft(draft_id).outdated)

    def test_a_draft_binds_nobody_so_anything_may_be_done_to_it(self):
        entry = self.add(HOME).entries[0]
        self.update(enabled=True)
        draft_id = self.begin().draft_id
        self.change(entry.entry_id, draft_id=draft_id, disabled=True)
        self.remove(entry.entry_id, draft_id=draft_id)

    def test_filters_and_pages_work_in_a_draft(self):
        draft_id = self.begin(empty=True).draft_id
        self.add(*[f"10.0.0.{i}" for i in range(10)], draft_id=draft_id)
        page = self.list_page(draft_id=draft_id, page_size=4)
        rest = self.list_page(draft_id=draft_id, page_size=400, page_token=page.next_page_token)
        self.assertEqual((len(page.entries), len(rest.entries)), (4, 6))
        self.assertEqual(self.list_cidrs(draft_id=draft_id, contains_ip="10.0.0.3"), ["10.0.0.3/32"])
        self.assertIn("page_token", self.bad_fields(self.list_page, page_token=page.next_page_token))

    def test_publishing_puts_it_in_the_live_list_s_place(self):
        entry = self.add("10.0.0.0/8").entries[0]
        draft_id = self.begin().draft_id
        self.add(HOME, draft_id=draft_id)
        self.change(entry.entry_id, note="kept", draft_id=draft_id)
        whitelist = self.publish(draft_id)
        self.assertEqual((whitelist.entry_count, whitelist.HasField("confirm_by"), whitelist.enabled), (2, False, False))
        self.assertEqual(self.cidrs(), ["10.0.0.0/8", f"{HOME}/32"])
        self.assertEqual(self.list_page().entries[1].note, "kept")
        self.assertEqual(self.list_page().entries[1].entry_id, entry.entry_id)
        self.assertEqual(self.drafts(), [])

    def test_what_is_published_or_discarded_is_no_draft_any_more(self):
        published, discarded = self.begin().draft_id, self.begin().draft_id
        self.publish(published)
        self.discard(discarded)
        for draft_id in (published, discarded, NO_SUCH_DRAFT):
            for function in (self.get_draft, self.publish):
                self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", function, draft_id)
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.add, "10.0.0.1", draft_id=draft_id)
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.list_page, draft_id=draft_id)
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.check, "10.0.0.1", draft_id=draft_id)
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.preview, draft_id=draft_id)
            self.discard(draft_id)  # gone already: no error
        self.assertEqual(self.get().entry_count, 0)

    def test_another_company_s_draft_is_not_there(self):
        draft_id = self.begin().draft_id
        with self.deployment.operator() as operator:
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.add, "10.0.0.1", draft_id=draft_id, client=operator)
            self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.publish, draft_id, client=operator)
        self.assertEqual(self.get_draft(draft_id).entry_count, 0)

    def test_ids_and_times_that_are_none_are_named(self):
        for function in (self.get_draft, self.discard, self.publish):
            for draft_id in ("", "x", "ent_01h455vb4pex5vsknk084sn02q", "dra_" + "0" * 26):
                self.assertIn("type a draft's id", self.bad_fields(function, draft_id)["draft_id"])
        draft_id = self.begin().draft_id
        for seconds in (-1, 1, 59, 604801):
            bad = self.bad_fields(self.publish, draft_id, confirm_within=seconds)
            self.assertIn("1 minute to 7 days", bad["confirm_within"])
        for nanos in (-1, 1, 999_999):  # less than a millisecond is not "for good" either
            request = whitelist_pb2.PublishWhitelistDraftRequest(draft_id=draft_id, confirm_within={"nanos": nanos})
            self.assertIn("confirm_within", self.bad_fields(self.call, "PublishWhitelistDraft", request))

    def test_a_company_has_so_many_drafts_and_is_told_which(self):
        ids = [self.begin(empty=True).draft_id for _ in range(10)]
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_DRAFTS", self.begin)
        self.assertEqual(set(error_info(error).metadata.values()), set(ids))
        self.assertIn(ids[0], error.details())
        self.discard(ids[3])
        self.begin()

    def test_of_many_that_are_begun_at_once_as_many_succeed_as_may_be(self):
        barrier = threading.Barrier(30)

        def begin(_):
            with self.deployment.administrator() as client:
                self.get(client=client)
                barrier.wait()
                return self.begin_until_answered(client)

        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            outcomes = list(pool.map(begin, range(30)))
        self.assertEqual({outcome: outcomes.count(outcome) for outcome in outcomes}, {True: 10, "TOO_MANY_DRAFTS": 20})
        self.assertEqual(self.lists()["draft"], 10)

    def begin_until_answered(self, client):
        """True, or the reason of the refusal; one that says that another is being begun is no answer."""
        while True:
            try:
                return bool(self.begin(client=client).draft_id)
            except grpc.RpcError as error:
                if error_info(error).reason != "DRAFT_BEING_BEGUN":
                    return error_info(error).reason

    def test_while_one_is_begun_another_is_refused_at_once_and_told_to_come_back(self):
        self.add("10.0.0.1")
        with contextlib.closing(self.deployment.connect()) as connection, concurrent.futures.ThreadPoolExecutor(1) as threads:
            connection.autocommit = False
            connection.cursor().execute("LOCK TABLE latchkey.whitelist_entry IN SHARE MODE")  # as slow as a copy can be
            slow = threads.submit(self.begin)
            wait_until(lambda: self.deployment.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == [(1,)],
                20, "the copy to wait")
            for empty in (False, True):
                error = self.assert_refused(ABORTED, "DRAFT_BEING_BEGUN", lambda e=empty: self.begin(empty=e))
                self.assertGreater(retry_info(error).retry_delay.ToMilliseconds(), 0)
            connection.rollback()
            self.assertEqual(slow.result().entry_count, 1)
        self.assertEqual(self.begin().entry_count, 1)

    def test_a_repeated_request_does_it_once(self):
        request_id = str(uuid.uuid4())
        first, second = self.begin(request_id=request_id), self.begin(request_id=request_id)
        self.assertEqual(first, second)
        publish_id = str(uuid.uuid4())
        once = self.publish(first.draft_id, request_id=publish_id)
        self.assertEqual(self.publish(first.draft_id, request_id=publish_id), once)

    def test_an_outdated_draft_is_published_only_by_force(self):
        entry = self.add("10.0.0.0/8").entries[0]
        edits = (lambda: self.add("10.9.9.9"), lambda: self.change(entry.entry_id, note="x"),
                 lambda: self.remove(entry.entry_id), lambda: self.publish(self.begin().draft_id))
        for edit in edits:
            draft_id = self.begin().draft_id
            edit()
            self.assertTrue(self.get_draft(draft_id).outdated)
            error = self.assert_refused(ABORTED, "DRAFT_OUTDATED", self.publish, draft_id)
            self.assertIn("set force", error.details())
        self.publish(draft_id, force=True)

    def test_settings_do_not_outdate_a_draft(self):
        self.add(HOME)
        draft_id = self.begin().draft_id
        self.update(enabled=True)
        self.publish(draft_id)
        self.assertTrue(self.get().enabled)

    def test_of_two_publications_at_once_one_wins(self):
        for _ in range(5):
            self.setUp()
            ids, outcomes, barrier = [self.begin().draft_id for _ in range(2)], [], threading.Barrier(2)

            def publish(draft_id, outcomes=outcomes, barrier=barrier):
                with self.deployment.administrator() as client:
                    self.get(client=client)
                    barrier.wait()
                    try:
                        outcomes.append(self.publish(draft_id, client=client).enabled)
                    except grpc.RpcError as error:
                        outcomes.append(error_info(error).reason)

            threads = [threading.Thread(target=publish, args=(draft_id,)) for draft_id in ids]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(outcomes, key=str), ["DRAFT_OUTDATED", False])

    def test_replaced_lists_leave_in_small_batches(self):
        for begin in range(0, 12000, 6000):
            self.add(*[f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(begin, begin + 6000)])
        self.publish(self.begin(empty=True).draft_id)
        self.discard(self.begin().draft_id)
        self.await_value(self.lists, {"used": 1}, "the replaced list and the discarded draft to be gone")
        self.assertEqual(self.deployment.execute("SELECT count(*)::int FROM latchkey.whitelist_entry"), [(0,)])

    def test_a_draft_that_nobody_touches_is_discarded(self):
        left, used = self.begin(empty=True).draft_id, self.begin(empty=True).draft_id
        self.deployment.execute("UPDATE latchkey.whitelist_list SET edited_at = now() - interval '31 days' "
                                "WHERE state = 'draft'; UPDATE latchkey.whitelist_list SET edited_at = now() - "
                                "interval '29 days' WHERE list_id = (SELECT max(list_id::text)::uuid FROM "
                                "latchkey.whitelist_list WHERE state = 'draft')")
        self.await_value(lambda: [draft.draft_id for draft in self.drafts()], [used], "the old draft to be discarded")
        self.assert_refused(NOT_FOUND, "DRAFT_NOT_FOUND", self.get_draft, left)


class Unswept(DraftCase):
    settings = {**DraftCase.settings, "whitelist_sweep": "1h", "company_whitelist_drafts_max": 2}

    def test_who_begins_and_discards_all_the_time_is_stopped(self):
        for _ in range(10):
            self.discard(self.begin().draft_id)
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UNSWEPT_LISTS", self.begin)
        self.assertEqual(retry_info(error).retry_delay.seconds, 3600)
        self.deployment.execute("DELETE FROM latchkey.whitelist_list WHERE state = 'replaced'")
        self.begin()


class Confirmation(DraftCase):
    def stage(self, enabled=True):
        """HOME alone is live; HOME and AWAY are published, to be confirmed."""
        self.add(HOME)
        self.update(enabled=enabled)
        draft_id = self.begin().draft_id
        self.add(AWAY, draft_id=draft_id)
        return self.publish(draft_id, confirm_within=600)

    def test_a_list_that_is_confirmed_stays(self):
        whitelist = self.stage()
        self.assertTrue(whitelist.HasField("confirm_by"))
        self.assertEqual(self.get(), whitelist)
        self.assertFalse(self.confirm(address=AWAY).HasField("confirm_by"))
        self.await_value(self.lists, {"used": 1}, "the list before to be swept")
        self.assertEqual(self.cidrs(), [f"{AWAY}/32", f"{HOME}/32"])

    def test_a_list_that_nobody_confirms_gives_way_to_the_one_before(self):
        self.stage()
        self.get(address=AWAY)
        self.pass_confirm_by()
        self.await_value(self.cidrs, [f"{HOME}/32"], "the list before to come back")
        self.assertFalse(self.get().HasField("confirm_by"))
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.get, address=AWAY)
        self.await_value(self.lists, {"used": 1}, "the list that was not confirmed to be swept")

    def test_it_comes_back_also_after_a_restart_of_everything(self):
        self.stage()
        self.deployment.server.kill()
        self.pass_confirm_by()
        self.deployment.server.start()
        wait_until(lambda: self.try_get(HOME), 30, "the channel to be back")
        self.await_value(self.cidrs, [f"{HOME}/32"], "the list before to come back")

    def test_it_comes_back_also_where_it_locked_out_its_publisher(self):
        self.add(HOME)
        self.update(enabled=True)
        draft_id = self.begin(empty=True).draft_id
        self.add("10.0.0.0/8", draft_id=draft_id)
        self.publish(draft_id, confirm_within=600, force=True)
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm)
        self.pass_confirm_by()
        self.await_value(lambda: self.try_get(HOME), True, "the publisher to get in again")

    def try_get(self, address):
        try:
            return bool(self.get(address=address).company_id)
        except grpc.RpcError:
            return False

    def test_it_is_confirmed_only_from_an_address_that_it_allows(self):
        self.stage(enabled=False)
        error = self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm,
                                    address="192.0.2.1")
        self.assertEqual(error_info(error).metadata["clientIp"], "192.0.2.1")
        self.assertIn("192.0.2.1", error.details())
        with self.deployment.operator(self.get().company_id) as operator:
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm,
                                address="192.0.2.1", client=operator)
        self.confirm(address=AWAY)

    def test_what_does_not_wait_can_not_be_confirmed(self):
        self.add(HOME)
        self.assert_refused(FAILED_PRECONDITION, "NOTHING_TO_CONFIRM", self.confirm)
        self.publish(self.begin().draft_id)
        self.assert_refused(FAILED_PRECONDITION, "NOTHING_TO_CONFIRM", self.confirm)

    def test_what_waits_is_not_edited_but_switched_off(self):
        draft_id = self.begin().draft_id
        self.stage()
        entry_id = self.list_page().entries[0].entry_id
        before = list(self.list_page().entries)
        for function, arguments, fields in ((self.add, ("10.0.0.1",), {}), (self.remove, (entry_id,), {"force": True}),
                                            (self.change, (entry_id,), {"note": "x", "force": True}),
                                            (self.update, (), {"scope": 2, "force": True})):
            error = self.assert_refused(FAILED_PRECONDITION, "CONFIRMATION_PENDING", function, *arguments, **fields)
            self.assertIn("confirm it first", error.details())
        self.assert_refused(ABORTED, "CONFIRMATION_PENDING", self.publish, draft_id, force=True)
        self.assertEqual(list(self.list_page().entries), before)
        self.add("10.0.0.1", draft_id=draft_id)
        self.assertFalse(self.update(enabled=False).enabled)
        self.assert_refused(FAILED_PRECONDITION, "CONFIRMATION_PENDING", self.update, enabled=True, force=True)
        self.confirm()
        self.update(enabled=True)

    def test_every_edit_of_a_list_survives_one_that_was_taken_back(self):
        self.stage()
        self.pass_confirm_by()
        self.await_value(self.cidrs, [f"{HOME}/32"], "the list before to come back")
        self.add("10.0.0.1")
        self.publish(self.begin().draft_id)
        self.assertEqual(self.cidrs(), ["10.0.0.1/32", f"{HOME}/32"])

    def test_a_repeated_confirmation_answers_the_same(self):
        self.stage()
        request_id = str(uuid.uuid4())
        self.assertEqual(self.confirm(request_id=request_id), self.confirm(request_id=request_id))

    def test_validators_follow_both_ways(self):
        self.stage()
        validate = self.client.validation.Validate
        request = validation_pb2.ValidateRequest(token=self.deployment.secrets["LATCHKEY_TOKEN"], channel=1, client_ip=AWAY)
        self.await_value(lambda: validate(request, timeout=10).reason, decision_pb2.REASON_OK, "the published list to be known")
        self.pass_confirm_by()
        self.await_value(lambda: validate(request, timeout=10).reason, decision_pb2.REASON_COMPANY_IP_NOT_LISTED,
                         "the list before to be known again")


if __name__ == "__main__":
    unittest.main()
