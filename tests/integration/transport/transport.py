"""The servers of tests/programs, and a client that sends frames by hand.

The client is the HTTP/2 state machine of python3-h2 with its checks of what is sent turned off, over a plain socket; what is
no HTTP/2 at all is sent by Raw.send().
"""

import signal
import socket
import struct
import subprocess
import tempfile
import time

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
import hyperframe.frame as frames

from latchkey_test import program

SERVICE = "/latchkey.test.CallService/"
_SANITIZER_REPORT = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


def string_value(text):
    """google.protobuf.StringValue of up to 127 bytes, or any length."""
    data = text if isinstance(text, bytes) else text.encode()
    return b"\x0a" + _varint(len(data)) + data if data else b""


def _varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def framed(message, flag=0):
    return struct.pack(">BI", flag, len(message)) + message


class TransportServer:
    """`with TransportServer("call-server", max_streams=10) as server:`"""

    def __init__(self, name="call-server", **settings):
        self.name = name
        self.settings = settings

    def __enter__(self):
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        self._errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([program(f"tests/{self.name}"), "--listen=127.0.0.1:0", *arguments],
                                        stdout=subprocess.PIPE, stderr=self._errors, text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["listening"]:
            raise AssertionError(self.read_errors())
        host, port = line[1].rsplit(":", 1)
        self.address = port if host == "unix" else (host, int(port))
        return self

    def __exit__(self, kind, *_):
        self.process.stdout.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        errors = self.read_errors()
        self._errors.close()
        if any(report in errors for report in _SANITIZER_REPORT):
            raise AssertionError(errors)
        if kind is None and self.process.returncode < 0:
            raise AssertionError(f"ended by signal {-self.process.returncode}\n{errors}")

    def connect(self):
        """A new socket, past whatever has to be agreed on before HTTP/2."""
        return self.connect_plain()

    def connect_plain(self):
        if isinstance(self.address, tuple):
            connection = socket.create_connection(self.address, 10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        return connection

    def counters(self):
        """Calls refused, and connections closed by reason, as numbers by name."""
        self.process.send_signal(signal.SIGUSR1)
        pairs = (word.split("=") for word in self.process.stdout.readline().split()[1:])
        return {name: int(number) for name, number in pairs}

    def read_errors(self):
        self._errors.seek(0)
        return self._errors.read()

    @property
    def target(self):
        return "%s:%d" % self.address


class Answer:
    """What has come on one stream."""

    def __init__(self):
        self.headers = None
        self.trailers = None
        self.data = b""
        self.is_ended = False
        self.reset = None  # error code

    @property
    def status(self):
        """grpc-status, from the trailers or a trailers-only answer; None if there is none."""
        fields = dict(self.trailers or self.headers or [])
        return int(fields["grpc-status"]) if "grpc-status" in fields else None

    @property
    def http_status(self):
        return int(dict(self.headers)[":status"])

    def field(self, name):
        return dict((self.headers or []) + (self.trailers or [])).get(name)

    @property
    def is_trailers_only(self):
        return self.trailers is None and self.is_ended and self.data == b""

    def messages(self):
        rest, out = self.data, []
        while rest:
            length = struct.unpack(">I", rest[1:5])[0]
            out.append(rest[5:5 + length])
            rest = rest[5 + length:]
        return out


class Connection:
    """One connection; `answers` by stream id."""

    def __init__(self, server, window=None):
        self.socket = server.connect()
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
                                           normalize_outbound_headers=False, validate_inbound_headers=True)
        self.h2 = h2.connection.H2Connection(config)
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.answers = {}
        self.goaways = []  # (last stream id, error code)
        self.pongs = []
        self.is_closed = False
        self.acknowledges = True  # gives the window back as data comes
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def request(self, path, headers=(), end=False, without=(), verb="POST", **replaced):
        """Sends the headers of a call and returns its stream."""
        fields = [(":method", verb), (":scheme", "http"), (":path", path), (":authority", "test"),
                  ("content-type", "application/grpc"), ("te", "trailers")]
        fields = [(name, replaced.get(name.replace("-", "_"), value)) for name, value in fields if name not in without]
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, fields + list(headers), end_stream=end)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def data(self, stream, data, end=False):
        while data or end:
            if self.answers[stream].is_ended or self.answers[stream].reset is not None:
                return
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if data and room == 0:
                self.pump()
                continue
            part, data = data[:room], data[room:]
            self.h2.send_data(stream, part, end_stream=end and not data)
            self.flush()
            if not data:
                return

    def call(self, method, data=None, headers=(), **options):
        """A whole call; its answer, when it has ended."""
        stream = self.request(SERVICE + method, headers, **options)
        self.data(stream, framed(string_value("hello")) if data is None else data, end=True)
        return self.wait(stream)

    def pump(self, timeout=10):
        """Takes in what comes next; False at the end of the connection."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.is_closed = True
            return False
        for event in self.h2.receive_data(data):
            self._on_event(event)
        self.flush_quietly()
        return True

    def flush_quietly(self):
        try:
            self.flush()
        except OSError:
            self.is_closed = True

    def _on_event(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers = list(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.data += event.data
            if self.acknowledges and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.is_ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.last_stream_id, int(event.error_code)))
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs.append(event.ping_data)

    def wait(self, stream, timeout=10):
        """The stream's answer once it has ended or was reset."""
        answer, until = self.answers[stream], time.monotonic() + timeout
        while not answer.is_ended and answer.reset is None:
            if time.monotonic() > until or not self.pump(max(0.01, until - time.monotonic())):
                raise AssertionError(f"no end of stream {stream}; GOAWAY {self.goaways}")
        return answer

    def settle(self):
        """Everything sent so far has been handled: a PING has come back."""
        before = len(self.pongs)
        self.h2.ping(b"settled!")
        self.flush()
        while len(self.pongs) == before:
            if not self.pump():
                raise AssertionError(f"closed while waiting; GOAWAY {self.goaways}")

    def wait_closed(self, timeout=10):
        until = time.monotonic() + timeout
        while not self.is_closed:
            if time.monotonic() > until:
                raise AssertionError("still open")
            try:
                self.pump(max(0.01, until - time.monotonic()))
            except TimeoutError:
                raise AssertionError("still open") from None


