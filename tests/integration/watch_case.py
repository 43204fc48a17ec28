"""Somebody who is fed by a validator, as WatchChanges of the contract has it."""

import queue
import random
import uuid

from latchkey_test import Client, stubs
from validate_case import ValidateCase

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
feed_pb2 = stubs.messages("latchkey/v1/feed.proto")

NEVER = 2**63 - 1


class Watcher:
    """One stream. `known` is what has been told so far, kind -> id -> row; `positions` lane -> (seq, mark) applied."""

    def __init__(self, client, instance_id=None, positions=None, feed=0, max_staleness=0, added=b"", **first):
        self.instance_id = instance_id or uuid.uuid4().bytes
        self.positions, self.feed, self.key = dict(positions or {}), feed, ()
        self.known = {kind: {} for kind in ("companies", "whitelists", "entries", "roles", "members", "tokens")}
        self.is_complete = positions is not None
        self.runs, self.snapshot_messages, self.largest = 0, 0, 0
        self._to_send, self._goes_on = queue.Queue(), False
        request = feed_pb2.WatchChangesRequest(**{"instance": "a test", "format": 1, "instance_id": self.instance_id, "feed": feed,
                                                  "positions": self._told(), **first})
        if max_staleness:
            request.max_staleness.seconds = max_staleness
        request.MergeFromString(added)
        self._to_send.put(request)
        self._call = client.validation.WatchChanges(iter(self._to_send.get, None))

    def read(self):
        """The next message, taken in; a grpc.RpcError when the feeder has ended the stream."""
        response = next(self._call)
        self.largest = max(self.largest, response.ByteSize())
        if response.feed:
            self.feed, self.key = response.feed, tuple(response.fingerprint_key)
        self._take_rows(response.rows)
        for change in response.applied:
            self.positions[change.lane] = (change.seq, change.mark)
        self.runs += bool(response.applied) and self.is_complete
        self.is_complete = self.is_complete or bool(response.applied)
        return response

    def _take_rows(self, rows):
        self.snapshot_messages += not self.is_complete and rows.ByteSize() > 0
        for kind, own_id in (("companies", "company_id"), ("whitelists", "company_id"), ("roles", "role_id"),
                             ("members", "member_id"), ("tokens", "token_id")):
            for row in getattr(rows, kind):
                self.known[kind][getattr(row, own_id)] = row
        for part in rows.entries:
            mine = self.known["entries"].setdefault(part.company_id, {})
            if not part.prefixes and not self._goes_on:
                mine.clear()
            for prefix in part.prefixes:
                mine.pop((prefix.address, prefix.bits), None)
            mine.update({(entry.prefix.address, entry.prefix.bits): entry.expires_at_ms for entry in part.entries})
            self._goes_on = part.continues

    def read_snapshot(self):
        while not self.is_complete:
            self.read()
        return self

    def read_until(self, is_there, what="a message"):
        """Reads until something is so of what has been told."""
        for _ in range(100_000):
            if is_there():
                return
            self.read()
        raise AssertionError(f"{what} did not come")

    def ask(self, tell=True):
        """Sends a nonce, with the positions; the nonce."""
        nonce = random.randrange(1, 2**64)
        self._to_send.put(feed_pb2.WatchChangesRequest(nonce=nonce, positions=self._told() if tell else []))
        return nonce

    def renew(self, tell=True):
        """The answer to a nonce, with what came before it."""
        nonce = self.ask(tell)
        while True:
            response = self.read()
            if response.nonce == nonce:
                return response

    def _told(self):
        return [feed_pb2.LanePosition(lane=lane, seq=seq, mark=mark) for lane, (seq, mark) in self.positions.items()]

    def half_close(self):
        """Serves no more."""
        self._to_send.put(None)

    def cancel(self):
        """Gone, without a word."""
        self._call.cancel()
        self._to_send.put(None)


class WatchCase(ValidateCase):
    """`self.feeder` is the operator's client of the validator under test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feeder = cls.enter(Client(cls.validator.address, cls.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]))

    def watch(self, client=None, **options):
        watcher = Watcher(client or self.feeder, **options)
        self.addCleanup(watcher.cancel)
        return watcher

    def make_companies(self, count):
        """400 a transaction: the trigger of its end runs once for each of its companies, and looks at all of them each time."""
        self.change(f"DO $$ BEGIN FOR i IN 1..{count // 400} LOOP INSERT INTO latchkey.company (company_id, name)"
                    " SELECT gen_random_uuid(), 'c' || n FROM generate_series(1, 400) n; COMMIT; END LOOP; END $$")

    def heads(self):
        """lane -> seq, of the lanes in which anything has happened."""
        return dict(self.deployment.execute("SELECT lane, head FROM latchkey.change_lane WHERE head > 0"))

    def has_all(self, watcher):
        heads = self.heads()
        return all(watcher.positions.get(lane, (0, 0))[0] >= seq for lane, seq in heads.items())

    def row_of(self, server):
        """lane -> seq that the validator's row in the database tells."""
        port = server.address.rsplit(":", 1)[1]
        rows = self.deployment.execute(f"SELECT positions FROM latchkey.validator WHERE name LIKE '%:{port}'")
        return dict(enumerate(rows[0][0])) if rows else None
