"""The life of calls and connections: points 51 to 62 of WIRE.md, each in the name of its tests.

What the database does of it (PQcancel at a cancellation, statement_timeout from what is left of a deadline) is in
tests/integration/db; the clock of ping policing and of budgets in tests/unit/test_flood_guard.c; TCP_USER_TIMEOUT in
tests/unit/test_stream.c; health and reflection in tests/integration/test_health.py.
"""

import selectors
import signal
import time
import unittest

import h2.settings
import hyperframe.frame as frames
from transport import (SERVICE, Connection, RawConnection, TransportServer, framed, has_stopped, string_value,
                       until_closed)

OK, DEADLINE_EXCEEDED, UNAVAILABLE = 0, 4, 14
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 3, 7, 8, 11
STREAM_ID_MAX = 2**31 - 1


def goaways(seen):
    return [(frame.last_stream_id, frame.error_code, frame.additional_data) for frame in seen
            if isinstance(frame, frames.GoAwayFrame)]


def call(connection, stream, method="Echo", text="hello"):
    """Sends a whole call by a RawConnection."""
    connection.send(connection.headers(SERVICE + method, stream),
                    frames.DataFrame(stream, framed(string_value(text)), flags=["END_STREAM"]))


class Cancellation(unittest.TestCase):
    def test_point_51_slot_of_a_cancelled_call_is_free_only_when_its_work_has_ended(self):
        with TransportServer(max_executing_calls=2) as server, Connection(server) as connection:
            for _ in range(2):
                stream = connection.request(SERVICE + "Command")
                connection.data(stream, framed(string_value("sleep 500")), end=True)
                connection.h2.reset_stream(stream, CANCEL)
            connection.flush()
            refused = connection.call("Echo")
            self.assertEqual(refused.status, UNAVAILABLE)
            until = time.monotonic() + 10
            while connection.call("Echo").status != OK:
                self.assertLess(time.monotonic(), until)

    def test_point_54_work_of_a_lost_connection_ends_in_peace(self):
        with TransportServer() as server:
            with Connection(server) as connection:
                for command in ("sleep 200", "wait", "sleep 100"):
                    stream = connection.request(SERVICE + "Command")
                    connection.data(stream, framed(string_value(command)), end=True)
                connection.settle()
            with Connection(server) as other:
                self.assertEqual(other.call("Echo").status, OK)

    def test_point_51_reset_streams_are_forgotten(self):
        with TransportServer() as server, Connection(server) as connection:
            for _ in range(200):
                stream = connection.request(SERVICE + "Talk")
                connection.data(stream, framed(string_value("x")))
                connection.h2.reset_stream(stream, CANCEL)
            connection.settle()
            self.assertEqual(connection.call("Echo").status, OK)

    def test_point_54_calls_of_a_lost_connection_are_cancelled(self):
        """The server could not end in order while one of them waited."""
        with TransportServer(drain_grace="10s") as server:
            with Connection(server) as connection:
                for _ in range(10):
                    connection.data(connection.request(SERVICE + "Command"), framed(string_value("wait")), end=True)
                connection.settle()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(20), 0)

    def test_point_51_cancelled_calls_end_their_work(self):
        with TransportServer(drain_grace="10s") as server, RawConnection(server) as connection:
            for stream in range(1, 20, 2):
                call(connection, stream, "Command", "wait")
                connection.send(frames.RstStreamFrame(stream, CANCEL))
            self.assertEqual(goaways(drained(server, connection))[-1], (19, NO_ERROR, b""))
            self.assertEqual(server.process.wait(20), 0)


class Deadlines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(TransportServer())

    def command(self, connection, text, timeout):
        return connection.call("Command", framed(string_value(text)), [("grpc-timeout", timeout)])

    def test_point_52_deadline_is_the_servers_too(self):
        with Connection(self.server) as connection:
            self.assertEqual(self.command(connection, "wait", "50m").status, DEADLINE_EXCEEDED)

    def test_point_52_a_stream_that_has_begun_ends_at_its_deadline(self):
        with Connection(self.server) as connection:
            stream = connection.request(SERVICE + "Talk", [("grpc-timeout", "300m")])
            connection.data(stream, framed(string_value("begun")))
            answer = connection.wait(stream)
            self.assertEqual((answer.messages(), answer.status), ([string_value("begun")], DEADLINE_EXCEEDED))

    def test_point_53_no_answer_starts_after_the_deadline(self):
        with Connection(self.server) as connection:
            answer = self.command(connection, "sleep 400", "50m")
            self.assertEqual((answer.status, answer.data), (DEADLINE_EXCEEDED, b""))
            # The work ends meanwhile, and what it says goes nowhere.
            self.assertEqual(self.command(connection, "sleep 500", "10S").status, OK)
            self.assertEqual(answer.data, b"")

    def test_point_53_what_is_late_already_is_not_begun(self):
        with Connection(self.server) as connection:
            stream = connection.request(SERVICE + "Command", [("grpc-timeout", "0n")])
            self.assertEqual(connection.wait(stream).status, DEADLINE_EXCEEDED)


