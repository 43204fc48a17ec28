"""Connections: drain, time-outs, cancellation, and peers that mean harm."""

import contextlib
import os
import resource
import signal
import socket
import struct
import time
import unittest

import hyperframe.frame as frames
from h2.settings import SettingCodes
from transport import SERVICE, Connection, RawConnection, TransportServer, framed, string_value

OK, UNAVAILABLE = 0, 14
NO_ERROR, PROTOCOL_ERROR, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 8, 11


def read_until_closed(connection, timeout=10):
    connection.settimeout(timeout)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def drained(server, connection):
    """Ends the server once what was sent has been handled; yields what comes until the connection closes. PINGs are answered."""
    connection.send(frames.PingFrame(0, b"settled!"))
    for frame in connection.read():
        if isinstance(frame, frames.PingFrame) and "ACK" in frame.flags:
            server.process.send_signal(signal.SIGTERM)
        elif isinstance(frame, frames.PingFrame):
            connection.send(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, (frames.GoAwayFrame, frames.DataFrame)):
            yield frame


class Drain(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(TransportServer(drain_grace="2s"))
        self.connection = self.enterContext(RawConnection(self.server))

    def call(self, stream, method, text):
        self.connection.send(self.connection.headers(SERVICE + method, stream),
                             frames.DataFrame(stream, framed(string_value(text)), flags=["END_STREAM"]))

    def assert_goaways(self, seen, last_stream_id):
        goaways = [(frame.last_stream_id, frame.error_code) for frame in seen if isinstance(frame, frames.GoAwayFrame)]
        self.assertEqual(goaways, [(2**31 - 1, NO_ERROR), (last_stream_id, NO_ERROR)])

    def assert_messages(self, seen, messages):
        self.assertEqual([frame.data for frame in seen if isinstance(frame, frames.DataFrame)], messages)

    def test_calls_under_way_end_and_then_the_connection(self):
        self.call(1, "Command", "sleep 300")
        seen = list(drained(self.server, self.connection))
        self.assert_goaways(seen, 1)
        self.assert_messages(seen, [framed(string_value("slept"))])
        self.assertEqual(self.server.process.wait(10), 0)

    def test_call_that_crosses_the_first_goaway_is_served(self):
        seen = []
        for frame in drained(self.server, self.connection):
            if not seen:
                self.call(1, "Echo", "late")
            seen.append(frame)
        self.assert_goaways(seen, 1)
        self.assert_messages(seen, [framed(string_value("late"))])
        self.assertEqual(self.server.process.wait(10), 0)

    def test_idle_connection_is_closed_at_once(self):
        self.assert_goaways(list(drained(self.server, self.connection)), 0)
        self.assertEqual(self.server.process.wait(10), 0)

    def test_grace_that_runs_out_cuts_calls_off_and_says_so(self):
        self.call(1, "Command", "wait")
        seen = list(drained(self.server, self.connection))
        self.assert_goaways(seen, 1)
        self.assertEqual(self.server.process.wait(10), 1)


class TimeOuts(unittest.TestCase):
    def test_connection_that_says_nothing_is_closed(self):
        with TransportServer(preface_timeout="100ms") as server:
            with socket.create_connection(server.address) as silent:
                read_until_closed(silent)

    def test_connection_without_settings_is_closed(self):
        with TransportServer(preface_timeout="100ms") as server:
            with socket.create_connection(server.address) as slow:
                slow.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                read_until_closed(slow)

    def test_header_block_that_does_not_end_is_closed(self):
        with TransportServer(preface_timeout="100ms") as server, RawConnection(server) as connection:
            connection.send(frames.HeadersFrame(1, b"\x82"))  # no END_HEADERS
            list(connection.read())

    def test_connection_that_never_calls_is_closed(self):
        with TransportServer(idle_timeout="100ms") as server, Connection(server) as connection:
            connection.wait_closed()

    def test_connection_that_has_called_is_kept(self):
        with TransportServer(idle_timeout="100ms") as server, Connection(server) as connection:
            self.assertEqual(connection.call("Echo").status, OK)
            time.sleep(0.3)
            self.assertEqual(connection.call("Echo").status, OK)

    def test_client_that_takes_nothing_is_closed(self):
        with TransportServer(write_stall_timeout="100ms") as server:
            connection = Connection(server, window=2**31 - 1)
            with connection:
                connection.h2.increment_flow_control_window(2**30)
                stream = connection.request(SERVICE + "Count")
                connection.data(stream, framed(string_value("3000000")), end=True)
                with Connection(server) as other:
                    until = time.monotonic() + 20
                    # The stalled one holds nobody up.
                    self.assertEqual(other.call("Echo").status, OK)
                    while not self.is_gone(connection) and time.monotonic() < until:
                        time.sleep(0.05)
                self.assertTrue(self.is_gone(connection))

    @staticmethod
    def is_gone(connection):
        """The server has reset the connection: seen without reading from it."""
        return connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 or \
            struct.unpack("B", connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))[0] != 1


