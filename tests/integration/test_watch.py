"""WatchChanges over a real database: who is fed learns everything, in order, and is waited for as long as it may serve."""

import contextlib
import threading
import unittest
import uuid

import grpc

from latchkey_test import Client, uuid_of_id
from latchkey_test.waiting import wait_until
from validate_case import token_pb2
from watch_case import NEVER, WatchCase, feed_pb2

STATUS = grpc.StatusCode


class Contents(WatchCase):
    def test_a_snapshot_holds_every_row_that_decisions_rest_on(self):
        created = self.create(permissions=["charges.create"], allowed_ips=["203.0.113.0/24"], external_id="in their system")
        self.assertTrue(self.ask_about(created))
        watcher = self.watch().read_snapshot()
        for kind, table in (("companies", "company"), ("whitelists", "whitelist"), ("roles", "role"), ("members", "member"),
                            ("tokens", "token")):
            self.assertEqual(len(watcher.known[kind]), self.deployment.execute(f"SELECT count(*) FROM latchkey.{table}")[0][0], kind)
        self.assertEqual({lane: seq for lane, (seq, _) in watcher.positions.items()}, self.heads())
        row = watcher.known["tokens"][uuid.UUID(str(uuid_of_id(created.access_token.token_id))).bytes]
        self.assertEqual((list(row.grants), row.external_id, row.expires_at_ms), (["charges.create"], "in their system", NEVER))
        self.assertEqual([(prefix.address, prefix.bits) for prefix in row.allowed_ips], [(bytes([203, 0, 113, 0]), 24)])
        self.assertEqual(len(row.fingerprint), 16)
        self.assertEqual(len(watcher.key), 2)

    def test_changes_come_as_they_are_committed(self):
        watcher = self.watch().read_snapshot()
        created = self.create()
        token_id = uuid.UUID(str(uuid_of_id(created.access_token.token_id))).bytes
        watcher.read_until(lambda: token_id in watcher.known["tokens"] and self.has_all(watcher))
        self.assertFalse(watcher.known["tokens"][token_id].deactivated)
        self.administrator.tokens.DeactivateAccessToken(
            token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id), timeout=20)
        watcher.read_until(lambda: watcher.known["tokens"][token_id].deactivated)

    def test_a_row_that_is_gone_is_looked_up_and_does_not_come(self):
        watcher = self.watch().read_snapshot()
        created = self.create()
        token_id = uuid.UUID(str(uuid_of_id(created.access_token.token_id))).bytes
        watcher.read_until(lambda: token_id in watcher.known["tokens"])
        for table in ("token_secret", "token"):
            self.deployment.execute(f"DELETE FROM latchkey.{table} WHERE token_id = '{uuid.UUID(bytes=token_id)}'")
        looked_up = []
        while token_id not in looked_up:
            response = watcher.read()
            self.assertNotIn(token_id, [row.token_id for row in response.rows.tokens])
            looked_up = [each for lookup in response.rows.lookups for each in lookup.ids
                         if lookup.kind == feed_pb2.FEED_LOOKUP_KIND_TOKEN]

    def test_changes_during_a_snapshot_are_in_it_or_behind_it(self):
        self.make_companies(20_000)
        made = []
        thread = threading.Thread(target=lambda: made.extend(self.create() for _ in range(30)))
        watcher = self.watch()
        thread.start()
        watcher.read_snapshot()
        thread.join()
        watcher.read_until(lambda: self.has_all(watcher))
        for created in made:
            self.assertIn(uuid.UUID(str(uuid_of_id(created.access_token.token_id))).bytes, watcher.known["tokens"])
        self.assertGreater(watcher.snapshot_messages, 1)
        self.assertLessEqual(watcher.largest, 1 << 20)

    def test_a_long_list_comes_in_parts_and_a_change_of_it_in_one(self):
        company = self.deployment.execute("SELECT company_id, live_list_id FROM latchkey.whitelist LIMIT 1")[0]
        count = self.deployment.execute(f"SELECT count(*) FROM latchkey.whitelist_entry WHERE list_id = '{company[1]}'")[0][0]
        watcher = self.watch().read_snapshot()
        self.deployment.execute(
            "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, cidr, address) "
            f"SELECT gen_random_uuid(), '{company[0]}', '{company[1]}', cidr, host(cidr) FROM "
            "(SELECT set_masklen(('10.0.0.0'::inet + n)::cidr, 32) AS cidr FROM generate_series(1, 30000) n) AS made")
        entries = lambda: watcher.known["entries"].get(uuid.UUID(str(company[0])).bytes, {})
        watcher.read_until(lambda: len(entries()) == count + 30000)
        self.deployment.execute(f"DELETE FROM latchkey.whitelist_entry WHERE list_id = '{company[1]}' AND cidr << '10.0.0.0/25'")
        before = watcher.runs
        watcher.read_until(lambda: len(entries()) == count + 30000 - 127)
        self.assertLessEqual(watcher.runs, before + 1)


