"""A tap on the line between our servers and PostgreSQL: what is prepared and executed, with which parameters, and in how
many round trips.

    with Tap(url) as tap:
        with Server("latchkeyd", database_url=tap.url) as server:
            client.tokens.GetCaller(...)
        tap.take()   # [Trip(statements=[Statement(name, sql, types, values)...])...]

It reads the client's half of protocol 3 and passes everything on as it is.
"""

import socket
import struct
import tempfile
import threading
from collections import namedtuple
from pathlib import Path

import psycopg2.extensions

# `types`: OIDs of the parameters; `values`: binary, None = NULL.
Statement = namedtuple("Statement", "name sql types values")
# What was sent before one Sync; `connection` numbers the connections.
Trip = namedtuple("Trip", "connection statements")


# With what a call's transaction begins, whoever calls, and with what it ends.
_FIRST, _LAST = {"caller_find", "managed_call_read_time"}, {"commit", "rollback"}
# In the place of a trip's number, by the names of their statements: the one with the commit, and the one after it that
# only some calls make.
COMMIT, AFTER_COMMIT = "commit", "managed_call_find_head"


def _nothing(_):
    pass


def trips_of_last_call(trips):
    """Those of the last managed call among them: other connections work for the process itself."""
    names = [{statement.name for statement in trip.statements} for trip in trips]
    first = max(at for at, trip in enumerate(names) if trip & _FIRST)
    last = next(at for at in range(first, len(trips))
                if names[at] & _LAST and trips[at].connection == trips[first].connection)
    return [trip for trip in trips[first:last + 1] if trip.connection == trips[first].connection]


