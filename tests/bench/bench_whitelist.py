"""A whitelist of a million entries: published at once, edited ten thousand at a time, and no hindrance to others

Two lists take turns in being the live one. While one is published, and the validator in the same process loads it, the same
company's tokens are deactivated one after the other: a call has the same lane. The peers are the same deactivations without
that, the bound of 50 ms, and the same SQL, triggers and all, by psycopg2. PostgreSQL reaches the disk on every commit.

One entry is added and removed, and each time "effective" is from the call's answer until a validator in a process of its own
has answered Validate at the call's revision. The peer is the same with a list of ten.
"""

import itertools
import threading
import time
import uuid
from contextlib import closing
from ipaddress import IPv4Address
from statistics import median, quantiles

import grpc

from figures import Figure
from latchkey_test import Client, Deployment, PrivatePostgres, Server, stubs
from world import database_of

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

_BOUND_US = 50000
_PER_CALL = 10000
_EDITS = 40  # of one entry, a round
_SECONDS = 3.0  # of deactivations with a publication among them; a million entries are loaded in less

_FILL = """
INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, company_id, '{list_id}', '10.0.0.1',
       set_masklen(('10.0.0.0'::inet + i * 3)::cidr, 32)
  FROM latchkey.company, generate_series(1, {count}) AS i WHERE is_demo
"""
_DRAFT = """
INSERT INTO latchkey.whitelist_list (list_id, company_id, state, base_list_id, base_edits)
SELECT '{list_id}', w.company_id, 'draft', w.live_list_id, 0 FROM latchkey.whitelist w JOIN latchkey.company USING (company_id)
 WHERE is_demo
"""
_DRAFT_AGAIN = "UPDATE latchkey.whitelist_list SET state = 'draft', base_list_id = list_id, base_edits = 0 WHERE state = 'replaced'"
_TOKENS = """
INSERT INTO latchkey.token (token_id, company_id, kind, channels, label)
SELECT gen_random_uuid(), company_id, 'a', 1, 'raw' FROM latchkey.company, generate_series(1, {count}) WHERE is_demo
"""
_POINT = "UPDATE latchkey.whitelist SET live_list_id = live_list_id WHERE company_id IN (SELECT company_id FROM latchkey.company WHERE is_demo)"
_INSERT = """
INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)
SELECT gen_random_uuid(), w.company_id, w.live_list_id, host(a), a FROM latchkey.whitelist w
  JOIN latchkey.company c USING (company_id), unnest(%s::cidr[]) AS a WHERE c.is_demo RETURNING entry_id
"""
_DELETE = "DELETE FROM latchkey.whitelist_entry e USING latchkey.whitelist w WHERE e.list_id = w.live_list_id AND e.entry_id = ANY (%s::uuid[])"


def run(world):
    count = 100000 if world.quick else 1000000
    with PrivatePostgres(fsync="on", full_page_writes="on") as postgres, \
            Deployment(postgres, whitelist_sweep="1h") as deployment, \
            Server("latchkey-validator", database_url=deployment.url) as validator:
        bench = _Bench(deployment, validator, count)
        few = [bench.change_one() for _ in world.rounds(5)]
        bench.fill()
        rounds = [{**bench.round(), **{f"{name}_of_few": us for name, us in of_few.items()}} for of_few in few]
    return [Figure("whitelist", f"{case} of {count} entries", [found[ours] for found in rounds],
                   [found[peer] for found in rounds], peer_name, "us", goal) for case, ours, peer, peer_name, goal in (
                       ("deactivation beside the publication, p99", "beside", "quiet", "without it", None),
                       ("deactivation beside the publication, p99", "beside", "bound", "50 ms", 1.0),
                       ("publication", "publish", "point", "the bare UPDATE", None),
                       ("one changed, effective p50", "one_p50", "one_p50_of_few", "the same of 10", None),
                       ("one changed, effective p99", "one_p99", "one_p99_of_few", "the same of 10", None),
                       ("one changed, effective p99", "one_p99", "bound", "50 ms", 1.0),
                       ("10 000 added, effective", "add_effective", "add", "the call", None),
                       ("10 000 added to a list", "add", "insert", "the bare INSERT", None),
                       ("10 000 removed from a list", "remove", "delete", "the bare DELETE", None))]