class Admission(WatchCase):
    def test_only_who_holds_the_permission_is_fed_also_over_loopback(self):
        with Client(self.validator.address, self.deployment.secrets["LATCHKEY_TOKEN"]) as client:
            self.assert_refused(STATUS.PERMISSION_DENIED, "PERMISSION_MISSING", self.watch(client).read)
        with Client(self.validator.address) as client:
            self.assert_refused(STATUS.UNAUTHENTICATED, "SECRET_MISSING", self.watch(client).read)

    def test_whose_token_has_ended_is_fed_no_more_though_it_says_nothing(self):
        with self.deployment.operator() as operator:
            created = operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="of a validator", permissions=["latchkey.validate.watch"]), timeout=20)
            self.ask_about(created)
            watcher = self.watch(self.enterContext(Client(self.validator.address, created.secret))).read_snapshot()
            operator.tokens.DeactivateAccessToken(
                token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id), timeout=20)

        def read_on():
            for _ in range(20):
                self.change("INSERT INTO latchkey.company (company_id, name) VALUES (gen_random_uuid(), 'later')")
                watcher.read()

        self.assert_refused(STATUS.UNAUTHENTICATED, "DEACTIVATED", read_on)

    def test_a_first_message_without_what_is_needed_is_refused_with_every_field(self):
        self.assert_bad_fields(self.watch(instance="", format=0, instance_id=b"short").read, "instance", "format", "instance_id")

    def test_a_lane_that_cannot_be_is_refused(self):
        watcher = self.watch().read_snapshot()
        watcher.positions[65] = (1, 1)
        self.assert_bad_fields(watcher.renew, "positions.lane")


class Resuming(WatchCase):
    def resume(self, watcher, **options):
        watcher.cancel()
        return self.watch(**{"instance_id": watcher.instance_id, "positions": watcher.positions, "feed": watcher.feed, **options})

    def test_who_comes_back_goes_on_from_its_positions(self):
        watcher = self.watch().read_snapshot()
        watcher.renew()
        missed = self.create()
        self.ask_about(missed)
        resumed = self.resume(watcher)
        resumed.read_until(lambda: self.has_all(resumed))
        self.assertEqual(list(resumed.known["tokens"]), [uuid.UUID(str(uuid_of_id(missed.access_token.token_id))).bytes])
        self.assertEqual(resumed.known["companies"], {})

    def test_positions_of_another_feed_or_time_ask_for_a_snapshot(self):
        watcher = self.watch().read_snapshot()
        lane = next(iter(watcher.positions))
        seq, mark = watcher.positions[lane]
        unknown = "POSITIONS_UNKNOWN"
        self.assert_refused(STATUS.FAILED_PRECONDITION, unknown, self.resume(watcher, feed=watcher.feed ^ 1).read)
        later = {**watcher.positions, lane: (seq + 1000, mark)}
        self.assert_refused(STATUS.FAILED_PRECONDITION, unknown, self.resume(watcher, positions=later).read)

    def test_positions_of_another_history_are_told_so(self):
        watcher = self.watch().read_snapshot()
        lane = next(iter(watcher.positions))
        seq, mark = watcher.positions[lane]
        foreign = {**watcher.positions, lane: (seq, mark ^ 1)}
        self.assert_refused(STATUS.FAILED_PRECONDITION, "HISTORY_LOST", self.resume(watcher, positions=foreign).read)