class Streams(unittest.TestCase):
    IDS = (1, 3, 5)

    def open(self, connection):
        return [connection.headers(SERVICE + "Talk", stream) for stream in self.IDS]

    def test_point_55_streams_beyond_the_limit_before_it_is_known_are_refused(self):
        with TransportServer(max_streams=2) as server, RawConnection(server) as connection:
            connection.send(*self.open(connection))
            refused = next(frame for frame in connection.read() if isinstance(frame, frames.RstStreamFrame))
            self.assertEqual((refused.stream_id, refused.error_code), (5, REFUSED_STREAM))

    def test_point_55_streams_beyond_the_limit_end_the_connection(self):
        with TransportServer(max_streams=2) as server, RawConnection(server) as connection:
            connection.send(frames.SettingsFrame(flags=["ACK"]), *self.open(connection))
            self.assertEqual(connection.read_goaways(), [(3, PROTOCOL_ERROR)])


class FlowControl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(TransportServer())

    def test_point_60_ping_is_answered_ahead_of_data(self):
        values = 2_000_000
        with Connection(self.server, window=2**31 - 1) as settled, RawConnection(self.server) as connection:
            settled.settle()
            connection.send(frames.SettingsFrame(settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 2**31 - 1}),
                            frames.WindowUpdateFrame(0, 2**30))
            call(connection, 1, "Count", str(values))
            self.wait_for_more_than_the_socket_takes(connection)
            connection.send(frames.PingFrame(0, b"urgently"))
            before, after, has_pong = 0, 0, False
            for frame in connection.read():
                if isinstance(frame, frames.PingFrame):
                    self.assertEqual(frame.opaque_data, b"urgently")
                    has_pong = True
                elif isinstance(frame, frames.DataFrame):
                    before, after = before + len(frame.data) * (not has_pong), after + len(frame.data) * has_pong
                elif isinstance(frame, frames.HeadersFrame) and "END_STREAM" in frame.flags:
                    break
            self.assertTrue(has_pong)
            self.assertGreater(after, before, "the socket's buffers are ahead, and nothing else")

    @staticmethod
    def wait_for_more_than_the_socket_takes(connection):
        """Until bytes have come; whoever writes fills the socket before it lets anybody else act."""
        connection.socket.settimeout(10)
        connection.socket.recv(1, 2)

    def test_point_61_large_messages_go_both_ways(self):
        with Connection(self.server) as connection:
            for size in (271_828, 314_159, 1_000_000):
                message = string_value(b"x" * size)
                self.assertEqual(connection.call("Raw", framed(message)).messages(), [message])

    def test_point_61_windows_open_only_as_messages_are_taken(self):
        """A client that sends more than was granted breaks HTTP/2; h2 would not let it, so its window shows the grants."""
        with Connection(self.server) as connection:
            stream = connection.request(SERVICE + "Join")
            connection.settle()
            granted = connection.h2.local_flow_control_window(stream)
            connection.data(stream, framed(string_value(b"x" * 100_000))[:60_000])
            connection.settle()
            self.assertGreaterEqual(connection.h2.local_flow_control_window(stream), granted - 60_000)
            connection.data(stream, framed(string_value(b"x" * 100_000))[60_000:], end=True)
            self.assertEqual(connection.wait(stream).status, OK)

    def test_point_61_data_beyond_what_a_stream_was_granted_resets_it(self):
        with TransportServer(stream_window="64KiB") as server, self.paused(server, 1) as connection:
            connection.send(*self.unread(1, 5))
            reset = next(frame for frame in connection.read() if isinstance(frame, frames.RstStreamFrame))
            self.assertEqual((reset.stream_id, reset.error_code), (1, FLOW_CONTROL_ERROR))
            connection.send(frames.PingFrame(0, b"still up"))
            self.assertTrue(any(isinstance(frame, frames.PingFrame) for frame in connection.read()))

    def test_point_61_data_beyond_what_a_connection_was_granted_ends_it(self):
        with TransportServer(stream_window="64KiB", connection_window="128KiB") as server, \
                self.paused(server, 1, 3, 5) as connection:
            for stream in (1, 3, 5):
                connection.send(*self.unread(stream, 3))
            self.assertEqual(connection.read_goaways()[-1][1], FLOW_CONTROL_ERROR)

    @staticmethod
    def paused(server, *streams):
        """A connection that has acknowledged its windows, with calls that take one message and nothing more."""
        connection = RawConnection(server)
        connection.send(frames.SettingsFrame(flags=["ACK"]))
        for stream in streams:
            connection.send(connection.headers(SERVICE + "Pause", stream), frames.DataFrame(stream, framed(b"")))
        return connection

    @staticmethod
    def unread(stream, count):
        return [frames.DataFrame(stream, bytes(16384))] * count

    def test_point_61_client_that_opens_no_window_for_its_answers_is_closed(self):
        with TransportServer(write_stall_timeout="100ms") as server, Connection(server, window=0) as connection:
            connection.data(connection.request(SERVICE + "Echo"), framed(string_value("x")), end=True)
            connection.wait_closed()
            self.assertEqual(server.counters()["write_stalled"], 1)

    def test_point_61_answers_that_are_about_to_leave_are_no_stall(self):
        """A connection's clock may look at any moment, also between an answer and its departure."""
        with TransportServer(preface_timeout="100ms", request_timeout="100ms") as server:
            for _ in range(10):
                with Connection(server) as connection:
                    until = time.monotonic() + 0.3
                    while time.monotonic() < until:
                        self.assertEqual(connection.call("Command", framed(string_value("sleep 0"))).status, OK)

    def test_point_61_stream_may_be_read_as_slowly_as_its_client_likes(self):
        with TransportServer(write_stall_timeout="100ms") as server, Connection(server, window=0) as connection:
            slow = connection.request(SERVICE + "Talk")
            connection.data(slow, framed(string_value("x")))
            with Connection(server) as other:  # by whom the time-out passes, while nothing leaves here
                self.assertEqual(other.call("Command", framed(string_value("sleep 300"))).status, OK)
            connection.data(slow, b"", end=True)
            connection.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1000})
            connection.flush()
            self.assertEqual(connection.wait(slow).messages(), [string_value("x")])

    def test_point_61_answer_that_ends_late_is_given_the_whole_time(self):
        """What a slow client left waiting before the stream's end was allowed; the time begins with the end."""
        with TransportServer(write_stall_timeout="1s", request_timeout="100ms") as server, \
                Connection(server, window=0) as connection:
            slow = connection.request(SERVICE + "Talk")
            connection.data(slow, framed(string_value("x")))
            with Connection(server) as other:
                self.assertEqual(other.call("Command", framed(string_value("sleep 1100"))).status, OK)
            connection.data(slow, b"", end=True)
            # The connection's clock looks at the second call's request time-out, before that is answered.
            other = connection.request(SERVICE + "Command")
            connection.data(other, framed(string_value("sleep 200")), end=True)
            while connection.answers[other].headers is None:
                self.assertTrue(connection.pump(), connection.goaways)
            connection.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1000})
            connection.flush()
            self.assertEqual(connection.wait(slow).messages(), [string_value("x")])

    def test_point_61_answers_that_nobody_reads_are_bounded_on_each_connection(self):
        message, size = framed(string_value(b"x" * 500_000)), 500_007
        with TransportServer() as server, Connection(server, window=0) as connection:
            streams = [connection.request(SERVICE + "Raw") for _ in range(40)]
            for stream in streams:
                connection.data(stream, message, end=True)
            connection.settle()
            refused = [stream for stream in streams if connection.answers[stream].is_ended]
            # A call holds its request, too, in a buffer that may be half as large again.
            self.assertIn(len(streams) - len(refused), range(8 * 2**20 // (5 * size // 2), 8 * 2**20 // (2 * size) + 1))
            for stream in refused:
                answer = connection.answers[stream]
                self.assertEqual((answer.status, answer.field("grpc-retry-pushback-ms")), (UNAVAILABLE, "1000"))
            connection.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 2**20})
            connection.flush()
            for stream in streams:
                self.assertTrue(connection.wait(stream).status in (OK, UNAVAILABLE))
            self.assertEqual(connection.call("Raw", message).status, OK, "there is room again")

    def test_point_61_slow_reader_blocks_neither_others_nor_its_own_other_calls(self):
        with Connection(self.server, window=0) as connection, Connection(self.server) as other:
            blocked = connection.request(SERVICE + "Count")
            connection.data(blocked, framed(string_value("1000000")), end=True)
            self.assertEqual(other.call("Echo").status, OK)
            own = connection.request(SERVICE + "Echo")
            connection.data(own, framed(string_value("x")), end=True)
            connection.h2.increment_flow_control_window(100, own)
            connection.flush()
            self.assertEqual(connection.wait(own).status, OK)
            self.assertEqual(connection.answers[blocked].data, b"")


