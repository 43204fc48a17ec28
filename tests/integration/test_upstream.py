"""Validators that are fed by another one: they decide as it does, follow what it follows, and stop no later than it vouches for."""

import concurrent.futures
import queue
import select
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

import grpc

from latchkey_test import Client, FedServer, Server, error_info, stubs
from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, DENY, ValidateCase, decision_pb2, revision_of, token_pb2, validation_pb2

feed_pb2 = stubs.messages("latchkey/v1/feed.proto")
status_pb2 = stubs.messages("google/rpc/status.proto")
error_details_pb2 = stubs.messages("google/rpc/error_details.proto")
validation_grpc = stubs.services("latchkey/v1/validation.proto")

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PATIENCE = 60


class Relay:
    """A TCP relay to a server that can stop both ways without closing anything, and go on."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock, self._pairs, self.is_cut, self._is_over = threading.Lock(), {}, False, False
        self._waker, self._wakened = socket.socketpair()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._wake()
        self._thread.join()
        for each in (self._listener, self._waker, self._wakened, *self._pairs):
            each.close()

    def set_cut(self, is_cut):
        self.is_cut = is_cut
        self._wake()

    def _wake(self):
        self._waker.send(b"x")

    def _run(self):
        while not self._is_over:
            sources = [self._wakened, *([] if self.is_cut else [self._listener, *self._pairs])]
            for ready in select.select(sources, [], [])[0]:
                if ready is self._wakened:
                    self._wakened.recv(100)
                elif ready is self._listener:
                    self._accept()
                elif ready in self._pairs:
                    self._pass_on(ready)

    def _accept(self):
        inner = self._listener.accept()[0]
        try:
            outer = socket.create_connection(self._target, timeout=5)
        except OSError:
            inner.close()
            return
        self._pairs.update({inner: outer, outer: inner})

    def _pass_on(self, source):
        other = self._pairs[source]
        try:
            data = source.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for each in (source, other):
            self._pairs.pop(each, None)
            each.close()


class FedCase(ValidateCase):
    settings = {"min_revision_wait": "10s", "max_staleness": "30s", "poll_interval": "200ms"}
    fed_settings = {"min_revision_wait": "10s", "poll_interval": "200ms"}

    def feed(self, upstream=None, **settings):
        """Another one that is fed, ready, and its client."""
        server = self.enterContext(FedServer(self.deployment, upstream or self.validator.address, **{**self.fed_settings, **settings}))
        return server, self.enterContext(Client(server.address))

    def deactivate(self, created, wait=40):
        request = token_pb2.DeactivateAccessTokenRequest(token_id=created.access_token.token_id)
        request.wait_for_validators.seconds = wait
        return self.administrator.tokens.DeactivateAccessToken(request, timeout=wait + 20).validators

    def reason_of(self, client, secret):
        """ALLOW, the reason of a denial, or that of an error."""
        try:
            answer = self.ask(secret, client=client)
        except grpc.RpcError as error:
            info = error_info(error)
            return info.reason if info else error.code().name
        return "ALLOW" if answer.decision == ALLOW else decision_pb2.Reason.Name(answer.reason).removeprefix("REASON_")

    def count(self, server, name):
        return sum(float(line.split()[-1]) for line in server.admin("/metrics")[1].splitlines() if line.startswith(name + " "))


class Following(FedCase):
    def test_it_decides_and_follows_without_a_database(self):
        before = self.create(permissions=["charges.create"])
        self.ask_about(before)
        _, client = self.feed()
        self.assertEqual(self.ask(before.secret, client=client, permissions=["charges.create"]).decision, ALLOW)
        self.assertEqual(self.ask(before.secret, client=client, permissions=["charges.read"]).decision, DENY)
        after = self.create()
        answer = self.ask(after.secret, client=client, min_revision=after.revision)
        self.assertEqual((answer.decision, answer.token_id), (ALLOW, after.access_token.token_id))

    def test_a_chain_of_two_follows_as_well_and_a_revocation_reaches_its_end(self):
        first, _ = self.feed()
        _, client = self.feed(first.address)
        created = self.create()
        self.assertEqual(self.ask(created.secret, client=client, min_revision=created.revision).decision, ALLOW)
        validators = self.deactivate(created)
        self.assertEqual(validators.confirmed, validators.live)
        self.assert_denied(self.ask(created.secret, client=client), "DEACTIVATED")

    def test_no_confirmed_revocation_is_admitted_by_any_of_a_tree(self):
        first, one = self.feed()
        _, two = self.feed(first.address)
        _, three = self.feed()
        for _ in range(20):
            created = self.create()
            for client in (one, two, three):
                self.assertEqual(self.ask(created.secret, client=client, min_revision=created.revision).decision, ALLOW)
            validators = self.deactivate(created)
            self.assertEqual(validators.confirmed, validators.live)
            for client in (one, two, three):
                self.assertEqual(self.reason_of(client, created.secret), "DEACTIVATED")

    def test_a_revision_that_nobody_has_committed_is_not_reached(self):
        _, client = self.feed(min_revision_wait="300ms")
        created = self.create()
        lane, head, mark = self.lane_of(created.access_token.company_id)
        self.assertEqual(self.ask(created.secret, client=client, min_revision=created.revision).decision, ALLOW)
        error = self.assert_raises_rpc(lambda: self.ask(created.secret, client=client, min_revision=revision_of(lane, head + 9, mark)))
        self.assertIn(error_info(error).reason, ("REVISION_NOT_REACHED", "REVISION_UNKNOWN"))

    def assert_raises_rpc(self, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        return caught.exception

    def test_who_may_not_watch_never_gets_ready_and_says_why(self):
        server = FedServer(self.deployment, self.validator.address, secret=self.deployment.secrets["LATCHKEY_TOKEN"])
        self.addCleanup(server.remove)
        server.start(ready=False)
        wait_until(lambda: "latchkey.validate.watch" in server.admin("/readyz")[1], PATIENCE, "the reason to be told")
        self.assertFalse(server.is_ready())


class Fence(FedCase):
    """With short leases, which are over within a test."""

    settings = {**FedCase.settings, "max_staleness": "4s"}

    def serving(self, client, created):
        self.assertEqual(self.ask(created.secret, client=client, min_revision=created.revision).decision, ALLOW)

    def ask_on(self, client, secret, until):
        """All outcomes of asking again and again until `until()`."""
        seen = []
        while not until():
            seen.append(self.reason_of(client, secret))
        return seen

    def test_who_is_paused_admits_nobody_after_the_fence(self):
        server, client = self.feed()
        created = self.create()
        self.serving(client, created)
        server.pause()
        try:
            waiting = [client.validation.Validate.future(validation_pb2.ValidateRequest(
                token=created.secret, channel=1, client_ip="203.0.113.7"), timeout=PATIENCE) for _ in range(20)]
            lagging = self.deactivate(created, 1)
            self.assertLess(lagging.confirmed, lagging.live)
            validators = self.deactivate(created)
            self.assertEqual(validators.confirmed, validators.live)
        finally:
            server.resume()
        seen = {self.outcome(call) for call in waiting} | {self.reason_of(client, created.secret) for _ in range(50)}
        self.assertNotIn("ALLOW", seen)
        wait_until(lambda: self.reason_of(client, created.secret) == "DEACTIVATED", PATIENCE, "it to serve again")

    def outcome(self, call):
        try:
            return decision_pb2.Reason.Name(call.result().reason).removeprefix("REASON_").replace("OK", "ALLOW")
        except grpc.RpcError as error:
            info = error_info(error)
            return info.reason if info else error.code().name

    def test_who_is_cut_off_admits_nobody_after_the_fence_and_goes_on_where_it_was(self):
        with Relay(self.validator.address) as relay:
            server, client = self.feed(relay.address)
            created = self.create()
            self.serving(client, created)
            snapshots = self.count(self.validator, "latchkey_validator_feed_snapshots_total")
            relay.set_cut(True)
            over = threading.Event()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asking = pool.submit(self.ask_on, client, created.secret, over.is_set)
                validators = self.deactivate(created)
                self.assertEqual(validators.confirmed, validators.live)
                after = {self.reason_of(client, created.secret) for _ in range(50)}
                over.set()
                asking.result()
            self.assertNotIn("ALLOW", after)
            relay.set_cut(False)
            wait_until(lambda: self.reason_of(client, created.secret) == "DEACTIVATED", PATIENCE, "it to serve again")
            self.assertEqual(self.count(self.validator, "latchkey_validator_feed_snapshots_total"), snapshots)

    def test_when_the_feeder_is_gone_it_stops_in_time_and_comes_back_with_it(self):
        with Server("latchkey-validator", database_url=self.deployment.url, **self.settings) as feeder:
            _, client = self.feed(feeder.address)
            created = self.create()
            self.serving(client, created)
            feeder.kill()
            self.assertIn(self.reason_of(client, created.secret), ("ALLOW", "STALE"))
            validators = self.deactivate(created)
            self.assertEqual(validators.confirmed, validators.live)
            self.assertNotEqual(self.reason_of(client, created.secret), "ALLOW")
            wait_until(lambda: self.reason_of(client, created.secret) == "STALE", PATIENCE, "its lease to be over")
            feeder.start()
            wait_until(lambda: self.reason_of(client, created.secret) == "DEACTIVATED", PATIENCE, "it to serve again")

    def test_when_the_feeder_is_paused_it_stops_in_time(self):
        with Server("latchkey-validator", database_url=self.deployment.url, **self.settings) as feeder:
            _, client = self.feed(feeder.address)
            created = self.create()
            self.serving(client, created)
            feeder.pause()
            try:
                validators = self.deactivate(created)
                self.assertEqual(validators.confirmed, validators.live)
                self.assertNotEqual(self.reason_of(client, created.secret), "ALLOW")
            finally:
                feeder.resume()
            wait_until(lambda: self.reason_of(client, created.secret) == "DEACTIVATED", PATIENCE, "it to serve again")

    def test_who_lags_behind_a_feeder_is_named(self):
        server, client = self.feed()
        created = self.create()
        self.serving(client, created)
        server.pause()
        try:
            lagging, = self.deactivate(created, 2).lagging
            self.assertRegex(lagging, rf"^.+ \(fed: .+:{server.address.rsplit(':', 1)[1]}\)$")
        finally:
            server.resume()
        wait_until(lambda: self.reason_of(client, created.secret) == "DEACTIVATED", PATIENCE, "it to serve again")
        later = self.create()
        self.serving(client, later)
        self.assertEqual(list(self.deactivate(later).lagging), [])

    def test_who_stops_in_order_is_not_waited_for(self):
        with Server("latchkey-validator", database_url=self.deployment.url, **{**self.settings, "max_staleness": "5m"}) as feeder:
            server, client = self.feed(feeder.address)
            created = self.create()
            self.serving(client, created)
            server.stop()
            validators = self.deactivate(created)
            self.assertEqual(validators.confirmed, validators.live)


class Local(FedCase):
    def test_a_feeder_on_this_machine_feeds_over_a_unix_socket(self):
        socket_path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "feed.sock"
        self.enterContext(self.deployment.beside("latchkey-validator", listen=f"unix:{socket_path}"))
        _, client = self.feed(f"unix:{socket_path}")
        created = self.create()
        self.assertEqual(self.ask(created.secret, client=client, min_revision=created.revision).decision, ALLOW)
        self.deactivate(created)
        self.assert_denied(self.ask(created.secret, client=client), "DEACTIVATED")


class Encrypted(FedCase):
    def test_a_certificate_that_may_watch_needs_no_token(self):
        authority = self.enterContext(Authority())
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "permissions").write_text("dns:sidecar.test latchkey.validate.watch\n")
        own = authority.issue("server", ["IP:127.0.0.1"])
        feeder = self.enterContext(Server("latchkey-validator", database_url=self.deployment.url, tls_certificate=own.certificate,
                                          tls_key=own.key, tls_client_ca=authority.certificate,
                                          tls_client_permissions=directory / "permissions"))
        mine = authority.issue("client", ["DNS:sidecar.test"])
        fed = self.enterContext(Server("latchkey-validator", upstream=f"https://{feeder.address}",
                                       upstream_ca_file=authority.certificate, upstream_certificate_file=mine.certificate,
                                       upstream_key_file=mine.key))
        client = self.enterContext(Client(fed.address))
        created = self.create()
        wait_until(lambda: self.reason_of(client, created.secret) == "ALLOW", PATIENCE, "the token to be known")


class Feeder(validation_grpc.ValidationServiceServicer):
    """A feeder of another release: says what it is told to."""

    def __init__(self, *script):
        self.script = script
        self.firsts = queue.Queue()

    def WatchChanges(self, requests, context):
        script, first = self.script, next(requests)
        self.firsts.put(first)
        if first.positions and first.feed != script[0].feed:
            refuse(context, "POSITIONS_UNKNOWN")
        yield from script
        for request in requests:
            if self.script is not script:
                return
            if request.nonce:
                yield answer_to(request, script[-1].applied)


def answer_to(request, heads):
    answer = feed_pb2.WatchChangesResponse(nonce=request.nonce, now_ms=int(time.time() * 1000), heads=heads)
    answer.valid_for.seconds = 30
    return answer


def refuse(context, reason):
    status = status_pb2.Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message=reason)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="latchkey.dev"))
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, reason)


class Skew(unittest.TestCase):
    """One release apart."""

    def serve(self, *script):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        feeder = Feeder(*script)
        validation_grpc.add_ValidationServiceServicer_to_server(feeder, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())
        fed = Server("latchkey-validator", upstream=f"127.0.0.1:{port}")
        self.addCleanup(fed.remove)
        return fed, feeder

    OPENING = feed_pb2.WatchChangesResponse(format=1, feed=7, fingerprint_key=[1, 2])
    END = feed_pb2.WatchChangesResponse(applied=[feed_pb2.LanePosition(lane=64, seq=1, mark=1)])

    def test_fields_of_a_later_release_are_passed_over(self):
        opening = feed_pb2.WatchChangesResponse.FromString(self.OPENING.SerializeToString() + b"\xfa\x07\x03new")
        rows = feed_pb2.WatchChangesResponse(rows=feed_pb2.FeedRows.FromString(b"\xfa\x07\x03new"))
        fed, feeder = self.serve(opening, rows, self.END)
        fed.start()
        first = feeder.firsts.get(timeout=PATIENCE)
        self.assertEqual((first.format, len(first.instance_id), len(first.positions)), (1, 16, 0))

    def test_a_feeder_of_the_release_before_is_not_followed_back_behind_what_was_applied(self):
        """It can't be asked about the history."""
        def script(feed, seq):
            return (feed_pb2.WatchChangesResponse(format=1, feed=feed, fingerprint_key=[1, 2]),
                    feed_pb2.WatchChangesResponse(applied=[feed_pb2.LanePosition(lane=64, seq=seq, mark=seq)]))

        fed, feeder = self.serve(*script(7, 5))
        fed.start()
        feeder.script = script(8, 4)
        wait_until(lambda: "behind what was applied here" in fed.admin("/readyz")[1], PATIENCE, "it to wait")
        feeder.script = script(9, 6)
        wait_until(lambda: fed.is_ready(), PATIENCE, "it to follow again")

    def test_another_format_is_refused(self):
        fed, _ = self.serve(feed_pb2.WatchChangesResponse(format=2, feed=7, fingerprint_key=[1, 2]))
        fed.start(ready=False)
        wait_until(lambda: "another format of the feed" in fed.admin("/readyz")[1], PATIENCE, "the reason to be told")

    def test_a_kind_of_look_up_that_is_not_known_ends_following(self):
        run = feed_pb2.WatchChangesResponse(rows=feed_pb2.FeedRows(lookups=[feed_pb2.FeedLookup(kind=99, ids=[bytes(15) + b"x"])]))
        fed, _ = self.serve(self.OPENING, run, self.END)
        fed.start(ready=False)
        wait_until(lambda: "the input is not valid" in fed.admin("/readyz")[1], PATIENCE, "the reason to be told")

    def test_rows_that_are_none_are_refused(self):
        for broken in (feed_pb2.FeedRows(companies=[feed_pb2.FeedCompany(company_id=b"short")]),
                       feed_pb2.FeedRows(members=[feed_pb2.FeedMember(member_id=bytes(15) + b"m", company_id=bytes(15) + b"c",
                                                                      allowed_ips=[feed_pb2.FeedPrefix(address=b"\1\2\3\4", bits=33)])])):
            fed, _ = self.serve(self.OPENING, feed_pb2.WatchChangesResponse(rows=broken), self.END)
            fed.start(ready=False)
            wait_until(lambda: "not what the protocol allows" in fed.admin("/readyz")[1], PATIENCE, "the reason to be told")


if __name__ == "__main__":
    unittest.main()