class History(WatchCase):
    """CheckHistory, where nothing is lost: a loss would stop everybody (system/test_history.py)."""

    def check(self, client=None, **fields):
        request = {"report_id": uuid.uuid4().bytes, "instance": "a test", **fields}
        return (client or self.operator).validation.CheckHistory(feed_pb2.CheckHistoryRequest(**request), timeout=20)

    def setUp(self):
        self.operator = self.enterContext(Client(self.validator.address, self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]))

    def own_rows(self):
        return self.deployment.execute("SELECT lane, head, mark FROM latchkey.change_lane WHERE head > 0")

    def positions(self):
        return [feed_pb2.LanePosition(lane=lane, seq=seq, mark=mark % 2**64) for lane, seq, mark in self.own_rows()]

    def reports(self):
        return self.deployment.execute("SELECT count(*) FROM latchkey.loss_report")[0][0]

    def test_positions_that_are_there_are_kept_and_nothing_is_reported(self):
        self.ask_about(self.create())
        answer = self.check(positions=self.positions())
        self.assertEqual((answer.standing, list(answer.lost_lanes)), (feed_pb2.HISTORY_STANDING_KEPT, []))
        self.assertEqual(self.reports(), 0)

    def test_what_a_validator_does_not_remember_is_looked_for_in_the_database(self):
        """It remembers the last 1024 changes of a lane."""
        self.deployment.execute("DO $$ BEGIN FOR i IN 1..1100 LOOP UPDATE latchkey.company SET external_id = 'change ' || i"
                                " WHERE is_demo; COMMIT; END LOOP; END $$")
        self.ask_about(self.create())
        lane, seq, mark = self.deployment.execute(
            "SELECT c.lane, c.seq, c.mark FROM latchkey.change c JOIN latchkey.change_lane l USING (lane) WHERE c.seq = l.head - 1080")[0]
        answer = self.check(positions=[feed_pb2.LanePosition(lane=lane, seq=seq, mark=mark % 2**64)])
        self.assertEqual(answer.standing, feed_pb2.HISTORY_STANDING_KEPT)

    def test_only_who_may_watch_may_ask_about_the_history(self):
        with Client(self.validator.address, self.deployment.secrets["LATCHKEY_TOKEN"]) as client:
            self.assert_refused(STATUS.PERMISSION_DENIED, "PERMISSION_MISSING", lambda: self.check(client))
        with Client(self.validator.address) as client:
            self.assert_refused(STATUS.UNAUTHENTICATED, "SECRET_MISSING", lambda: self.check(client))

    def test_a_bad_question_is_refused_with_every_field(self):
        self.assert_bad_fields(lambda: self.check(report_id=b"short", instance="", failure="x" * 256), "report_id", "instance", "failure")
        self.assert_bad_fields(lambda: self.check(positions=[feed_pb2.LanePosition(lane=65, seq=1)],
                                                  known=[feed_pb2.LanePosition(lane=1)],
                                                  claims=[feed_pb2.LossClaim(what="x" * 65, company_id=b"c")]),
                               "positions", "known", "claims.company_id", "claims.what")


class Later(WatchCase):
    """A fed one of the next release."""

    def test_it_is_answered_in_our_format_and_what_it_adds_is_passed_over(self):
        watcher = self.watch(format=2, added=b"\xfa\x07\x03new")
        self.assertEqual(watcher.read().format, 1)
        self.assertTrue(watcher.read_snapshot().renew().valid_for)


