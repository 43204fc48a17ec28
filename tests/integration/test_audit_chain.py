"""The chain of hashes: as documented, walked by VerifyAuditLog, tampered with by a superuser, erased, exported, and under load."""

import concurrent.futures
import threading
import unittest

import grpc
import psycopg2
from google.protobuf import field_mask_pb2

from audit_case import AuditCase, after, audit_pb2, chain_hash, person_digest, token_pb2, whitelist_pb2
from latchkey_test import Client, uuid_of_id
from latchkey_test.waiting import wait_until

EVENTS = 8  # in the log of each test's company: two of its birth, six tokens


class ChainCase(AuditCase):
    def setUp(self):
        self.company = self.make_company()
        self.make_events(self.company, EVENTS - 2)
        self.company_id = uuid_of_id(self.company)

    def where(self, number):
        return f"company_id = '{self.company_id}' AND number = {number}"

    def change(self, number, assignment, table="audit_event"):
        self.tamper(f"UPDATE latchkey.{table} SET {assignment} WHERE {self.where(number)}")

    def rechain(self, first, rows):
        """What a superuser who knows the format can do: everything from `first` on is given right hashes again."""
        previous, statements = rows[first - 2]["hash"] if first > 1 else bytes(32), []
        for row in rows[first - 1:]:
            following = chain_hash(previous, row)
            statements.append(f"UPDATE latchkey.audit_event SET previous_hash = '\\x{previous.hex()}',"
                              f" hash = '\\x{following.hex()}' WHERE {self.where(row['number'])}")
            previous = following
        statements.append(f"UPDATE latchkey.audit_head SET hash = '\\x{previous.hex()}'"
                          f" WHERE company_id = '{self.company_id}'")
        self.tamper(*statements)

    def assert_broken(self, number, words, event=True, **fields):
        answer = self.verify(self.company, **fields)
        self.assertEqual((answer.intact, answer.broken_sequence), (False, number), answer)
        self.assertIn(words, answer.detail)
        self.assertEqual(answer.broken_event_id != "", event)
        self.assertEqual(answer.next_sequence, 0)
        return answer

    def heads(self):
        """Heads as a reader keeps them: of each event."""
        return [audit_pb2.AuditHead(sequence=row["number"], hash=row["hash"]) for row in self.rows(self.company)]


