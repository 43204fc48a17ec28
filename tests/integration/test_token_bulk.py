"""DeactivateAccessTokens: many ended by the list's filters, all or none."""

import concurrent.futures
import hashlib
import json
import os
import unittest
import uuid

import grpc

from latchkey_test import error_info, stubs, uuid_of_id
from latchkey_test.row_lock import RowLock
from token_case import DAY, DENIED, TokenCase, ValidatedCase, seconds_from_now, token_pb2

audit_pb2 = stubs.messages("latchkey/v1/audit.proto")


def digest_of(token_ids):
    """As the contract says: each id and a newline, in ascending order."""
    return hashlib.sha256("".join(f"{token_id}\n" for token_id in sorted(token_ids)).encode()).hexdigest()


class Bulk(TokenCase):
    def make(self, label, count=3, **fields):
        return [self.create(label=f"{label} {number}", **fields).access_token.token_id for number in range(count)]

    def states(self, token_ids):
        return {self.get(token_id).state for token_id in token_ids}

    def test_a_dry_run_says_which_and_changes_nothing(self):
        ids = self.make("dry")
        answer = self.deactivate_many(label_contains="dry ", dry_run=True)
        self.assertEqual((answer.count, list(answer.token_ids)), (3, ids[::-1]))
        self.assertTrue(answer.revision)
        self.assertEqual(self.states(ids), {token_pb2.TOKEN_STATE_ACTIVE})

    def test_every_token_that_the_filters_name_is_ended_for_good(self):
        ids, others = self.make("leaver"), self.make("stayer")
        answer = self.deactivate_many(label_contains="LEAVER", reason=token_pb2.DEACTIVATE_REASON_LEAKED, note="audit 7")
        self.assertEqual((answer.count, list(answer.token_ids)), (3, ids[::-1]))
        for token_id in ids:
            token = self.get(token_id)
            self.assertEqual((token.state, token.deactivate_reason, token.deactivate_note),
                             (token_pb2.TOKEN_STATE_DEACTIVATED, token_pb2.DEACTIVATE_REASON_LEAKED, "audit 7"))
        self.assertEqual(self.states(others), {token_pb2.TOKEN_STATE_ACTIVE})

    def test_what_has_ended_is_not_ended_again(self):
        ids = self.make("twice")
        self.deactivate(ids[0], note="first")
        self.assertEqual(self.deactivate_many(label_contains="twice").count, 2)
        self.assertEqual(self.deactivate_many(label_contains="twice").count, 0)
        self.assertEqual(self.get(ids[0]).deactivate_note, "first")
        self.assertEqual(self.deactivate_many(label_contains="twice", state=token_pb2.TOKEN_STATE_DEACTIVATED).count, 0)

    def test_each_filter_of_the_list_names_the_same_tokens_here(self):
        self.make("filter", 1, permissions=["refunds.create"], external_id="bulk-1", expire_in={"seconds": 60})
        self.make("filter", 1, company_owned=True, permissions=["charges.*"])
        suspended = self.make("filter", 1)[0]
        self.suspend(suspended)
        member = self.get(suspended).member_id
        for fields in ({"permission": "refunds.create"}, {"permission": "charges.create"}, {"external_id": "bulk-1"},
                       {"state": token_pb2.TOKEN_STATE_SUSPENDED}, {"member_id": member}):
            with self.subTest(fields):
                listed = self.list_ids(label_contains="filter", **fields)
                answer = self.deactivate_many(label_contains="filter", dry_run=True, **fields)
                self.assertEqual(list(answer.token_ids), listed)
                self.assertGreater(answer.count, 0)
        for name, at, count in (("expires_before", seconds_from_now(DAY), 1), ("unused_since", seconds_from_now(60), 3),
                                ("unused_since", seconds_from_now(-60), 0)):
            request = token_pb2.DeactivateAccessTokensRequest(label_contains="filter", dry_run=True)
            getattr(request, name).FromDatetime(at.replace(tzinfo=None))
            self.assertEqual(self.client.tokens.DeactivateAccessTokens(request, timeout=10).count, count, name)

    def test_without_a_filter_nothing_is_ended(self):
        for fields in ({}, {"dry_run": True}, {"reason": 1, "note": "all"}):
            error = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT",
                                        lambda f=fields: self.deactivate_many(**f))
            self.assertIn("at least one filter", error.details())

    def test_bad_filters_are_named_at_once(self):
        self.assert_bad_fields(
            lambda: self.deactivate_many(state=99, member_id="x", permission="charges.*", label_contains="l" * 101,
                                         external_id="e" * 256, reason=77, note="n" * 501, request_id="x"),
            "state", "member_id", "permission", "label_contains", "external_id", "reason", "note", "request_id")

    def test_a_repeated_request_ends_them_once_and_says_the_same(self):
        self.make("repeated")
        request_id = str(uuid.uuid4())
        first = self.deactivate_many(label_contains="repeated", request_id=request_id)
        self.make("repeated")
        second = self.deactivate_many(label_contains="repeated", request_id=request_id)
        self.assertEqual((second.count, list(second.token_ids)), (3, list(first.token_ids)))
        self.assertEqual(self.deactivate_many(label_contains="repeated", dry_run=True).count, 3)

    # ---- what the audit log says ----

    def newest_event(self):
        request = audit_pb2.ListAuditEventsRequest(action="token.deactivated", page_size=1)
        return self.client.audit.ListAuditEvents(request, timeout=10).events[0]

    def test_the_event_tells_the_filters_and_proves_which_tokens_were_ended(self):
        ids = self.make("proved", 120, permissions=["charges.read"])
        self.deactivate_many(label_contains='PROVED "', reason=token_pb2.DEACTIVATE_REASON_POLICY)  # names none
        self.deactivate_many(label_contains="PROVED", permission="charges.read", state=token_pb2.TOKEN_STATE_ACTIVE,
                             expires_before={"seconds": 4102444800}, dry_run=True)
        self.deactivate_many(label_contains="PROVED", permission="charges.read", state=token_pb2.TOKEN_STATE_ACTIVE,
                             reason=token_pb2.DEACTIVATE_REASON_POLICY, note="audit \"7\"")
        event = self.newest_event()
        after = json.loads(event.after)
        self.assertEqual(event.count, 120)
        self.assertEqual(after["filter"], {"label_contains": "PROVED", "permission": "charges.read",
                                           "state": "TOKEN_STATE_ACTIVE"})
        self.assertEqual((after["deactivate_reason"], after["deactivate_note"]), ("DEACTIVATE_REASON_POLICY", 'audit "7"'))
        self.assertEqual(after["token_ids"], ids[:-11:-1])
        self.assertEqual(after["token_ids_sha256"], digest_of(ids))
        found = self.deployment.execute(
            f"SELECT count(*) FROM latchkey.token WHERE deactivated_at = '{after['deactivated_at']}'")
        self.assertEqual(found, [(120,)])

    def test_every_filter_that_was_set_is_in_the_event_and_its_own_length_pushes_none_out(self):
        label = "\u00e9" * 100
        made = self.create(label=label, external_id="\u00e9" * 255).access_token
        request = token_pb2.DeactivateAccessTokensRequest(
            member_id=made.member_id, label_contains=label, external_id=made.external_id, note="\u00e9" * 500,
            unused_since={"seconds": 4102444800})
        self.assertEqual(self.client.tokens.DeactivateAccessTokens(request, timeout=10).count, 1)
        after = json.loads(self.newest_event().after)
        self.assertEqual(after["filter"], {"member_id": made.member_id, "label_contains": label,
                                           "external_id": made.external_id, "unused_since": "2100-01-01T00:00:00Z"})
        self.assertEqual(after["token_ids_sha256"], digest_of([made.token_id]))

    # ---- who waited is asked again ----

    def end_behind_a_lock(self, caller, change, **fields):
        """DeactivateAccessTokens by this caller, which was admitted before change() and gets its last token after it."""
        token = self.create(**fields).access_token
        with self.caller_of(caller.secret) as client, concurrent.futures.ThreadPoolExecutor(1) as threads, \
                RowLock(self.deployment, f"token WHERE token_id = '{self.uuid_of(token)}'") as lock:
            waiting = threads.submit(self.deactivate_many, client, label_contains=fields["label"])
            lock.wait_for_others(1)
            change()
            lock.release()
            return token, waiting

    def test_a_token_that_ended_while_its_call_waited_ends_none(self):
        for number, (change, reason) in enumerate((
                (lambda token: self.deactivate(token.token_id), "DEACTIVATED"), (lambda token: self.suspend(token.token_id), "SUSPENDED"),
                (lambda token: self.rotate(token.token_id), "EXPIRED"))):
            caller = self.create(label="caller", permissions=["latchkey.tokens.manage"])
            token, waiting = self.end_behind_a_lock(caller, lambda c=change, t=caller.access_token: c(t), label=f"behind {number}")
            with self.assertRaises(grpc.RpcError) as caught:
                waiting.result()
            self.assertEqual((caught.exception.code(), error_info(caught.exception).reason),
                             (grpc.StatusCode.UNAUTHENTICATED, reason))
            self.assertEqual(self.get(token.token_id), token)

    def test_a_caller_that_is_among_them_ends_itself_with_the_others(self):
        caller = self.create(label="itself too", permissions=["latchkey.tokens.manage"])
        token, waiting = self.end_behind_a_lock(caller, lambda: None, label="itself too")
        self.assertEqual(waiting.result().count, 2)
        self.assert_dead(caller.secret, "DEACTIVATED")
        self.assertEqual(self.states([token.token_id, caller.access_token.token_id]), {token_pb2.TOKEN_STATE_DEACTIVATED})

    def test_a_caller_that_is_among_them_and_whose_secret_ended_meanwhile_ends_none(self):
        caller = self.create(label="both", permissions=["latchkey.tokens.manage"])
        end = ("UPDATE latchkey.token_secret SET rotated_at = now(), expires_at = now() - interval '1 s' "
               f"WHERE token_id = '{self.uuid_of(caller.access_token)}'")
        token, waiting = self.end_behind_a_lock(caller, lambda: self.deployment.execute(end), label="both")
        with self.assertRaises(grpc.RpcError) as caught:
            waiting.result()
        self.assertEqual(error_info(caught.exception).reason, "EXPIRED")
        self.assertEqual(self.get(token.token_id), token)

    def test_another_companys_tokens_are_out_of_reach(self):
        with self.deployment.operator() as client:
            other = self.create(client, label="shared name").access_token
        mine = self.make("shared name", 1)
        self.assertEqual(list(self.deactivate_many(label_contains="shared name").token_ids), mine)
        with self.deployment.operator() as client:
            self.assertEqual(self.get(other.token_id, client), other)

    def test_who_may_not_manage_tokens_ends_none(self):
        reader = self.create(permissions=["latchkey.tokens.read"])
        with self.caller_of(reader.secret) as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.deactivate_many(client, label_contains="x"))


