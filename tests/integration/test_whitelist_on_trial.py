"""A whitelist that is switched on, or comes to cover more, with confirm_within: unless somebody confirms from an address that it
allows, it is as it was before."""

import concurrent.futures
import json
import threading
import unittest
import uuid

import grpc

from latchkey_test import error_info, stubs
from latchkey_test.waiting import wait_until
from whitelist_case import AWAY, FAILED_PRECONDITION, HOME, WhitelistCase, whitelist_pb2

audit_pb2 = stubs.messages("latchkey/v1/audit.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

ABORTED, PERMISSION_DENIED = grpc.StatusCode.ABORTED, grpc.StatusCode.PERMISSION_DENIED
ALL, LOGINS = whitelist_pb2.WHITELIST_SCOPE_ALL, whitelist_pb2.WHITELIST_SCOPE_LOGINS
NOTHING, LIST = whitelist_pb2.WHITELIST_UNCONFIRMED_UNSPECIFIED, whitelist_pb2.WHITELIST_UNCONFIRMED_LIST
SWITCH, SCOPE = whitelist_pb2.WHITELIST_UNCONFIRMED_SWITCH, whitelist_pb2.WHITELIST_UNCONFIRMED_SCOPE
PENDING = (FAILED_PRECONDITION, "CONFIRMATION_PENDING")


class TrialCase(WhitelistCase):
    settings = {"whitelist_sweep": "100ms", "whitelist_confirm_check": "50ms"}

    def switch_on(self, **fields):
        """HOME alone is listed; on for ten minutes."""
        self.add(HOME)
        return self.update(enabled=True, confirm_within=600, **fields)

    def state(self, whitelist=None):
        whitelist = whitelist or self.get()
        return whitelist.enabled, whitelist.scope, whitelist.unconfirmed

    def lapse(self):
        self.pass_confirm_by()
        self.await_value(lambda: self.is_waiting(), False, "the settings before to come back")

    def is_waiting(self):
        return bool(self.deployment.execute("SELECT 1 FROM latchkey.whitelist WHERE confirm_by IS NOT NULL"))

    def row(self):
        (row,) = self.deployment.execute("SELECT w.enabled, w.scope, w.confirm_by, w.previous_list_id, w.previous_enabled, "
                                         "w.previous_scope FROM latchkey.whitelist w JOIN latchkey.company c USING (company_id) "
                                         "WHERE c.is_demo")
        return tuple(row)

    def actions(self):
        """Of the latest events, newest first."""
        request = audit_pb2.ListAuditEventsRequest(page_size=20)
        return self.client.audit.ListAuditEvents(request, timeout=10, metadata=[("x-forwarded-for", HOME)]).events


class OnTrial(TrialCase):
    # ---- kept, and not kept ----

    def test_what_is_confirmed_stays_on(self):
        whitelist = self.switch_on()
        self.assertTrue(whitelist.HasField("confirm_by"))
        self.assertEqual((self.get(), self.state(whitelist)), (whitelist, (True, ALL, SWITCH)))
        confirmed = self.confirm()
        self.assertEqual((self.state(confirmed), confirmed.HasField("confirm_by")), ((True, ALL, NOTHING), False))
        self.assertEqual(self.row(), (True, 1, None, None, None, None))
        self.assertEqual(self.list_cidrs(), [f"{HOME}/32"])

    def test_what_nobody_confirms_goes_off_and_keeps_its_entries(self):
        self.switch_on()
        self.assert_refused(PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.get, address=AWAY)
        self.lapse()
        self.assertEqual(self.state(self.get(address=AWAY)), (False, ALL, NOTHING))
        self.assertEqual(self.row(), (False, 1, None, None, None, None))
        self.assertEqual(self.list_cidrs(), [f"{HOME}/32"])
        self.assert_refused(FAILED_PRECONDITION, "NOTHING_TO_CONFIRM", self.confirm)

    def test_it_goes_off_also_where_it_locked_out_everybody(self):
        self.update(enabled=True, confirm_within=600, force=True)
        self.assert_refused(PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm)
        self.lapse()
        self.assertEqual(self.state(), (False, ALL, NOTHING))

    def test_it_goes_off_also_after_a_restart_of_everything(self):
        self.switch_on()
        self.deployment.server.kill()
        self.pass_confirm_by()
        self.deployment.server.start()
        self.await_value(lambda: self.is_waiting(), False, "the settings before to come back")
        wait_until(lambda: self.can_get(AWAY), 30, "the channel to be back")
        self.assertEqual(self.state(), (False, ALL, NOTHING))

    def can_get(self, address):
        try:
            return bool(self.get(address=address).company_id)
        except grpc.RpcError:
            return False

    def test_validators_follow_both_ways(self):
        validate = self.client.validation.Validate
        request = validation_pb2.ValidateRequest(token=self.deployment.secrets["LATCHKEY_TOKEN"], channel=1, client_ip=AWAY)
        self.switch_on()
        self.await_value(lambda: validate(request, timeout=10).reason, decision_pb2.REASON_COMPANY_IP_NOT_LISTED, "it to be on")
        self.lapse()
        self.await_value(lambda: validate(request, timeout=10).reason, decision_pb2.REASON_OK, "it to be off again")

    # ---- what it counts for ----

    def test_covering_more_waits_too_and_both_settings_come_back(self):
        self.add(HOME)
        self.update(enabled=True, scope=LOGINS)
        self.assertEqual(self.state(self.update(scope=ALL, confirm_within=600)), (True, ALL, SCOPE))
        self.lapse()
        self.assertEqual(self.state(), (True, LOGINS, NOTHING))
        self.update(enabled=False)
        self.assertEqual(self.state(self.update(enabled=True, scope=ALL, confirm_within=600)), (True, ALL, SWITCH))
        self.lapse()
        self.assertEqual(self.state(), (False, LOGINS, NOTHING))

    def test_a_change_that_refuses_nobody_more_waits_for_nothing(self):
        self.add(HOME)
        self.assertEqual(self.state(self.update(scope=LOGINS, confirm_within=600)), (False, LOGINS, NOTHING))
        self.assertEqual(self.state(self.update(scope=ALL, confirm_within=600)), (False, ALL, NOTHING))
        self.update(enabled=True)
        self.assertEqual(self.state(self.update(enabled=True, confirm_within=600)), (True, ALL, NOTHING))
        self.assertEqual(self.state(self.update(scope=LOGINS, confirm_within=600)), (True, LOGINS, NOTHING))
        self.assertEqual(self.state(self.update(enabled=False, confirm_within=600)), (False, LOGINS, NOTHING))
        self.assertFalse(self.is_waiting())

    def test_durations_that_are_none_are_named_and_change_nothing(self):
        self.add(HOME)
        for seconds in (-1, 1, 59, 604801):
            bad = self.bad_fields(self.update, enabled=True, confirm_within=seconds)
            self.assertIn("1 minute to 7 days", bad["confirm_within"])
        self.assertEqual(self.state(), (False, ALL, NOTHING))
        for seconds in (60, 604800):
            self.assertTrue(self.update(enabled=True, confirm_within=seconds).HasField("confirm_by"))
            self.update(enabled=False)

    def test_the_guard_and_the_etag_hold_as_without_it(self):
        self.add(AWAY)
        self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.update, enabled=True, confirm_within=600)
        self.assert_refused(ABORTED, "ETAG_STALE", self.update, enabled=True, confirm_within=600, etag='"1"', mask=["enabled"])
        self.assertEqual(self.state(), (False, ALL, NOTHING))
        etag = self.get().etag
        self.assertEqual(self.state(self.update(enabled=True, confirm_within=600, force=True, etag=etag, mask=["enabled"])),
                         (True, ALL, SWITCH))

    # ---- while it waits ----

    def test_it_is_confirmed_only_from_an_address_that_it_allows(self):
        self.switch_on(scope=LOGINS)  # the administrator's access token is not covered, but what it says must still be shown
        for client_address in (AWAY, "192.0.2.1"):
            error = self.assert_refused(PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm, address=client_address)
            self.assertEqual(error_info(error).metadata["clientIp"], client_address)
        with self.deployment.operator(self.get().company_id) as operator:
            self.assert_refused(PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED", self.confirm, address=AWAY, client=operator)
        self.assertEqual(self.state(), (True, LOGINS, SWITCH))
        self.assertEqual(self.state(self.confirm()), (True, LOGINS, NOTHING))

    def test_settings_wait_and_nothing_is_published(self):
        before = self.switch_on()
        draft_id = self.begin().draft_id
        for fields in ({"enabled": True, "confirm_within": 900}, {"scope": LOGINS}, {"enabled": True}, {"enabled": False, "scope": LOGINS}):
            self.assert_refused(*PENDING, self.update, force=True, **fields)
        self.assert_refused(ABORTED, "CONFIRMATION_PENDING", self.publish, draft_id, force=True)
        self.assertEqual(self.get(), before)

    def test_entries_are_edited_meanwhile_and_stay_whichever_way_it_ends(self):
        for end in (self.confirm, self.lapse):
            self.setUp()
            self.switch_on()
            entry_id = self.add(AWAY).entries[0].entry_id  # who was shut out by mistake
            self.get(address=AWAY)
            self.change(entry_id, note="the other office")
            self.assert_refused(FAILED_PRECONDITION, "LOCKS_OUT_CALLER", self.remove, entry_id, address=AWAY)
            self.assertTrue(self.get().HasField("confirm_by"))
            end()
            self.assertEqual({entry.cidr: entry.note for entry in self.list_page().entries},
                             {f"{HOME}/32": "", f"{AWAY}/32": "the other office"})

    def test_switching_it_off_ends_the_waiting_and_nothing_switches_it_on_by_itself(self):
        self.switch_on()
        self.assertEqual(self.state(self.update(enabled=False)), (False, ALL, NOTHING))
        self.update(enabled=True, scope=LOGINS)
        self.update(scope=ALL, confirm_within=600)
        self.assertEqual(self.state(self.update(enabled=False)), (False, ALL, NOTHING))
        self.assertEqual(self.row(), (False, 1, None, None, None, None))
        self.assert_refused(FAILED_PRECONDITION, "NOTHING_TO_CONFIRM", self.confirm)

    def test_a_published_list_that_waits_is_told_apart_and_refuses_it(self):
        self.add(HOME)
        whitelist = self.publish(self.begin().draft_id, confirm_within=600)
        self.assertEqual(self.state(whitelist), (False, ALL, LIST))
        self.assert_refused(*PENDING, self.update, enabled=True, confirm_within=600)
        self.assertEqual(self.state(self.confirm()), (False, ALL, NOTHING))

    def test_a_list_published_after_it_gives_way_without_the_settings(self):
        self.switch_on()
        self.confirm()
        draft_id = self.begin().draft_id
        self.add(AWAY, draft_id=draft_id)
        self.publish(draft_id, confirm_within=600)
        self.lapse()
        self.assertEqual((self.state(), self.list_cidrs()), ((True, ALL, NOTHING), [f"{HOME}/32"]))

    # ---- once, and by one ----

    def test_a_repeated_request_answers_the_same_and_does_not_begin_anew(self):
        request_id = str(uuid.uuid4())
        self.add(HOME)
        first = self.update(enabled=True, confirm_within=600, request_id=request_id)
        self.assertEqual(self.update(enabled=True, confirm_within=600, request_id=request_id), first)
        self.assertEqual(self.get(), first)
        confirm_id = str(uuid.uuid4())
        self.assertEqual(self.confirm(request_id=confirm_id), self.confirm(request_id=confirm_id))
        error = self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", self.update, enabled=True,
                                    confirm_within=601, request_id=request_id)
        self.assertIn("request_id", error.details())

    def test_of_a_confirmation_and_the_time_exactly_one_wins(self):
        outcomes = set()
        for delay_ms in range(0, 120, 8):
            self.setUp()
            self.switch_on()
            seen = self.actions()[0].sequence
            self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = clock_timestamp() + "
                                    f"interval '{delay_ms} ms' WHERE confirm_by IS NOT NULL")
            said = self.confirm_many(4)
            self.await_value(lambda: self.is_waiting(), False, "one of the two")
            ends = [event.action for event in self.actions() if event.sequence > seen]
            won = said.count("confirmed")
            self.assertEqual(ends, ["whitelist.confirmed"] if won else ["whitelist.reverted"], said)
            self.assertLessEqual(won, 1)
            self.assertEqual(self.state(), (bool(won), ALL, NOTHING))
            self.assertLessEqual(set(said), {"confirmed", "NOTHING_TO_CONFIRM", "CONFIRMATION_OVER"})
            outcomes.add(won)
        self.assertEqual(outcomes, {0, 1})  # else the race was none

    def confirm_many(self, count):
        barrier = threading.Barrier(count)

        def confirm(_):
            barrier.wait()
            try:
                return "confirmed" if self.confirm().company_id else ""
            except grpc.RpcError as error:
                return error_info(error).reason

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(confirm, range(count)))

    def test_every_step_is_noted(self):
        self.switch_on()
        on = self.actions()[0]
        self.assertEqual((on.action, json.loads(on.after)["unconfirmed"]), ("whitelist.updated", "WHITELIST_UNCONFIRMED_SWITCH"))
        self.lapse()
        off = self.actions()[0]
        self.assertEqual((off.action, off.actor.system), ("whitelist.reverted", "sweeper"))
        self.assertEqual((json.loads(off.before)["enabled"], json.loads(off.after).get("enabled", False)), (True, False))


class ProgramsBefore(TrialCase):
    """What the statements of the release before do to what they do not know: the rows stay right."""

    def execute(self, statement):
        self.deployment.execute(f"UPDATE latchkey.whitelist SET {statement} WHERE confirm_by IS NOT NULL")

    def test_their_reversal_brings_the_settings_back(self):
        self.switch_on()
        self.execute("live_list_id = previous_list_id, previous_list_id = NULL, confirm_by = NULL")
        self.assertEqual(self.row(), (False, 1, None, None, None, None))

    def test_their_confirmation_keeps_them(self):
        self.switch_on()
        self.execute("previous_list_id = NULL, confirm_by = NULL")
        self.assertEqual(self.row(), (True, 1, None, None, None, None))

    def test_their_switching_off_ends_the_waiting(self):
        self.switch_on()
        self.execute("enabled = false, scope = 1")
        self.assertEqual(self.row(), (False, 1, None, None, None, None))


if __name__ == "__main__":
    unittest.main()