class Walk(ChainCase):
    def test_an_untouched_chain_is_intact_up_to_its_head(self):
        answer = self.verify(self.company)
        self.assertEqual((answer.intact, answer.events_checked, answer.head_sequence, answer.next_sequence),
                         (True, EVENTS, EVENTS, 0))
        self.assertEqual(answer.head_hash, self.rows(self.company)[-1]["hash"])
        self.assertEqual((answer.broken_event_id, answer.broken_sequence, answer.detail), ("", 0, ""))

    def test_every_hash_is_the_documented_one(self):
        previous = bytes(32)
        for row in self.rows(self.company):
            self.assertEqual(row["person"], person_digest(row))
            self.assertEqual((row["previous_hash"], row["hash"]), (previous, chain_hash(previous, row)))
            previous = row["hash"]

    def test_a_part_is_walked_from_where_the_reader_left_off(self):
        rows = self.rows(self.company)
        answer = self.verify(self.company, from_sequence=5, previous_hash=rows[3]["hash"])
        self.assertEqual((answer.intact, answer.events_checked), (True, EVENTS - 4))
        self.assertTrue(self.verify(self.company, from_sequence=5).intact)
        self.assertTrue(self.verify(self.company, from_sequence=EVENTS + 1, previous_hash=rows[-1]["hash"]).intact)

    def test_another_hash_than_the_reader_kept_is_found_where_he_left_off(self):
        self.assert_broken(5, "does not follow", from_sequence=5, previous_hash=bytes(32))
        self.assert_broken(EVENTS, "head", from_sequence=EVENTS + 1, previous_hash=bytes(32), event=False)
        self.assert_broken(EVENTS + 4, "missing", from_sequence=EVENTS + 5, event=False)
        self.assert_broken(EVENTS + 4, "ends before", from_sequence=EVENTS + 5, previous_hash=bytes(32), event=False)

    def test_a_long_chain_is_walked_in_several_calls(self):
        at, previous, checked, calls = 0, b"", 0, 0
        while True:
            answer = self.verify(self.company, from_sequence=at, previous_hash=previous, max_events=3)
            checked, calls = checked + answer.events_checked, calls + 1
            self.assertEqual(answer.detail, "")
            if answer.intact:
                break
            self.assertEqual(answer.broken_sequence, 0)
            at, previous = answer.next_sequence, answer.next_previous_hash
        self.assertEqual((checked, calls), (EVENTS, 3))

    def test_the_heads_that_a_reader_kept_are_compared(self):
        heads = self.heads()
        self.assertTrue(self.verify(self.company, known_heads=heads).intact)
        self.assertTrue(self.verify(self.company, known_heads=heads[::3], from_sequence=4).intact)
        heads[4].hash = bytes(32)
        self.assert_broken(5, "written anew", known_heads=heads)
        self.assertTrue(self.verify(self.company, known_heads=heads, from_sequence=6).intact)

    def test_bad_arguments_are_named_all_at_once(self):
        heads = [audit_pb2.AuditHead(sequence=2, hash=bytes(32)), audit_pb2.AuditHead(sequence=1, hash=b"x")]
        with self.deployment.operator(self.company) as client:
            self.assert_bad_fields(lambda: client.audit.VerifyAuditLog(audit_pb2.VerifyAuditLogRequest(
                from_sequence=1 << 63, previous_hash=b"short", max_events=-1, known_heads=heads), timeout=10),
                "from_sequence", "previous_hash", "max_events", "known_heads[1].sequence", "known_heads[1].hash")
            self.assert_bad_fields(lambda: client.audit.VerifyAuditLog(audit_pb2.VerifyAuditLogRequest(
                known_heads=[audit_pb2.AuditHead(sequence=1, hash=bytes(32))] * 10001), timeout=10), "known_heads")


