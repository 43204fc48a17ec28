"""The audit log read: who did what to what, from where; its filters and pages."""

import threading
import time
import unittest
import uuid

import grpc
from google.protobuf import field_mask_pb2, timestamp_pb2

from audit_case import AuditCase, after, audit_pb2, before, token_pb2, whitelist_pb2
from latchkey_test import Deployment, stubs


class Events(AuditCase):
    settings = {"trusted_proxies": "127.0.0.1"}

    def newest(self, company):
        return self.events(company, page_size=1)[0]

    def caller(self, client):
        return client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller

    def test_an_event_says_who_did_what_to_what_from_where_and_when(self):
        request_id = str(uuid.uuid4())
        with self.deployment.administrator() as client:
            caller = self.caller(client)
            created = client.tokens.CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label="Zahlungen ü", permissions=["charges.read"], request_id=request_id),
                metadata=[("x-forwarded-for", "203.0.113.77")], timeout=10)
            event = self.list(client, action="token.created")[0]
        self.assertRegex(event.event_id, "^aud_[0-9a-z]{26}$")
        self.assertEqual(event.company_id, caller.company_id)
        self.assertEqual((event.actor.member_id, event.actor.token_id, event.actor.email, event.actor.system,
                          event.actor.operator_company_id),
                         (caller.member_id, caller.token_id, "administrator@demo.example", "", ""))
        self.assertEqual((event.action, event.object_id), ("token.created", created.access_token.token_id))
        self.assertEqual((event.client_ip, event.request_id), ("203.0.113.77", request_id))
        self.assertIn("grpc-python", event.user_agent)
        self.assertEqual((event.count, len(event.hash), event.erased), (1, 32, False))
        self.assertLess(abs(event.at.seconds - time.time()), 60)
        self.assertEqual(event.before, "")
        self.assertEqual({key: after(event)[key] for key in ("label", "permissions", "state")},
                         {"label": "Zahlungen ü", "permissions": ["charges.read"], "state": "TOKEN_STATE_ACTIVE"})

    def test_no_event_holds_a_secret_or_its_digest(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            secret = self.make_token(client).secret
        text = "".join(str(row) for row in self.rows(company))
        self.assertNotIn(secret, text)
        self.assertNotIn(secret[-20:], text)

    def test_a_change_shows_only_the_fields_that_differ(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            client.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
                whitelist=whitelist_pb2.Whitelist(enabled=True), force=True,
                update_mask=field_mask_pb2.FieldMask(paths=["enabled"])), timeout=10)
        event = self.newest(company)
        self.assertEqual((event.action, event.object_id), ("whitelist.updated", company))
        self.assertEqual((before(event), after(event)), ({"enabled": False}, {"enabled": True}))

    def test_a_change_of_nothing_is_no_event(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            client.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
                whitelist=whitelist_pb2.Whitelist(enabled=False),
                update_mask=field_mask_pb2.FieldMask(paths=["enabled"])), timeout=10)
        self.assertEqual(len(self.events(company)), 2)

    def test_an_operator_stands_by_name_in_the_log_of_the_company_it_acted_for(self):
        company = self.make_company()
        self.make_events(company, 1)
        with self.deployment.operator() as client:
            operator = self.caller(client)
        for event in self.events(company):
            self.assertEqual((event.actor.member_id, event.actor.token_id, event.actor.operator_company_id),
                             (operator.member_id, operator.token_id, operator.company_id))
            self.assertEqual(event.actor.email, "operator@latchkey.example")

    def test_a_log_begins_with_the_company_and_its_administrator(self):
        company = self.make_company()
        events = self.events(company)
        self.assertEqual([(event.sequence, event.action) for event in events],
                         [(2, "member.created"), (1, "company.created")])
        self.assertEqual(after(events[0])["email"], "ada@acme.example")

    def test_a_repeated_request_is_one_event(self):
        company, request_id = self.make_company(), str(uuid.uuid4())
        with self.deployment.operator(company) as client:
            for _ in range(3):
                self.make_token(client, request_id=request_id)
        self.assertEqual(len(self.events(company, action="token.created")), 1)

    def test_ending_what_has_ended_is_no_event(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            token_id = self.make_token(client).access_token.token_id
            for _ in range(3):
                client.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(token_id=token_id), timeout=10)
        self.assertEqual([event.action for event in self.events(company, object_id=token_id)],
                         ["token.deactivated", "token.created"])

    def test_what_was_refused_or_went_wrong_leaves_no_event(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            self.assert_bad_fields(lambda: self.make_token(client, label=""), "label")
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND", lambda: client.tokens.DeactivateAccessToken(
                token_pb2.DeactivateAccessTokenRequest(token_id="tok_00000000000000000000000000"), timeout=10))
        self.assertEqual(len(self.events(company)), 2)

    def test_long_lists_are_summed_up(self):
        company = self.make_company()
        ips = [f"10.1.{i // 250}.{i % 250}" for i in range(5000)]
        domains = [f"{i}.{'x' * 50}.{'y' * 50}.{'z' * 50}.example.com" for i in range(1000)]
        with self.deployment.operator(company) as client:
            self.make_token(client, allowed_ips=ips, allowed_domains=domains, channels=["CHANNEL_UI"],
                            description="ü" * 500, metadata={"key": "v" * 1000})
        token, = self.events(company, action="token.created")
        self.assertEqual((after(token)["allowed_ips"]["count"], after(token)["allowed_domains"]["count"]), (5000, 1000))
        self.assertEqual(after(token)["allowed_ips"]["first"][0], "10.1.0.0/32")
        self.assertLessEqual(len(token.after), 4096)

    def test_an_agent_is_cut_to_500_characters(self):
        company, secret = self.make_company(), self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        with grpc.insecure_channel(self.deployment.server.address,
                                   options=[("grpc.primary_user_agent", "x" * 600)]) as channel:
            stubs.services("latchkey/v1/token.proto").TokenServiceStub(channel).CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label="x", company_owned=True), timeout=10,
                metadata=[("authorization", f"Bearer {secret}"), ("latchkey-company", company)])
        self.assertEqual(self.newest(company).user_agent, "x" * 500)