class RawConnection:
    """One connection without a state machine: frames are written and read as they are (python3-hyperframe)."""

    def __init__(self, server):
        self.socket = server.connect()
        self._encoder = hpack.Encoder()
        self._rest = b""
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frames.SettingsFrame())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        """Frames, or bytes. A connection that has been closed meanwhile is seen by who reads."""
        data = b"".join(part if isinstance(part, bytes) else part.serialize() for part in parts)
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def headers(self, path, stream, end=False, extra=()):
        fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
                  ("content-type", "application/grpc"), ("te", "trailers"), *extra]
        flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
        return frames.HeadersFrame(stream, self._encoder.encode(fields), flags=flags)

    def read(self, timeout=10):
        """All frames until the server closes the connection."""
        self.socket.settimeout(timeout)
        while True:
            while len(self._rest) >= 9:
                frame, length = frames.Frame.parse_frame_header(memoryview(self._rest[:9]))
                if len(self._rest) < 9 + length:
                    break
                frame.parse_body(memoryview(self._rest[9:9 + length]))
                self._rest = self._rest[9 + length:]
                yield frame
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self._rest += data

    def pong(self, frame):
        """Answers a PING of the server."""
        if isinstance(frame, frames.PingFrame) and "ACK" not in frame.flags:
            self.send(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))

    def read_goaways(self):
        return [(frame.last_stream_id, frame.error_code) for frame in self.read()
                if isinstance(frame, frames.GoAwayFrame)]


def until_closed(connection):
    """The frames of a RawConnection until it closes; PINGs are answered, GOAWAY and the rest is yielded."""
    for frame in connection.read():
        connection.pong(frame)
        if not isinstance(frame, frames.PingFrame):
            yield frame


def has_stopped(pid, timeout=10):
    """Waits until SIGSTOP has reached the process."""
    until = time.monotonic() + timeout
    while True:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                return
        if time.monotonic() > until:
            raise AssertionError("does not stop")