class Tampering(ChainCase):
    def test_an_edit_of_any_column_is_found(self):
        for assignment in ("event_id = gen_random_uuid()", "at = at + interval '1 microsecond'", "actor_member = NULL",
                           "actor_token = gen_random_uuid()", "actor_operator = NULL", "actor_system = 'x'",
                           "action = 'token.deleted'", "object_id = ''", "before = '{}'", "after = NULL",
                           "after = '{ }'", "request_id = gen_random_uuid()", "count = 2", "person = NULL",
                           "person = sha256('x')", "hash = sha256('x')", "previous_hash = sha256('x')"):
            with self.subTest(assignment):
                self.setUp()
                self.change(4, assignment)
                self.assert_broken(4, "event")

    def test_what_stands_beside_an_event_about_a_person_can_not_be_changed_unseen(self):
        for assignment in ("email = 'eve@evil.example'", "user_agent = ''", "client_ip = '192.0.2.1'", "client_ip = NULL",
                           "before = '{}'", "after = '{\"email\":\"x\"}'", "salt = sha256('x')"):
            with self.subTest(assignment):
                self.setUp()
                self.change(4, assignment, "audit_person")
                self.assert_broken(4, "about a person")

    def test_nobody_can_be_put_beside_an_event_of_nobody(self):
        self.deployment.execute(
            f"SELECT latchkey.audit_append('{self.company_id}', NULL, NULL, NULL, 'x', NULL, '', '', NULL,"
            " ARRAY[gen_random_uuid()], ARRAY['x.y'], ARRAY[''], ARRAY[''], ARRAY[''], ARRAY[1]::bigint[], ARRAY[0]::bigint[],"
            " ARRAY[sha256('')], ARRAY['']::bytea[], ARRAY['']::bytea[], ARRAY[''], ARRAY[''])")
        self.rechain(EVENTS + 1, self.rows(self.company))
        self.assertTrue(self.verify(self.company).intact)
        self.tamper(f"INSERT INTO latchkey.audit_person VALUES ('{self.company_id}', {EVENTS + 1}, sha256('x'), 'a', '', NULL)")
        self.assert_broken(EVENTS + 1, "about a person")

    def test_a_removed_event_is_missed(self):
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE {self.where(4)}")
        self.assert_broken(4, "missing", event=False)

    def test_a_removed_event_whose_place_is_closed_is_missed(self):
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE {self.where(4)}",
                    f"UPDATE latchkey.audit_event SET number = -number WHERE company_id = '{self.company_id}' AND number > 4"
                    .replace("-number", "number + 1000"),
                    f"UPDATE latchkey.audit_event SET number = number - 1001 WHERE company_id = '{self.company_id}'"
                    " AND number > 1000")
        self.assert_broken(4, "does not follow")

    def test_two_swapped_events_are_found(self):
        self.tamper(*(f"UPDATE latchkey.audit_event SET number = {to} WHERE {self.where(of)}"
                      for of, to in ((4, 1000), (5, 4), (1000, 5))))
        self.assert_broken(4, "does not follow")

    def test_an_event_of_another_company_is_found(self):
        other = self.make_company()
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE {self.where(2)}",
                    f"UPDATE latchkey.audit_event SET company_id = '{self.company_id}'"
                    f" WHERE company_id = '{uuid_of_id(other)}' AND number = 2")
        self.assert_broken(2, "does not follow")

    def test_an_inserted_event_behind_the_head_is_found(self):
        self.tamper("INSERT INTO latchkey.audit_event (event_id, company_id, number, at, action, previous_hash, hash)"
                    f" SELECT gen_random_uuid(), company_id, number + 1, at, 'x.y', hash, sha256('x')"
                    f" FROM latchkey.audit_event WHERE {self.where(EVENTS)}")
        self.assert_broken(EVENTS + 1, "behind the head", event=False)

    def test_a_cut_tail_is_missed(self):
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE company_id = '{self.company_id}' AND number > 5")
        self.assert_broken(6, "missing", event=False)

    def test_an_emptied_log_is_missed(self):
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE company_id = '{self.company_id}'")
        self.assert_broken(1, "missing", event=False)

    def test_a_head_with_another_hash_is_found(self):
        self.deployment.execute(f"UPDATE latchkey.audit_head SET hash = sha256('x') WHERE company_id = '{self.company_id}'")
        self.assert_broken(EVENTS, "head", event=False)

    def test_a_cut_tail_with_a_moved_head_is_seen_by_who_kept_a_head(self):
        kept, rows = self.heads(), self.rows(self.company)
        self.tamper(f"DELETE FROM latchkey.audit_event WHERE company_id = '{self.company_id}' AND number > 5",
                    f"UPDATE latchkey.audit_head SET number = 5, hash = '\\x{rows[4]['hash'].hex()}'"
                    f" WHERE company_id = '{self.company_id}'")
        self.assertTrue(self.verify(self.company).intact)
        self.assert_broken(EVENTS, "shorter", known_heads=kept[-1:], event=False)

    def test_a_chain_written_anew_is_seen_by_who_kept_a_head(self):
        kept = self.heads()
        self.change(4, "action = 'token.forged'")
        self.rechain(4, self.rows(self.company))
        self.assertTrue(self.verify(self.company).intact)
        self.assert_broken(EVENTS, "written anew", known_heads=kept[-1:])
        self.assert_broken(4, "written anew", known_heads=kept)

    def test_nothing_can_be_appended_to_a_tampered_chain_unseen(self):
        self.change(4, "action = 'token.forged'")
        self.make_events(self.company, 1)
        self.assert_broken(4, "edited")