class Keeping(WatchCase):
    settings = {"min_revision_wait": "10s", "max_staleness": "6s", "poll_interval": "200ms"}

    def deactivate(self, created, wait=20):
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        request.wait_for_validators.seconds = wait
        return self.administrator.tokens.DeactivateAccessToken(request, timeout=wait + 20).validators

    def test_an_answer_vouches_for_no_longer_than_the_feeders_own_lease(self):
        watcher = self.watch().read_snapshot()
        answer = watcher.renew()
        self.assertLessEqual(answer.valid_for.ToTimedelta().total_seconds(), 6)
        self.assertGreater(answer.valid_for.ToTimedelta().total_seconds(), 0)
        self.assertEqual({head.lane: (head.seq, head.mark) for head in answer.heads}, watcher.positions)
        short = self.watch(max_staleness=1).read_snapshot().renew()
        self.assertLessEqual(short.valid_for.ToTimedelta().total_seconds(), 1)

    def test_a_revocation_is_confirmed_only_when_who_is_fed_has_told_to_have_it(self):
        created = self.create()
        watcher = self.watch().read_snapshot()
        watcher.read_until(lambda: self.has_all(watcher))
        watcher.renew()
        lane = uuid.UUID(str(uuid_of_id(created.access_token.company_id))).bytes[15] & 63
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.deactivate(created)))
        thread.start()
        before = watcher.positions[lane][0]
        watcher.read_until(lambda: watcher.positions[lane][0] > before)
        wait_until(lambda: self.row_of(self.validator)[lane] == before, 20, "the row to tell of who is behind")
        self.assertFalse(answers)
        watcher.ask()
        thread.join(40)
        self.assertEqual((answers[0].live, answers[0].confirmed), (2, 2))

    @contextlib.contextmanager
    def other_feeder(self, **settings):
        """A client of another validator, whose lease is a long one."""
        with self.deployment.beside("latchkey-validator", max_staleness="2m", **settings) as feeder, \
             Client(feeder.address, self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]) as client:
            yield client
        # What it leaves for whoever may still serve is not to keep the other tests waiting.
        port = feeder.address.rsplit(":", 1)[1]
        self.deployment.execute(f"DELETE FROM latchkey.validator WHERE name LIKE '%:{port}'")

    def test_who_serves_no_more_is_not_waited_for(self):
        created = self.create()
        with self.other_feeder() as client:
            watcher = self.watch(client).read_snapshot()
            watcher.renew()
            watcher.half_close()
            with self.assertRaises(StopIteration):
                while True:
                    watcher.read()
            validators = self.deactivate(created, 30)
            self.assertEqual(validators.confirmed, validators.live)

    def test_who_is_gone_without_a_word_is_waited_for(self):
        created = self.create()
        with self.other_feeder() as client:
            watcher = self.watch(client).read_snapshot()
            watcher.renew()
            watcher.cancel()
            validators = self.deactivate(created, 2)
            self.assertLess(validators.confirmed, validators.live)

    def test_who_comes_back_and_has_it_is_not_waited_for_any_more(self):
        created = self.create()
        with self.other_feeder() as client:
            watcher = self.watch(client).read_snapshot()
            watcher.renew()
            watcher.cancel()
            self.assertLess(self.deactivate(created, 1).confirmed, 3)
            back = self.watch(client, instance_id=watcher.instance_id, positions=watcher.positions, feed=watcher.feed)
            back.read_until(lambda: self.has_all(back))
            back.ask()
            validators = self.deactivate(created, 30)
            self.assertEqual(validators.confirmed, validators.live)

    def test_who_comes_back_is_waited_for_by_what_it_has_told_whatever_it_goes_on_from(self):
        """Whom it feeds itself may be behind what it has applied."""
        created = self.create()
        with self.other_feeder() as client:
            watcher = self.watch(client).read_snapshot()
            watcher.renew()
            self.assertLess(self.deactivate(created, 1).confirmed, 3)
            watcher.read_until(lambda: self.has_all(watcher))
            watcher.cancel()
            back = self.watch(client, instance_id=watcher.instance_id, positions=watcher.positions, feed=watcher.feed)
            back.read()
            validators = self.deactivate(created, 2)
            self.assertLess(validators.confirmed, validators.live)

    def test_a_feeder_that_stops_leaves_its_row_to_run_out(self):
        with self.deployment.beside("latchkey-validator", **self.settings) as feeder:
            with Client(feeder.address, self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]) as client:
                self.watch(client).read_snapshot().renew()
                feeder.stop()
                self.assertIsNotNone(self.row_of(feeder))
        with self.deployment.beside("latchkey-validator", **self.settings) as alone:
            alone.stop()
            self.assertIsNone(self.row_of(alone))


class Slowness(WatchCase):
    settings = {"min_revision_wait": "10s", "feed_log_size": "64KiB"}

    def test_who_does_not_keep_up_is_cut_off(self):
        # Its windows stay as small as they are at first: what waits in them would be megabytes.
        slow = self.enterContext(Client(self.validator.address, self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"], bdp_probe=0))
        watcher = self.watch(slow).read_snapshot()
        for _ in range(100):
            self.make_companies(2000)
            if self.metric("latchkey_validator_feed_cuts_total"):
                break

        def read_on():
            while True:
                watcher.read()

        self.assert_refused(STATUS.UNAVAILABLE, "FEED_TOO_SLOW", read_on)
        self.assertTrue(self.watch().read_snapshot().renew().valid_for)


if __name__ == "__main__":
    unittest.main()