class Bootstrapped(AuditCase):
    def test_bootstrap_stands_in_both_logs_under_its_own_name(self):
        for client in (self.deployment.operator(), self.deployment.administrator()):
            with client:
                events = self.list(client)
            self.assertEqual([event.action for event in reversed(events)],
                             ["company.created", "member.created", "token.created"])
            for event in events:
                self.assertEqual((event.actor.system, event.actor.member_id, event.client_ip), ("bootstrap", "", ""))

    def test_a_rotated_token_and_a_changed_catalogue_are_told_to_the_operator(self):
        with Deployment() as deployment:
            path = deployment._directory / "permissions"
            path.write_text("charges.create Create charges\nrefunds.read Read refunds\n")
            deployment.latchkey("migrate", "--permissions-file", path, "--drop-permissions")
            deployment.latchkey("bootstrap", "--rotate", "--env-file", deployment._directory / "rotated.env",
                                "--address", deployment.server.address)
            rows = deployment.execute("SELECT action, actor_system, after ->> 'permissions' FROM latchkey.audit_event e"
                                      " JOIN latchkey.company c USING (company_id) WHERE is_operator AND number > 3"
                                      " ORDER BY number")
        self.assertEqual(rows, [("permissions.set", "migrate",
                                 '["charges.create Create charges","refunds.read Read refunds"]'),
                                ("token.rotated", "bootstrap", None)])