class Erasing(ChainCase):
    def erase(self, member_id, *arguments):
        return self.deployment.latchkey("audit", "erase", member_id, "--yes", *arguments)

    def test_what_is_known_of_a_member_goes_and_the_chain_holds(self):
        administrator = self.events(self.company, action="member.created")[0]
        self.assertIn("ada@acme.example", administrator.after)
        self.assertIn("1 event", self.erase(administrator.object_id).stdout)
        erased = self.events(self.company, action="member.created")[0]
        self.assertTrue(erased.erased)
        self.assertNotIn("ada", erased.after)
        self.assertEqual((erased.actor.email, erased.client_ip, erased.user_agent), ("", "", ""))
        self.assertEqual((erased.hash, erased.actor.member_id), (administrator.hash, administrator.actor.member_id))
        self.assertTrue(self.verify(self.company).intact)
        self.assertNotIn("ada@", str(self.deployment.execute("SELECT array_agg(p::text) FROM latchkey.audit_person p"
                                                             f" WHERE company_id = '{self.company_id}'")))

    def test_it_stands_in_the_log_itself(self):
        member = self.events(self.company, action="member.created")[0].object_id
        self.erase(member)
        event = self.events(self.company)[0]
        self.assertEqual((event.action, event.object_id, event.actor.system, event.count),
                         ("audit.erased", member, "erase", 1))
        self.assertIn("no event", self.erase(member).stdout)
        self.assertEqual(len(self.events(self.company)), EVENTS + 1)

    def test_the_addresses_of_his_log_ins_go_too(self):
        member = self.events(self.company, action="member.created")[0].object_id
        self.log_in(self.company, member, "203.0.113.50")
        self.assertIn("203.0.113.50", self.events(self.company, action="login.created")[0].after)
        self.erase(member)
        self.assertNotIn("203.0.113", str(self.events(self.company)))
        self.assertTrue(self.verify(self.company).intact)

    def test_who_acted_is_erased_in_every_log(self):
        with self.deployment.operator() as client:
            operator = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller.member_id
        self.erase(operator)
        for event in self.events(self.company, member_id=operator):
            self.assertEqual((event.erased, event.actor.email), (True, ""))
        self.assertTrue(self.verify(self.company).intact)

    def test_an_unknown_member_is_no_success(self):
        done = self.deployment.latchkey("audit", "erase", "mbr_00000000000000000000000000", "--yes", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no member", done.stderr)


class Load(ChainCase):
    def test_twenty_clients_of_one_company_leave_no_gap(self):
        def work(_):
            with self.deployment.operator(self.company) as client:
                return [self.make_token(client).access_token.token_id for _ in range(10)]

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            made = [token_id for ids in pool.map(work, range(20)) for token_id in ids]
        events = self.events(self.company, page_size=1000)
        self.assertEqual([event.sequence for event in events], list(range(EVENTS + 200, 0, -1)))
        self.assertLessEqual(set(made), {event.object_id for event in events})
        self.assertEqual(events, sorted(events, key=lambda event: (event.at.seconds, event.at.nanos), reverse=True))
        self.assertTrue(self.verify(self.company).intact)

    def test_a_change_and_its_event_are_both_there_or_neither_after_kill_9(self):
        acknowledged, stop = [], threading.Event()

        def work(number):
            while not stop.is_set():
                try:
                    with Client(self.deployment.server.address, self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"],
                                self.company) as client:
                        while not stop.is_set():
                            acknowledged.append(self.make_token(client).access_token.token_id)
                except grpc.RpcError:
                    pass

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            workers = [pool.submit(work, number) for number in range(8)]
            for _ in range(3):
                enough = len(acknowledged) + 20
                wait_until(lambda: len(acknowledged) >= enough, 60, "tokens")  # pylint: disable=cell-var-from-loop
                self.deployment.server.kill()
                self.deployment.server.start()
            stop.set()
            for worker in workers:
                worker.result()
        tokens = self.deployment.execute(
            f"SELECT token_id::text FROM latchkey.token WHERE company_id = '{self.company_id}'")
        noted = [uuid_of_id(event.object_id) for event in self.events(self.company, action="token.created")]
        self.assertEqual(sorted(noted), sorted(token for (token,) in tokens))
        self.assertLessEqual({uuid_of_id(token) for token in acknowledged}, set(noted))
        self.assertTrue(self.verify(self.company).intact)


class RefusedLogIns(ChainCase):
    def setUp(self):
        super().setUp()
        self.member = self.events(self.company, action="member.created")[0].object_id
        with self.deployment.operator(self.company) as client:
            client.whitelist.UpdateWhitelist(whitelist_pb2.UpdateWhitelistRequest(
                whitelist=whitelist_pb2.Whitelist(enabled=True), force=True,
                update_mask=field_mask_pb2.FieldMask(paths=["enabled"])), timeout=10)

    def test_a_refused_log_in_is_an_event_with_its_reason_and_address(self):
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED",
                            lambda: self.log_in(self.company, self.member, "203.0.113.50"))
        event = self.events(self.company, action="login.refused")[0]
        self.assertEqual((event.object_id, event.count), (self.member, 1))
        self.assertEqual(after(event), {"client_ip": "203.0.113.50", "reason": "COMPANY_IP_NOT_LISTED"})

    def test_a_flood_of_them_is_counted_by_the_minute(self):
        for number in range(40):
            self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED",
                                lambda n=number: self.log_in(self.company, self.member, f"203.0.113.{n}"))
        self.assertLessEqual(len([event for event in self.events(self.company, action="login.refused")
                                  if event.actor.system == ""]), 20)
        count = self.deployment.execute("SELECT coalesce(sum(count), 0)::bigint FROM latchkey.audit_refusal"
                                        f" WHERE company_id = '{self.company_id}'")[0][0]
        self.assertEqual(sum(event.count for event in self.events(self.company, action="login.refused")) + count, 40)


