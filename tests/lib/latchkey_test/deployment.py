"""A whole deployment for a test: a database of its own, migrated, with the operator and the demo company, and a server on it.

    with Deployment() as deployment:
        with deployment.administrator() as client:
            client.tokens.GetCaller(...)
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .client import Client
from .paths import ROOT, program
from .postgres import shared_postgres
from .server import Server

PERMISSIONS_FILE = ROOT / "deploy/quickstart/permissions.txt"


class Deployment:
    """Settings are those of the server (`latchkeyd` unless `server` names another program); `command` is the command line.
    Either may be the path of another build's."""

    def __init__(self, postgres=None, server="latchkeyd", command="latchkey", **settings):
        self._command = command
        self.postgres = postgres or shared_postgres()
        self.url = self.postgres.create_database()
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-deployment-"))
        self.server = self.beside(server, **settings)
        self.secrets = {}

    def __enter__(self):
        self.prepare()
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.remove()
        shutil.rmtree(self._directory, ignore_errors=True)

    def prepare(self):
        """Migrates and bootstraps; idempotent for one Deployment."""
        if self.secrets:
            return
        env_file = self._directory / "demo.env"
        self.latchkey("migrate", "--permissions-file", PERMISSIONS_FILE)
        self.latchkey("bootstrap", "--demo", "--address", self.server.address, "--env-file", env_file)
        lines = (line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line)
        self.secrets = {name.strip(): value.strip().strip("'\"") for name, value in lines}

    def beside(self, name=None, **settings):
        """Another server on this deployment's database, not started yet; by default of the same program."""
        return Server(name or self.server.name, **{"database_url": self.url, **settings})

    def latchkey(self, *arguments, check=True, token=None):
        """Runs the command line on this deployment; the finished process, with its output as text."""
        environment = {**os.environ, "LATCHKEY_DATABASE_URL": self.url, "LATCHKEY_ADDRESS": self.server.address,
                       "LATCHKEY_TOKEN": token or self.secrets.get("LATCHKEY_TOKEN", "")}
        done = subprocess.run([program(self._command), *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"latchkey {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def connect(self):
        """An autocommitting psycopg2 connection to this deployment's database, as the superuser."""
        return self.postgres.connect(self.url.split("dbname=")[1].split()[0])

    def execute(self, statement):
        """Runs one statement in this deployment's database as the superuser; its rows, if it has any."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def administrator(self, server=None):
        """The demo company's administrator."""
        return Client((server or self.server).address, self.secrets["LATCHKEY_TOKEN"])

    def operator(self, company=None):
        """The operator, acting for a company if one is named."""
        return Client(self.server.address, self.secrets["LATCHKEY_OPERATOR_TOKEN"], company)

    def anybody(self, secret=None):
        return Client(self.server.address, secret)