class Filters(AuditCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        with cls.deployment.administrator() as client:
            cls.second = case.make_token(client, company_owned=False, permissions=["latchkey.*"])
            cls.first_token = case.make_token(client).access_token.token_id
        with cls.deployment.anybody(cls.second.secret) as client:
            client.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(token_id=cls.first_token), timeout=10)
            client.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
                entries=[whitelist_pb2.NewWhitelistEntry(address="192.0.2.1")]), timeout=10)
        with cls.deployment.operator() as client:
            cls.operators = case.list(client)
        with cls.deployment.administrator() as client:
            cls.all = case.list(client)

    def found(self, **filters):
        with self.deployment.administrator() as client:
            return [event.sequence for event in self.list(client, **filters)]

    def expect(self, holds, **filters):
        expected = [event.sequence for event in self.all if holds(event)]
        self.assertTrue(expected)
        self.assertEqual(self.found(**filters), expected)

    def test_events_come_newest_first_and_without_a_gap(self):
        self.assertEqual([event.sequence for event in self.all], list(range(len(self.all), 0, -1)))

    def test_by_token(self):
        token_id = self.second.access_token.token_id
        self.expect(lambda event: event.actor.token_id == token_id, token_id=token_id)

    def test_by_member(self):
        member_id = self.second.access_token.member_id
        self.expect(lambda event: event.actor.member_id == member_id, member_id=member_id)

    def test_by_action_and_by_kind(self):
        self.expect(lambda event: event.action == "token.created", action="token.created")
        self.expect(lambda event: event.action.startswith("token."), action="token.*")

    def test_by_object(self):
        self.expect(lambda event: event.object_id == self.first_token, object_id=self.first_token)

    def test_by_time(self):
        middle = self.all[len(self.all) // 2].at
        # Times of a filter are read to the millisecond.
        middle = timestamp_pb2.Timestamp(seconds=middle.seconds, nanos=middle.nanos // 1000000 * 1000000)
        key = (middle.seconds, middle.nanos)
        self.expect(lambda event: (event.at.seconds, event.at.nanos) >= key, since=middle)
        self.expect(lambda event: (event.at.seconds, event.at.nanos) < key, until=middle)
        self.assertEqual(self.found(since=middle, until=middle), [])
        self.assertEqual(self.found(since=timestamp_pb2.Timestamp(seconds=int(time.time()) + 3600)), [])

    def test_all_that_are_set_must_hold(self):
        token_id = self.second.access_token.token_id
        self.expect(lambda event: event.actor.token_id == token_id and event.action == "token.deactivated",
                    token_id=token_id, action="token.*", object_id=self.first_token)

    def test_what_nobody_did_is_an_empty_page(self):
        self.assertEqual(self.found(action="nothing.happened"), [])
        self.assertEqual(self.found(object_id="tok_00000000000000000000000000"), [])

    def test_bad_filters_are_named_all_at_once(self):
        bad = timestamp_pb2.Timestamp(seconds=-99999999999999)
        with self.deployment.administrator() as client:
            self.assert_bad_fields(
                lambda: client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(
                    since=bad, until=bad, member_id="tok_x", token_id="nobody", action="created", object_id="x" * 101,
                    page_size=-1, page_token="x"), timeout=10),
                "since", "until", "member_id", "token_id", "action", "object_id", "page_size", "page_token")

    def test_another_companys_events_are_not_there(self):
        ours = {event.event_id for event in self.all}
        self.assertFalse(ours & {event.event_id for event in self.operators})
        self.assertEqual({event.company_id for event in self.all}, {self.second.access_token.company_id})

    def test_reading_and_verifying_need_the_permission(self):
        with self.deployment.administrator() as client:
            secret = self.make_token(client, permissions=["charges.read"]).secret
        with self.deployment.anybody(secret) as client:
            for call in (lambda: client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(), timeout=10),
                         lambda: client.audit.VerifyAuditLog(audit_pb2.VerifyAuditLogRequest(), timeout=10)):
                self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING", call)


