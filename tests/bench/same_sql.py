"""pgbench doing what one of our calls does: the very statements, in the same pipelines, as a tap has seen them.

Each parameter becomes a variable of pgbench, so that both sides bind it. What must differ from call to call, the new
token's id and its secret's digest, is made from a counter of each client.
"""

import datetime
import re
import struct
import subprocess
import uuid

from latchkey_test import ROOT

_ELEMENT = {1009: 25, 651: 650, 2951: 2950, 1185: 1184, 1005: 21}
_NAMES = {16: "boolean", 17: "bytea", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 650: "cidr", 869: "inet",
          1184: "timestamptz", 2950: "uuid", 3802: "jsonb"}
_FRESH_UUID = "(:run || lpad(to_hex(:client_id::bigint * 1000000000 + :n::bigint), 31, '0'))::uuid"
_FRESH_DIGEST = "sha256((:run || :client_id::text || '.' || :n::text)::bytea)"


class Script:
    """The trips of one call as a script of pgbench."""

    def __init__(self, trips, fresh):
        """`fresh`: binary values that each call has of its own."""
        self.variables = {}
        self._fresh = fresh
        self.lines = [r"\set n :n + 1"]
        for trip in trips:
            self.lines += [r"\startpipeline", *(self._line(statement) for statement in trip.statements), r"\endpipeline"]

    def _line(self, statement):
        return re.sub(r"\$(\d+)", lambda match: self._argument(statement, int(match[1]) - 1), statement.sql) + ";"

    def _argument(self, statement, number):
        value, oid = statement.values[number], statement.types[number]
        if value is None:
            return f"NULL::{_type_name(oid)}"
        if value in self._fresh:
            return _FRESH_UUID if oid == 2950 else _FRESH_DIGEST
        text = _text(value, oid)
        if not text:  # pgbench has no empty variable
            return f"''::{_type_name(oid)}"
        name = f"v{len(self.variables)}"
        self.variables[name] = text
        return f":{name}::{_type_name(oid)}"

    def run(self, file, url, run, first, clients, transactions):
        """Transactions a second of so many clients. `run`, a hexadecimal digit, and the number of the `first` id keep
        the ids of this run apart from another's."""
        variables = {**self.variables, "n": first, "run": run}
        command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1",
                   f"--transactions={transactions // clients}", f"--file={file}",
                   *(f"--define={name}={value}" for name, value in variables.items()), url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT,
                              env={"PATH": "/usr/bin:/bin", "PGOPTIONS": "-c role=latchkey_app"})
        found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
        if done.returncode != 0 or not found:
            raise RuntimeError(f"pgbench failed: {done.stdout}{done.stderr}")
        return float(found[1])


def _type_name(oid):
    return _NAMES[oid] if oid in _NAMES else _NAMES[_ELEMENT[oid]] + "[]"


def _text(value, oid):
    """A binary value as PostgreSQL would write it."""
    if oid in _ELEMENT:
        return "{" + ",".join(f'"{_text(element, _ELEMENT[oid])}"' for element in _elements(value)) + "}"
    if oid in (20, 21, 23):
        return str(int.from_bytes(value, "big", signed=True))
    if oid == 16:
        return "true" if value[0] else "false"
    if oid == 17:
        return r"\x" + value.hex()
    if oid == 2950:
        return str(uuid.UUID(bytes=value))
    if oid == 1184:
        since_2000 = datetime.timedelta(microseconds=int.from_bytes(value, "big", signed=True))
        return f"{datetime.datetime(2000, 1, 1) + since_2000}+00"
    if oid in (650, 869):
        return ".".join(map(str, value[4:8])) + f"/{value[1]}"
    return value.decode()


def _elements(value):
    dimensions, _, _ = struct.unpack_from("!iiI", value)
    at = 12 + 8 * dimensions
    count = struct.unpack_from("!i", value, 12)[0] if dimensions else 0
    for _ in range(count):
        size, = struct.unpack_from("!i", value, at)
        yield value[at + 4:at + 4 + size]
        at += 4 + size