class Cancellation(unittest.TestCase):
    def test_slot_of_a_cancelled_call_is_free_only_when_its_work_has_ended(self):
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

    def test_work_of_a_lost_connection_ends_in_peace(self):
        with TransportServer() as server:
            with Connection(server) as connection:
                for command in ("sleep 200", "wait", "sleep 100"):
                    stream = connection.request(SERVICE + "Command")
                    connection.data(stream, framed(string_value(command)), end=True)
                connection.settle()
            with Connection(server) as other:
                self.assertEqual(other.call("Echo").status, OK)

    def test_reset_streams_are_forgotten(self):
        with TransportServer() as server, Connection(server) as connection:
            for _ in range(200):
                stream = connection.request(SERVICE + "Talk")
                connection.data(stream, framed(string_value("x")))
                connection.h2.reset_stream(stream, CANCEL)
            connection.settle()
            self.assertEqual(connection.call("Echo").status, OK)


class Abuse(unittest.TestCase):
    STREAMS = range(1, 1001, 2)

    def setUp(self):
        self.server = self.enterContext(TransportServer(reset_burst=100, reset_rate=1))
        self.connection = self.enterContext(RawConnection(self.server))

    def assert_calmed(self):
        """The connection ends, by a GOAWAY unless the flood has drowned it, and nobody else suffers."""
        for _, code in self.connection.read_goaways():
            self.assertEqual(code, ENHANCE_YOUR_CALM)
        with Connection(self.server) as other:
            self.assertEqual(other.call("Echo").status, OK)

    def headers(self, stream):
        return self.connection.headers(SERVICE + "Talk", stream)

    def test_rapid_reset_ends_the_connection(self):
        for stream in self.STREAMS:
            self.connection.send(self.headers(stream), frames.RstStreamFrame(stream, CANCEL))
        self.assert_calmed()

    def test_making_the_server_reset_counts_as_well(self):
        # A window that overflows makes the server reset the stream (MadeYouReset).
        for stream in self.STREAMS:
            self.connection.send(self.headers(stream), frames.WindowUpdateFrame(stream, 2**31 - 1))
        self.assert_calmed()

    def test_ping_flood_ends_the_connection(self):
        self.connection.send(*[frames.PingFrame(0, b"12345678")] * 50000)
        self.assert_calmed()

    def test_settings_flood_ends_the_connection(self):
        self.connection.send(*[frames.SettingsFrame()] * 50000)
        self.assert_calmed()

    def test_empty_frames_end_the_connection(self):
        self.connection.send(self.headers(1), *[frames.DataFrame(1)] * 50000)
        self.assert_calmed()

    def test_priority_flood_ends_the_connection(self):
        self.connection.send(*[frames.PriorityFrame(1, depends_on=0, stream_weight=i % 256) for i in range(50000)])
        self.assert_calmed()

    def test_requests_that_do_not_end_hold_no_more_memory_than_the_limit(self):
        limit_mib, tiny_fields = 128, framed(b"\x10\x01" * 131072)
        with TransportServer(request_memory=f"{limit_mib}MiB") as server, Connection(server) as connection:
            streams = [connection.request(SERVICE + "Echo") for _ in range(40)]
            for stream in streams:
                connection.data(stream, tiny_fields)
            connection.settle()
            held_mib = resident_mib(server.process.pid)
            refused = [connection.answers[stream] for stream in streams if connection.answers[stream].headers]
            self.assertEqual({answer.status for answer in refused}, {UNAVAILABLE})
            self.assertLess(held_mib, limit_mib + 100)

            self.assertEqual(connection.call("Echo").status, OK, "a small request is always let in")
            for stream in streams:
                if not connection.answers[stream].headers:
                    connection.data(stream, b"", end=True)
                    self.assertEqual(connection.wait(stream).status, OK)
            self.assertEqual(connection.call("Echo", tiny_fields).status, OK, "all has been given back")

    def test_messages_that_do_not_end_hold_no_more_memory_than_the_limit(self):
        half = framed(b"\x0a" * 1048576)[:900000]
        with TransportServer(request_memory="128MiB") as server, Connection(server) as connection:
            streams = [connection.request(SERVICE + "Echo") for _ in range(200)]
            for stream in streams:
                connection.data(stream, half)
            connection.settle()
            statuses = [connection.answers[stream].status for stream in streams]
            self.assertEqual(set(statuses), {None, UNAVAILABLE})
            self.assertLess(statuses.count(None) * len(half), 128 * 1024 * 1024)

    def test_answers_that_nobody_reads_hold_no_more_memory_than_the_limit(self):
        limit, message = 128 * 2**20, framed(string_value("x" * 110_000))
        with TransportServer(request_memory="128MiB") as server, Connection(server, window=0) as connection:
            streams = [connection.request(SERVICE + "Talk") for _ in range(250)]
            for stream in streams:
                connection.data(stream, message * 8)
            connection.settle()
            with Connection(server) as other:
                self.assertEqual(other.call("Talk", message).messages(), [message[5:]], "a first answer always fits")
            for stream in streams:
                connection.data(stream, b"", end=True)
            connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2**20})
            connection.flush()
            held = [len(connection.wait(stream, 60).data) for stream in streams]
            self.assertLess(sum(held), limit + len(streams) * len(message))
            self.assertEqual((min(held), max(held)), (len(message), 8 * len(message)))
            self.assertEqual(len(connection.call("Talk", message * 8).messages()), 8, "all has been given back")

    def test_what_is_no_http2_is_closed(self):
        with socket.create_connection(self.server.address) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            read_until_closed(other)

    def test_a_stream_that_was_skipped_ends_the_connection_behind_the_last_there_can_be_too(self):
        for last in (9, 2**31 - 1):
            with self.subTest(last), RawConnection(self.server) as connection:
                connection.send(connection.headers(SERVICE + "Talk", last), connection.headers(SERVICE + "Talk", 5))
                self.assertEqual([code for _, code in connection.read_goaways()], [PROTOCOL_ERROR])

    def test_streams_beyond_the_limit_end_the_connection(self):
        with TransportServer(max_streams=2) as server, Connection(server) as settled:
            settled.settle()
            with RawConnection(server) as connection:
                connection.send(frames.SettingsFrame(flags=["ACK"]),
                                *[connection.headers(SERVICE + "Talk", stream) for stream in (1, 3, 5)])
                self.assertEqual(connection.read_goaways(), [(3, PROTOCOL_ERROR)])

    def test_out_of_descriptors_nobody_spins_and_all_are_served_later(self):
        with TransportServer() as server, Connection(server) as early, contextlib.ExitStack() as stack:
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (40, 40))
            late = [stack.enter_context(RawConnection(server)) for _ in range(100)]
            self.assertEqual(early.call("Echo").status, OK)
            before = cpu_seconds(server.process.pid)
            time.sleep(1)
            self.assertLess(cpu_seconds(server.process.pid) - before, 0.3)
            self.assertEqual(early.call("Echo").status, OK)
            self.assertLess(len(server.read_errors().splitlines()), 10)
            for connection in late[:-1]:
                connection.socket.close()
            late[-1].send(frames.PingFrame(0, b"waiting!"))
            self.assertTrue(any(isinstance(frame, frames.PingFrame) for frame in late[-1].read()))
            with Connection(server) as again:
                self.assertEqual(again.call("Echo").status, OK)

    def test_connections_beyond_the_limit_are_closed(self):
        with TransportServer(max_connections=1) as server, Connection(server) as first:
            first.settle()
            with socket.create_connection(server.address) as second:
                read_until_closed(second)
            self.assertEqual(first.call("Echo").status, OK)


if __name__ == "__main__":
    unittest.main()