class Pages(AuditCase):
    def test_pages_are_stable_while_events_arrive(self):
        company = self.make_company()
        self.make_events(company, 30)
        seen, stop = [], threading.Event()

        def write():
            with self.deployment.operator(company) as client:
                while not stop.is_set():
                    self.make_token(client)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen = [event.sequence for event in self.events(company, page_size=3)]
        finally:
            stop.set()
            writer.join()
        self.assertEqual(seen, list(range(seen[0], 0, -1)))
        self.assertGreaterEqual(seen[0], 32)

    def test_a_page_token_is_of_one_question_alone(self):
        company = self.make_company()
        with self.deployment.operator(company) as client:
            page = client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=1), timeout=10)
            self.assert_bad_fields(lambda: client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(
                page_size=1, page_token=page.next_page_token, action="token.*"), timeout=10), "page_token")

    def test_a_page_of_long_events_ends_early_and_none_is_lost(self):
        company = self.make_company()
        number = self.deployment.execute(
            "SELECT count(latchkey.audit_append(c.company_id, NULL, NULL, NULL, 'test', NULL, '', '', NULL,"
            " ARRAY[gen_random_uuid()], ARRAY['test.done'], ARRAY[''], ARRAY[j], ARRAY[j], ARRAY[1]::bigint[],"
            " ARRAY[0]::bigint[], ARRAY[sha256('x')], ARRAY['']::bytea[], ARRAY['']::bytea[], ARRAY[''], ARRAY['']))"
            " FROM latchkey.company c, (SELECT '{\"x\":\"' || repeat('y', 4000) || '\"}') AS long (j), generate_series(1, 900)"
            f" WHERE c.company_id = '{uuid.UUID(self.rows(company)[0]['company_id'])}'")[0][0]
        self.assertEqual(number, 900)
        with self.deployment.operator(company) as client:
            first = client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=1000), timeout=20)
            self.assertLess(first.ByteSize(), 4 << 20)
            self.assertEqual([event.sequence for event in self.list(client, page_size=1000)], list(range(902, 0, -1)))

    def time_page(self, client, **filters):
        started = time.monotonic()
        page = client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=10, **filters), timeout=10)
        took = time.monotonic() - started
        self.assertTrue(page.events)
        return took

    def test_a_deep_page_of_a_long_log_reads_as_few_rows_as_the_first(self):
        company = self.make_company()
        company_id = self.rows(company)[0]["company_id"]
        self.deployment.execute(
            "INSERT INTO latchkey.audit_event (event_id, company_id, number, at, actor_member, action, object_id,"
            " previous_hash, hash) SELECT gen_random_uuid(), c.company_id, i, now() - (200000 - i) * interval '1 s',"
            " m.member_id, CASE WHEN i % 2 = 0 THEN 'token.created' ELSE 'whitelist.updated' END, 'tok_' || i,"
            " sha256('x'), sha256('x') FROM latchkey.company c JOIN latchkey.member m USING (company_id),"
            f" generate_series(3, 100000) AS i WHERE c.company_id = '{company_id}'; ANALYZE latchkey.audit_event")
        member = self.deployment.execute(f"SELECT object_id FROM latchkey.audit_event WHERE company_id = '{company_id}'"
                                         " AND number = 2")[0][0]
        middle = timestamp_pb2.Timestamp(seconds=int(time.time()) - 175000)
        with self.deployment.operator(company) as client:
            first = min(self.time_page(client) for _ in range(5))
            for filters in ({"action": "token.created"}, {"action": "token.*"}, {"member_id": member},
                            {"until": middle}, {"since": middle}, {"object_id": "tok_777"},
                            {"until": middle, "action": "token.*"}):
                with self.subTest(filters):
                    # A page takes about 1 ms, a walk over the log more than 40.
                    self.assertLess(min(self.time_page(client, **filters) for _ in range(5)), 5 * first + 0.01)


if __name__ == "__main__":
    unittest.main()