class Tap:
    def __init__(self, url):
        parameters = psycopg2.extensions.parse_dsn(url)
        self._server = Path(parameters["host"]) / f".s.PGSQL.{parameters['port']}"
        self._directory = tempfile.TemporaryDirectory(prefix="latchkey-tap-")
        parameters.update(host=self._directory.name, port="5432")
        self.url = psycopg2.extensions.make_dsn(**parameters)
        self._listener = socket.socket(socket.AF_UNIX)
        self._lock = threading.Lock()
        self._trips = []
        self._lines = []
        self._blow = None

    def __enter__(self):
        self._listener.bind(f"{self._directory.name}/.s.PGSQL.5432")
        self._listener.listen(64)
        _in_background(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.close()
        self.cut()
        self._directory.cleanup()

    def take(self):
        """The trips since the last time."""
        with self._lock:
            taken, self._trips = self._trips, []
        return taken

    def arm(self, trip, is_sent, strike, prepare=_nothing, withholds=False, first=_FIRST):
        """strike(line) once, in the middle of the next transaction that begins with one of the statements `first`, which is
        the next call by default: at the trip of this number, counted from there, or the one with the statement of this name;
        after it was sent on to PostgreSQL, or before, and then it never is. `prepare(line)` comes before it is sent. With
        `withholds` nothing that PostgreSQL says from then on reaches the server."""
        with self._lock:
            self._blow = _Blow(trip, is_sent, strike, prepare, withholds, first)

    def disarm(self):
        """Whether it has struck; if so, the connection that it struck is shut."""
        with self._lock:
            blow, self._blow = self._blow, None
        if not blow.has_fallen:
            return False
        blow.is_over.wait(60)
        return True

    def wait_for_blow(self):
        """Until it has struck: for what nobody calls. Then as disarm()."""
        with self._lock:
            blow = self._blow
        if not blow.is_over.wait(60):
            raise TimeoutError("nothing came by that could be struck")
        return self.disarm()

    def cut(self):
        """Cuts every connection that is open now, in the middle of whatever it does."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            line.cut()

    def _accept(self):
        number = 0
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._server))
            except OSError:
                client.close()  # PostgreSQL is down
                continue
            line = Line(client, server)
            with self._lock:
                self._lines.append(line)
            _in_background(line.copy_answers)
            _in_background(line.copy_questions, _Reader(number, self._add).read)

    def _add(self, trip):
        """The blow that falls at this trip, if one does."""
        with self._lock:
            self._trips.append(trip)
            blow = self._blow
            return blow if blow is not None and blow.falls_at(trip) else None


class _Blow:
    def __init__(self, trip, is_sent, strike, prepare, withholds, first):
        self._trip, self._first = trip, first
        self._connection = None  # of the call, once it has begun
        self._is_sent, self._strike, self._prepare, self._withholds = is_sent, strike, prepare, withholds
        self.has_fallen, self.is_over = False, threading.Event()

    def fall(self, line, data):
        """On the trip that ends with these bytes."""
        try:
            self._prepare(line)
            if self._withholds:
                line.withhold()
            if self._is_sent:
                line.send(data)
            self._strike(line)
        finally:
            line.cut()
            self.is_over.set()

    def falls_at(self, trip):
        if self.has_fallen:
            return False
        if self._connection is None:
            if not {statement.name for statement in trip.statements} & self._first:
                return False
            self._connection = trip.connection
        if trip.connection != self._connection:
            return False
        if isinstance(self._trip, str):
            self.has_fallen = any(statement.name == self._trip for statement in trip.statements)
        else:
            self.has_fallen = self._trip == 0
            self._trip -= 1
        return self.has_fallen


class Line:
    """One connection of a server's: what strikes it gets to know which backend of PostgreSQL serves it."""

    def __init__(self, client, server):
        self._client, self._server = client, server
        self.backend = None  # its process, once PostgreSQL has told
        self._told = b""
        self._is_withheld = False
        self._is_answered = threading.Event()

    def wait_for_answer(self):
        """Until PostgreSQL has answered the trip whose answer is withheld."""
        if not self._is_answered.wait(60):
            raise TimeoutError("no answer of PostgreSQL")

    def cut(self):
        _shut(self._client)
        _shut(self._server)

    def copy_questions(self, watch):
        """To PostgreSQL, until either end is shut or a blow falls: watch(data) returns it."""
        try:
            while data := self._client.recv(1 << 16):
                blow = watch(data)
                if blow is not None:
                    blow.fall(self, data)
                    return
                self.send(data)
        except OSError:
            pass  # cut
        self.cut()

    def send(self, data):
        self._server.sendall(data)

    def withhold(self):
        """What PostgreSQL says from here on is read, and goes no further."""
        self._told, self._is_withheld = b"", True

    def copy_answers(self):
        """Back to the server, until either end is shut."""
        try:
            while data := self._server.recv(1 << 16):
                self._read(data)
                if not self._is_withheld:
                    self._client.sendall(data)
        except OSError:
            pass  # cut
        self.cut()

    def _read(self, data):
        """The number of the backend out of the first words; later the end of the answer that is withheld."""
        if self.backend is not None and not self._is_withheld:
            return
        self._told += data
        if self.backend is None:
            self.backend = _read_backend(self._told)
        elif self._told.endswith(_READY):
            self._is_answered.set()


# ReadyForQuery, in a transaction or outside of one.
_READY = (b"Z\0\0\0\5I", b"Z\0\0\0\5T")


def _read_backend(told):
    """Out of BackendKeyData, or None where that has not come yet."""
    while len(told) >= 9:
        if told[:1] == b"K":
            return struct.unpack_from("!i", told, 5)[0]
        told = told[1 + struct.unpack_from("!i", told, 1)[0]:]
    return None


def _in_background(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is shut


class _Reader:
    """Follows one connection's messages; bytes come in any pieces."""

    def __init__(self, number, add):
        self._number, self._add = number, add
        self._pending = b""
        self._is_started = False
        self._prepared = {}
        self._bound = None
        self._statements = []

    def read(self, data):
        """The blow that falls at a trip that these bytes end, or None."""
        self._pending += data
        blow = None
        while (size := self._message_size()) and len(self._pending) >= size:
            message, self._pending = self._pending[:size], self._pending[size:]
            if self._is_started:
                blow = self._take(message[:1], message[5:]) or blow
            else:
                # Requests for encryption come before the start itself.
                self._is_started = struct.unpack_from("!i", message, 4)[0] >> 16 == 3
        return blow

    def _message_size(self):
        head = 1 if self._is_started else 0
        if len(self._pending) < head + 4:
            return None
        return head + struct.unpack_from("!i", self._pending, head)[0]

    def _take(self, kind, body):
        if kind == b"P":
            name, sql, rest = body.split(b"\0", 2)
            count, = struct.unpack_from("!h", rest)
            self._prepared[name] = (sql.decode(), struct.unpack_from(f"!{count}I", rest, 2))
        elif kind == b"B":
            _, name, rest = body.split(b"\0", 2)
            self._bound = Statement(name.decode(), *self._prepared[name], _read_values(rest))
        elif kind == b"E":
            self._statements.append(self._bound)
        elif kind == b"Q":
            self._statements.append(Statement("", body.rstrip(b"\0").decode(), (), ()))
        if kind not in (b"S", b"Q"):
            return None
        statements, self._statements = self._statements, []
        return self._add(Trip(self._number, statements))


def _read_values(rest):
    formats, = struct.unpack_from("!h", rest)
    at = 2 + 2 * formats
    count, = struct.unpack_from("!h", rest, at)
    at += 2
    values = []
    for _ in range(count):
        size, = struct.unpack_from("!i", rest, at)
        at += 4
        values.append(None if size < 0 else rest[at:at + size])
        at += max(size, 0)
    return tuple(values)