class Followed(ValidatedCase):
    def test_the_validator_admits_none_of_them_any_more(self):
        made = [self.create(label="crowd") for _ in range(120)]  # more than one change names one by one
        kept = self.create(label="kept", wait_for_validators={"seconds": 20})
        answer = self.deactivate_many(label_contains="crowd", wait_for_validators={"seconds": 20})
        self.assertEqual((answer.count, answer.validators.all_confirmed), (120, True))
        self.assertEqual({self.decide(each.secret) for each in made}, {"DEACTIVATED"})
        self.assertEqual(self.decide(kept.secret), "OK")


class AMillion(TokenCase):
    """A company as large as they get: by default the largest that it may be. Its tests are in order: the last ends it."""

    COUNT = max(100_000, 10_000 * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")))
    settings = {"max_deadline": "10m"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        member = uuid_of_id(cls().create().access_token.member_id)
        # As an import would leave them, without a change for each.
        cls.deployment.execute(f"""
            SET session_replication_role = replica;
            INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions, suspended)
            SELECT ('019a0000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, c.company_id, '{member}', 'a', 1,
                   'many ' || number, ARRAY['charges.read'], number = 3
              FROM latchkey.company c, generate_series(1, {cls.COUNT}) AS number WHERE c.is_demo;
            RESET session_replication_role; ANALYZE latchkey.token""")

    def pages(self, **fields):
        """Every page: the ids on each."""
        page_token = ""
        while True:
            page = self.list(page_token=page_token, **fields)
            yield [token.label for token in page.access_tokens]
            page_token = page.next_page_token
            if not page_token:
                return

    def test_a_filter_that_has_all_of_them_to_look_at_does_so_page_by_page(self):
        pages = list(self.pages(label_contains="many 77"))
        found = [label for page in pages for label in page]
        wanted = [f"many {number}" for number in range(self.COUNT, 0, -1) if str(number).startswith("77")]
        self.assertEqual(found, wanted)
        nothing = list(self.pages(label_contains="nobody's"))
        self.assertEqual(set(map(tuple, nothing)), {()})
        self.assertGreater(len(nothing), 1)

    def test_the_few_in_a_state_are_found_on_the_first_page(self):
        self.assertEqual(next(self.pages(state=token_pb2.TOKEN_STATE_SUSPENDED)), ["many 3"])
        self.assertFalse(self.list(state=token_pb2.TOKEN_STATE_DEACTIVATED).next_page_token)

    def test_they_are_counted_and_ended_in_one_call(self):
        def call(**fields):
            return self.client.tokens.DeactivateAccessTokens(token_pb2.DeactivateAccessTokensRequest(**fields), timeout=590)

        self.assertEqual(call(label_contains="many ", dry_run=True).count, self.COUNT)
        answer = call(label_contains="many ")
        self.assertEqual((answer.count, len(answer.token_ids)), (self.COUNT, 1000))
        self.assertEqual(answer.token_ids, sorted(answer.token_ids, reverse=True))
        left = self.deployment.execute("SELECT count(*) FROM latchkey.token WHERE label LIKE 'many %' AND deactivated_at IS NULL")
        self.assertEqual(left, [(0,)])


if __name__ == "__main__":
    unittest.main()