def drained(server, connection):
    """Ends the server once what was sent has been handled; yields what comes until the connection closes. PINGs are answered."""
    connection.send(frames.PingFrame(0, b"settled!"))
    for frame in connection.read():
        if isinstance(frame, frames.PingFrame) and "ACK" in frame.flags:
            server.process.send_signal(signal.SIGTERM)
        connection.pong(frame)
        if isinstance(frame, (frames.GoAwayFrame, frames.DataFrame)):
            yield frame


class Drain(unittest.TestCase):
    """Points 56 and 57."""

    def setUp(self):
        self.server = self.enterContext(TransportServer(drain_grace="2s"))
        self.connection = self.enterContext(RawConnection(self.server))

    def assert_goaways(self, seen, last_stream_id):
        self.assertEqual(goaways(seen), [(STREAM_ID_MAX, NO_ERROR, b""), (last_stream_id, NO_ERROR, b"")])

    def assert_messages(self, seen, messages):
        self.assertEqual([frame.data for frame in seen if isinstance(frame, frames.DataFrame)], messages)

    def test_point_56_calls_under_way_end_and_then_the_connection(self):
        call(self.connection, 1, "Command", "sleep 300")
        seen = list(drained(self.server, self.connection))
        self.assert_goaways(seen, 1)
        self.assert_messages(seen, [framed(string_value("slept"))])
        self.assertEqual(self.server.process.wait(10), 0)

    def test_point_56_call_that_crosses_the_first_goaway_is_served(self):
        seen = []
        for frame in drained(self.server, self.connection):
            if not seen:
                call(self.connection, 1, "Echo", "late")
            seen.append(frame)
        self.assert_goaways(seen, 1)
        self.assert_messages(seen, [framed(string_value("late"))])
        self.assertEqual(self.server.process.wait(10), 0)

    def test_point_56_idle_connection_is_closed_at_once(self):
        self.assert_goaways(list(drained(self.server, self.connection)), 0)
        self.assertEqual(self.server.process.wait(10), 0)

    def test_point_56_grace_that_runs_out_cuts_calls_off_and_says_so(self):
        call(self.connection, 1, "Command", "wait")
        seen = list(drained(self.server, self.connection))
        self.assert_goaways(seen, 1)
        self.assertEqual(self.server.process.wait(10), 1)

    def test_point_56_who_waits_to_be_accepted_is_served(self):
        self.server.process.send_signal(signal.SIGSTOP)
        has_stopped(self.server.process.pid)
        waiting = [self.enterContext(RawConnection(self.server)) for _ in range(300)]
        for connection in waiting:
            call(connection, 1, text="early")
        self.server.process.send_signal(signal.SIGTERM)
        self.server.process.send_signal(signal.SIGCONT)
        for connection in waiting:
            seen = list(until_closed(connection))
            self.assert_messages(seen, [framed(string_value("early"))])
            self.assert_goaways(seen, 1)