class Refusals(ChainCase):
    """The door that every refusal goes through."""

    def refuse(self, count, objects=1):
        self.deployment.execute(
            "SET ROLE latchkey_app; SET lock_timeout = '5s';"
            f"SELECT latchkey.audit_append('{self.company_id}', NULL, NULL, NULL, 'test', NULL, '', '', '192.0.2.1',"
            " array_agg(gen_random_uuid()), array_agg('login.refused'::text), array_agg('mbr_' || i % " f"{objects}),"
            " array_agg(''::text), array_agg('{\"reason\":\"IP\"}'::text), array_agg(1::bigint), array_agg(10::bigint),"
            " array_agg(sha256('x')), array_agg(''::bytea), array_agg(''::bytea), array_agg(''::text), array_agg(''::text))"
            f" FROM generate_series(1, {count}) AS i")

    def counted(self):
        return self.deployment.execute(f"SELECT count(*), coalesce(sum(count), 0)::bigint FROM latchkey.audit_refusal"
                                       f" WHERE company_id = '{self.company_id}'")[0]

    def end_minute(self):
        self.deployment.execute("UPDATE latchkey.audit_refusal SET minute = minute - interval '1 minute'"
                                f" WHERE company_id = '{self.company_id}'")

    def test_a_flood_grows_the_log_by_a_few_events_and_none_is_uncounted(self):
        for _ in range(5):
            self.refuse(1000, objects=300)
        events = self.events(self.company, action="login.refused")
        rows, count = self.counted()
        # The minute may end in the middle of it, and its counts be events already.
        self.assertLessEqual(len([event for event in events if event.actor.system == "test"]), 20)
        self.assertLessEqual(rows, 42)
        self.assertEqual(sum(event.count for event in events) + count, 5000)

        self.end_minute()
        wait_until(lambda: self.counted()[0] == 0, 60, "the counted refusals to be appended")
        events = self.events(self.company, action="login.refused")
        self.assertEqual(sum(event.count for event in events), 5000)
        self.assertLessEqual(len(events), 62)
        counted = [event for event in events if event.count > 1]
        self.assertTrue(counted)
        for event in counted:
            self.assertEqual(event.actor.system, "audit")
            self.assertRegex(event.after, '"minute":"20..-..-..T..:..:00Z"')

    def test_the_first_of_a_minute_have_events_at_once(self):
        self.refuse(3)
        self.assertEqual([event.count for event in self.events(self.company, action="login.refused")], [1, 1, 1])
        self.assertEqual(self.counted(), (0, 0))

    def test_a_flood_does_not_stand_in_the_way_of_changes(self):
        def count_while_the_head_is_held():
            self.refuse(10)
            connection = self.deployment.postgres.connect(self.deployment.url.split("dbname=")[1].split()[0])
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT 1 FROM latchkey.audit_head WHERE company_id = '{self.company_id}' FOR UPDATE")
                    self.refuse(10)
            finally:
                connection.close()

        try:
            count_while_the_head_is_held()
        except psycopg2.errors.LockNotAvailable:  # a new minute had begun in between, which has events of its own
            count_while_the_head_is_held()
        self.assertGreaterEqual(self.counted()[1], 10)


if __name__ == "__main__":
    unittest.main()
