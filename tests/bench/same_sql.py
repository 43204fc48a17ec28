"""pgbench doing what one of our calls does: the very statements, in the same pipelines, as a tap has seen them.

Each parameter becomes a variable of pgbench, so that both sides bind it. What must differ from call to call, the new
token's id and its secret's digest, is made from a counter of each client.
"""

import re
import subprocess

from latchkey_test import ROOT
from latchkey_test.pg_values import to_text, type_name

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
            return f"NULL::{type_name(oid)}"
        if value in self._fresh:
            return _FRESH_UUID if oid == 2950 else _FRESH_DIGEST
        text = to_text(value, oid)
        if not text:  # pgbench has no empty variable
            return f"''::{type_name(oid)}"
        name = f"v{len(self.variables)}"
        self.variables[name] = text
        return f":{name}::{type_name(oid)}"

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
