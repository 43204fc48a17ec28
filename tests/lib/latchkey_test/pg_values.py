"""Parameters as the wire carries them, binary, and as PostgreSQL writes them."""

import datetime
import ipaddress
import struct
import uuid

_ELEMENT = {1000: 16, 1001: 17, 1005: 21, 1007: 23, 1009: 25, 1016: 20, 1041: 869, 651: 650, 1185: 1184, 2951: 2950,
            3807: 3802}
_NAMES = {16: "boolean", 17: "bytea", 18: '"char"', 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 650: "cidr",
          869: "inet", 1184: "timestamptz", 2950: "uuid", 3802: "jsonb"}


def type_name(oid):
    return _NAMES[oid] if oid in _NAMES else _NAMES[_ELEMENT[oid]] + "[]"


def to_text(value, oid):
    """A value that is not NULL."""
    if oid in _ELEMENT:
        return "{" + ",".join(_quote(element, _ELEMENT[oid]) for element in _elements(value)) + "}"
    return _WRITERS.get(oid, bytes.decode)(value)


def send_again(execute, statement, prefix=""):
    """Sends a Statement of the tap with its parameters by `execute(sql, parameters)`; `prefix` such as EXPLAIN."""
    types = ", ".join(map(type_name, statement.types))
    values = [value if value is None else to_text(value, oid) for value, oid in zip(statement.values, statement.types)]
    execute("DEALLOCATE ALL")
    execute(f"PREPARE again{types and f'({types})'} AS {statement.sql}")
    places = ", ".join(["%s"] * len(values))
    return execute(f"{prefix} EXECUTE again{places and f'({places})'}", values or None)


def _quote(element, oid):
    if element is None:
        return "NULL"
    return '"' + to_text(element, oid).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _elements(value):
    dimensions, _, _ = struct.unpack_from("!iiI", value)
    at = 12 + 8 * dimensions
    count = struct.unpack_from("!i", value, 12)[0] if dimensions else 0
    for _ in range(count):
        size, = struct.unpack_from("!i", value, at)
        at += 4
        yield None if size < 0 else value[at:at + size]
        at += max(size, 0)


def _time(value):
    microseconds = int.from_bytes(value, "big", signed=True)
    if abs(microseconds) > 1 << 62:
        return "infinity" if microseconds > 0 else "-infinity"
    return f"{datetime.datetime(2000, 1, 1) + datetime.timedelta(microseconds=microseconds)}+00"


def _integer(value):
    return str(int.from_bytes(value, "big", signed=True))


_WRITERS = {
    16: lambda value: "true" if value[0] else "false",
    17: lambda value: rf"\x{value.hex()}",
    20: _integer, 21: _integer, 23: _integer,
    650: lambda value: f"{ipaddress.ip_address(value[4:])}/{value[1]}",
    869: lambda value: f"{ipaddress.ip_address(value[4:])}/{value[1]}",
    1184: _time,
    2950: lambda value: str(uuid.UUID(bytes=value)),
    3802: lambda value: value[1:].decode(),
}