class _Bench:
    def __init__(self, deployment, validator, count):
        self.deployment, self.validator, self.count = deployment, Client(validator.address), count
        self.client = deployment.administrator()
        self.addresses = (str(IPv4Address((172 << 24) + i * 5)) for i in itertools.count())
        self.client.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[{"address": next(self.addresses)} for _ in range(10)]), timeout=30)

    def fill(self):
        """Both lists, the live one and a draft."""
        draft = uuid.uuid4()
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT w.live_list_id FROM latchkey.whitelist w JOIN latchkey.company c USING (company_id) WHERE is_demo")
            (live,) = cursor.fetchone()
            cursor.execute(_DRAFT.format(list_id=draft))
            for list_id in (live, draft):
                cursor.execute(_FILL.format(list_id=list_id, count=self.count))
            cursor.execute("VACUUM ANALYZE latchkey.whitelist_entry")
        self.change_one(1)  # returns when the validator has the list

    def connect(self):
        connection = self.deployment.postgres.connect(database_of(self.deployment.url))
        connection.autocommit = True
        return connection

    def execute(self, statement, *parameters):
        """Its rows, and the microseconds it took."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            started = time.monotonic_ns()
            cursor.execute(statement, parameters or None)
            took_us = (time.monotonic_ns() - started) / 1000
            return (cursor.fetchall() if cursor.description else []), took_us

    def round(self):
        quiet, _ = self.deactivate(_SECONDS / 2)
        beside, published = self.deactivate(_SECONDS, self.publish)
        self.change_one(1)  # the list that was published has been loaded
        return {**self.change_one(), "quiet": quiet, "beside": beside, "bound": _BOUND_US, "publish": published, "point": self.execute(_POINT)[1],
                **self.edit()}

    def change_one(self, edits=_EDITS):
        """Microseconds until one entry counts, and until it does no more."""
        samples = []
        for _ in range(edits):
            add = whitelist_pb2.AddWhitelistEntriesRequest(entries=[{"address": next(self.addresses)}])
            answer, added_us, _ = self.make_effective(
                lambda add=add: self.client.whitelist.AddWhitelistEntries(add, timeout=60))
            remove = whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=[answer.entries[0].entry_id])
            samples += [added_us, self.make_effective(
                lambda remove=remove: self.client.whitelist.RemoveWhitelistEntries(remove, timeout=60))[1]]
        return {"one_p50": median(samples), "one_p99": quantiles(samples, n=100, method="inclusive")[98]}

    def make_effective(self, call):
        """The call's answer, the microseconds from it until the validator has answered at its revision, and those of the call."""
        started = time.monotonic_ns()
        answer, call_us = _time(call)
        question = validation_pb2.ValidateRequest(token=self.deployment.secrets["LATCHKEY_TOKEN"], client_ip="127.0.0.1",
                                                  channel=1, min_revision=answer.revision)
        while not self.has_applied(question):
            continue  # it has waited; a million entries that were published take it longer than a call may
        return answer, (time.monotonic_ns() - started) / 1000 - call_us, call_us

    def has_applied(self, question):
        """False: the validator has not come to the question's revision in the time that a call may wait."""
        try:
            self.validator.validation.Validate(question, timeout=60)
        except grpc.RpcError as error:
            if "min_revision" not in error.details():
                raise
            return False
        return True

    def publish(self):
        """Microseconds of putting the other list in place."""
        (draft,) = self.client.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=30).drafts
        request = whitelist_pb2.PublishWhitelistDraftRequest(draft_id=draft.draft_id, force=True)
        return _time(lambda: self.client.whitelist.PublishWhitelistDraft(request, timeout=30))[1]

    def deactivate(self, seconds, meanwhile=None):
        """p99 of deactivations for so long, in microseconds, and what `meanwhile` returned."""
        self.execute(_TOKENS.format(count=3000))
        if meanwhile:
            self.execute(_DRAFT_AGAIN)
        request = token_pb2.ListAccessTokensRequest(page_size=1000, label_contains="raw", state=1)
        ids, found, samples = [], [], []
        while len(ids) < 3000:
            page = self.client.tokens.ListAccessTokens(request, timeout=30)
            ids += [token.token_id for token in page.access_tokens]
            request.page_token = page.next_page_token
        thread = threading.Timer(seconds / 6, lambda: found.append(meanwhile()))
        if meanwhile:
            thread.start()
        end = time.monotonic() + seconds
        for token_id in ids:
            if time.monotonic() > end:
                break
            call = token_pb2.DeactivateAccessTokenRequest(token_id=token_id)
            samples.append(_time(lambda call=call: self.client.tokens.DeactivateAccessToken(call, timeout=30))[1])
        if meanwhile:
            thread.join()
        return quantiles(samples, n=100, method="inclusive")[98], found[0] if found else None

    def edit(self):
        """Ten thousand added and removed, by us and by the same SQL."""
        entries = [{"address": next(self.addresses)} for _ in range(_PER_CALL)]
        request = whitelist_pb2.AddWhitelistEntriesRequest(entries=entries)
        answer, effective, add = self.make_effective(
            lambda: self.client.whitelist.AddWhitelistEntries(request, timeout=60))
        ids = [entry.entry_id for entry in answer.entries]
        request = whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=ids)
        _, remove = _time(lambda: self.client.whitelist.RemoveWhitelistEntries(request, timeout=60))
        rows, insert = self.execute(_INSERT, [next(self.addresses) for _ in range(_PER_CALL)])
        _, delete = self.execute(_DELETE, [str(entry_id) for (entry_id,) in rows])
        return {"add": add, "add_effective": effective, "remove": remove, "insert": insert, "delete": delete}


def _time(function):
    started = time.monotonic_ns()
    answer = function()
    return answer, (time.monotonic_ns() - started) / 1000