class Ends(unittest.TestCase):
    """A connection that is old, idle or used up: its client is told why, and loses no call."""

    def seen(self, *calls, **settings):
        server = self.enterContext(TransportServer(**settings))
        connection = self.enterContext(RawConnection(server))
        for stream, method, text in calls:
            call(connection, stream, method, text)
        seen = list(until_closed(connection))
        self.counters = server.counters()
        return seen

    def test_point_57_old_connection_ends_when_its_calls_have(self):
        seen = self.seen((1, "Command", "sleep 400"), max_connection_age="100ms")
        self.assertEqual(goaways(seen), [(STREAM_ID_MAX, NO_ERROR, b""), (1, NO_ERROR, b"max_age")])
        self.assertTrue(any(isinstance(frame, frames.DataFrame) for frame in seen))
        self.assertEqual(self.counters["max_age"], 1)

    def test_point_57_grace_of_an_old_connection_ends(self):
        seen = self.seen((1, "Command", "wait"), max_connection_age="100ms", max_connection_age_grace="100ms")
        self.assertEqual(goaways(seen)[-1], (1, NO_ERROR, b"max_age"))
        self.assertEqual(self.counters["max_age"], 1)

    def test_point_57_ages_differ(self):
        """Fifty connections that are opened together end within a fifth of their age, and not together."""
        with TransportServer(max_connection_age="3s") as server:
            connections = [self.enterContext(RawConnection(server)) for _ in range(50)]
            for connection in connections:
                connection.socket.setblocking(False)
            ends = self.first_goaways(connections)
            self.assertGreater(max(ends) - min(ends), 0.02)

    def first_goaways(self, connections):
        ends, until = [], time.monotonic() + 10
        with selectors.DefaultSelector() as selector:
            for connection in connections:
                selector.register(connection.socket, selectors.EVENT_READ, [connection, b""])
            while len(ends) < len(connections) and time.monotonic() < until:
                for key, _ in selector.select(1):
                    key.data[1] += key.fileobj.recv(65536)
                    if STREAM_ID_MAX.to_bytes(4, "big") + bytes(4) in key.data[1]:
                        ends.append(time.monotonic())
                        selector.unregister(key.fileobj)
        self.assertEqual(len(ends), len(connections))
        return ends

    def test_point_57_idle_connection_ends(self):
        seen = self.seen((1, "Echo", "once"), max_connection_idle="100ms")
        self.assertEqual(goaways(seen), [(STREAM_ID_MAX, NO_ERROR, b""), (1, NO_ERROR, b"max_idle")])
        self.assertEqual(self.counters["max_idle"], 1)

    def test_point_57_connection_with_a_call_is_not_idle(self):
        seen = self.seen((1, "Command", "sleep 500"), max_connection_idle="100ms")
        kinds = [type(frame) for frame in seen]
        self.assertLess(kinds.index(frames.DataFrame), kinds.index(frames.GoAwayFrame))

    def test_point_57_neither_age_nor_idleness_ends_a_connection_by_default(self):
        with TransportServer(idle_timeout="50ms") as server, Connection(server) as connection:
            self.assertEqual(connection.call("Echo").status, OK)
            self.assertEqual(connection.call("Command", framed(string_value("sleep 300"))).status, OK)
            self.assertEqual(connection.goaways, [])

    def test_stream_ids_that_run_out_end_the_connection(self):
        seen = self.seen((2**31 // 4 * 3 + 1, "Echo", "many"))
        self.assertEqual(goaways(seen)[-1], (2**31 // 4 * 3 + 1, NO_ERROR, b"stream_ids_used"))
        self.assertTrue(any(isinstance(frame, frames.DataFrame) for frame in seen))


class Keepalive(unittest.TestCase):
    def test_point_58_client_that_does_not_answer_is_closed(self):
        with TransportServer(keepalive_time="100ms", keepalive_timeout="100ms") as server:
            with RawConnection(server) as connection:
                self.assertEqual(sum(isinstance(frame, frames.PingFrame) for frame in connection.read()), 1)
            self.assertEqual(server.counters()["keepalive_timeout"], 1)

    def test_point_58_client_that_answers_is_asked_again_and_kept(self):
        with TransportServer(keepalive_time="20ms", keepalive_timeout="10s") as server, RawConnection(server) as connection:
            pings = 0
            for frame in connection.read():
                connection.pong(frame)
                pings += isinstance(frame, frames.PingFrame)
                if pings == 5:
                    break
            call(connection, 1)
            self.assertIn(frames.DataFrame, (type(frame) for frame in connection.read()))

    def test_point_58_nobody_is_asked_within_two_hours(self):
        with TransportServer() as server, Connection(server) as connection:
            self.assertEqual(connection.call("Command", framed(string_value("sleep 300"))).status, OK)
            connection.settle()  # h2 would have said that it was asked


class PingPolicing(unittest.TestCase):
    def pings(self, count, **settings):
        """GOAWAYs after so many PINGs one by one on a connection without calls; one more call ends the reading."""
        with TransportServer(**settings) as server, RawConnection(server) as connection:
            for number in range(count):
                connection.send(frames.PingFrame(0, number.to_bytes(8, "big")))
            connection.socket.shutdown(1)
            return goaways(connection.read())

    def test_point_59_two_pings_may_come_too_early(self):
        self.assertEqual(self.pings(3), [])

    def test_point_59_the_third_that_comes_too_early_ends_the_connection(self):
        self.assertEqual(self.pings(4), [(0, ENHANCE_YOUR_CALM, b"too_many_pings")])

    def test_point_59_pings_may_be_permitted(self):
        self.assertEqual(self.pings(100, min_ping_interval=0), [])

    def test_point_59_what_is_sent_forgives(self):
        with TransportServer() as server, Connection(server) as connection:
            for _ in range(20):
                connection.settle()
                connection.settle()
                self.assertEqual(connection.call("Echo").status, OK)


if __name__ == "__main__":
    unittest.main()
