"""What benchmarks share: PostgreSQL, filled databases, a directory for files. Made when first asked for."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

import dataset
from latchkey_test import ROOT, PrivatePostgres, Server, program

_PERMISSIONS_FILE = ROOT / "deploy/quickstart/permissions.txt"


def database_of(url):
    return parse_dsn(url)["dbname"]


class Migrated:
    """A database with nothing in it but the permissions of the quick start."""

    def __init__(self, postgres):
        self.url = postgres.create_database()
        self.superuser_url = postgres.url_of(database_of(self.url), "postgres")
        subprocess.run([program("latchkey"), "migrate", "--permissions-file", _PERMISSIONS_FILE], check=True,
                       env={**os.environ, "LATCHKEY_DATABASE_URL": self.url}, stdout=subprocess.DEVNULL)

    def connect(self):
        """As the superuser, autocommitting."""
        connection = psycopg2.connect(self.superuser_url)
        connection.autocommit = True
        return connection

    def validator(self, **settings):
        """One that is not started yet, on one loop."""
        return Server("latchkey-validator", database_url=self.url, loops=1, **settings)


class Filled(Migrated):
    """One with so many tokens in it."""

    def __init__(self, postgres, tokens, fill=dataset.fill):
        super().__init__(postgres)
        with contextlib.closing(self.connect()) as connection:
            self.data = fill(connection, tokens)


class World:
    """`options` are those of the command line."""

    def __init__(self, options):
        self.quick = options.quick
        self.soak_s = options.soak or (5 if self.quick else 600)
        self.small, self.large = (10000, 100000) if self.quick else (100000, 1000000)
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-bench-"))
        self.postgres = cache(self._start_postgres)
        self.filled = cache(self._fill)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.postgres.cache_info().currsize:
            self.postgres().remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextlib.contextmanager
    def database_at_rest(self):
        """PostgreSQL stands still meanwhile: tokens and addresses by the thousand are written down there as they are used, by
        processes that would take the server's core and the client's. The server has to be one with `max_staleness`."""
        self.postgres().freeze()
        try:
            yield
        finally:
            self.postgres().thaw()

    def rounds(self, most=None):
        """As many as there is time for on a busy machine, and at least three."""
        most = most or (15 if self.quick else 40)
        end = time.monotonic() + (12 if self.quick else 60)
        for number in range(most):
            if number >= 3 and time.monotonic() > end:
                return
            yield number

    def file(self, name, data):
        """The path of a new file with these bytes."""
        path = self.directory / name
        path.write_bytes(data)
        return path

    @staticmethod
    def _start_postgres():
        """One for reading: what it takes to write is measured on a cluster that reaches the disk (bench_revoke)."""
        postgres = PrivatePostgres(shared_buffers="512MB", max_wal_size="4GB", autovacuum="off")
        postgres.start()
        return postgres

    def _fill(self, tokens):
        return Filled(self.postgres(), tokens)
