"""PostgreSQL for tests: a cluster of our own in a temporary directory, on a free port and a unix socket.

PrivatePostgres is a cluster that the test may break as it likes. shared_postgres() is one for all tests of a run:
the server that LATCHKEY_TEST_DATABASE_URL names, where its user may create roles and databases, or a private one that
ends with the process. Tests keep apart by making a database each (create_database).
"""

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

import psycopg2

from .ports import free_port
from .waiting import wait_until

# Nothing here outlives the machine, so nothing need reach the disk: a killed server loses no page cache.
_SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "max_connections": "200", "shared_buffers": "64MB",
    "log_min_messages": "warning", "timezone": "UTC",
}
# Runs the migrations, as a deployment would: may make roles and databases, but is no superuser.
_OWNER = "deployer"


def bin_directory():
    """The newest server's programs; Debian keeps them off the PATH."""
    if "LATCHKEY_TEST_POSTGRES_BIN" in os.environ:
        return Path(os.environ["LATCHKEY_TEST_POSTGRES_BIN"])
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: int(path.parent.name))
    found = shutil.which("initdb")
    if not found:
        raise FileNotFoundError("no PostgreSQL server is installed (initdb not found)")
    return Path(found).parent


def account():
    """Popen's arguments that make the server run as postgres: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


class Cluster:
    """A running server, reached by the connection string of a user who may create roles and databases."""

    def __init__(self, url):
        self.url = url

    def connect(self, database=None, user=None):
        """An autocommitting psycopg2 connection; by default as the user of the connection string."""
        changed = {key: value for key, value in (("dbname", database), ("user", user)) if value}
        connection = psycopg2.connect(self.url, **changed)
        connection.autocommit = True
        return connection

    def execute(self, statement, database=None):
        """Runs one statement as that user; its rows, if it has any."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def is_waiting(self, pid, event):
        """Whether that backend waits for such an event of pg_stat_activity's, by type or by name."""
        return self.execute(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND '{event}' IN (wait_event_type, wait_event)")

    def create_database(self):
        """A new empty database, owned by a role that is no superuser; returns that role's connection string."""
        name = f"latchkey_test_{secrets.token_hex(6)}"
        owner = self._owner()
        self.execute(f"CREATE DATABASE {name} OWNER {owner}")
        return self.url_of(name, owner)

    def drop_database(self, url):
        """Also while somebody is still connected."""
        name = psycopg2.extensions.parse_dsn(url)["dbname"]
        wait_until(lambda: self._is_dropped(name), 30, f"the end of the database {name}")

    def _is_dropped(self, name):
        """Not while autovacuum is in it, which belongs to a superuser."""
        try:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")
        except psycopg2.errors.InsufficientPrivilege:
            return False
        return True

    def url_of(self, database, user):
        parameters = psycopg2.extensions.parse_dsn(self.url)
        parameters.update(dbname=database, user=user)
        return psycopg2.extensions.make_dsn(**parameters)

    def _owner(self):
        """The user of the connection string, unless it is a superuser: then a role made for this."""
        (user, is_superuser), = self.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
        if not is_superuser:
            return user
        self._create_owner()
        return _OWNER

    def _create_owner(self):
        """One statement, so one transaction: other processes on the same server see the role with its rights or not
        at all, and of several that make it at once one does."""
        if self.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{_OWNER}'"):
            return
        try:
            # Logical replication's tools set session_replication_role; triggers that they switch off must not be ours.
            self.execute(f"CREATE ROLE {_OWNER} LOGIN NOSUPERUSER CREATEROLE CREATEDB; "
                         f"GRANT SET ON PARAMETER session_replication_role TO {_OWNER}")
        except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
            pass  # made by another process this instant


class PrivatePostgres(Cluster):
    """with PrivatePostgres() as postgres: url = postgres.create_database()

    `parent`: where its directory is made, for instance a disk that can get full.
    """

    def __init__(self, parent=None, **settings):
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-postgres-", dir=parent))
        self._settings = {**_SETTINGS, **settings}
        self._process = None
        self._bin = bin_directory()
        super().__init__(f"host={self.directory} port={self.port} dbname=postgres user=postgres")
        self._initialize()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def _initialize(self):
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.directory.chmod(0o711)  # its socket is for servers of any user
        subprocess.run(
            [self._bin / "initdb", "--pgdata", self.directory / "data", "--username=postgres", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.directory, **account())

    def start(self):
        """Starts the server, also again after stop() or kill(), on the same port and data."""
        # A postmaster that was killed leaves children that still hold its shared memory for a moment.
        wait_until(self._try_start, 60, "PostgreSQL to start")

    def _try_start(self):
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.directory,
                    **self._settings}
        options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.directory / "data", *options],
                stdout=log, stderr=log, cwd=self.directory, **account())
        return wait_until(self._is_settled, 60, "PostgreSQL to accept connections") == "ready"

    def _is_settled(self):
        """"ready", "ended", or None while it is neither."""
        if self._process.poll() is not None:
            return "ended"
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return None
        return "ready"

    def stop(self):
        """Orderly and at once: open transactions are rolled back (a "fast" shutdown)."""
        self._end(signal.SIGINT)

    def kill(self):
        """As if the machine had died, but for its disk: all its processes at once. One that outlived the postmaster for a
        moment could still get a dead one's lock, and commit."""
        if not self.has_ended():
            self._stand_still()
            self._signal_children(signal.SIGKILL)
        self._end(signal.SIGKILL)

    def back_up(self):
        """Takes a base backup, for one restore()."""
        self._copy_to(self.directory / "backup")

    def restore(self, keeps_timeline=False):
        """What back_up() took is the database again, on the same port: on a timeline of its own, or as a disk image would be."""
        self.stop()
        shutil.rmtree(self.directory / "data")
        (self.directory / "backup").rename(self.directory / "data")
        if not keeps_timeline:
            _touch(self.directory / "data/recovery.signal")
            self._settings["restore_command"] = "false"  # there is no archive
        self.start()

    def _copy_to(self, data):
        subprocess.run([self._bin / "pg_basebackup", "--pgdata", data, "--dbname", self.url, "--checkpoint=fast", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.directory, **account())

    def require_standby(self, standby):
        """From now on a COMMIT is answered when that one has it, too."""
        self._set_standby(standby.name)
        wait_until(lambda: self.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), 60,
                   "the standby to be synchronous")

    def kill_backend(self, pid):
        """kill -9 of one of its processes: all others end with it, and it comes back by itself, which is waited for."""
        witness = self.connect()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: _is_cut(witness), 60, "the other backends to end")
        wait_until(lambda: self._is_settled() == "ready", 60, "PostgreSQL to come back")

    def hold_commits(self):
        """From now on a COMMIT reaches the disk and is not answered, until let_commits_end(): it waits for a standby."""
        self._set_standby("nobody")
        probe = self.connect()
        threading.Thread(target=_commit_until_cut, args=(probe,), daemon=True).start()
        pid = probe.get_backend_pid()
        wait_until(lambda: self.is_waiting(pid, "SyncRep"), 30, "commits to be held")
        self.execute(f"SELECT pg_terminate_backend({pid})")

    def let_commits_end(self):
        self._set_standby("")

    def _set_standby(self, name):
        self.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.execute("SELECT pg_reload_conf()")

    def wait_for_end(self, pid):
        """Of a backend."""
        wait_until(lambda: not self.execute(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"), 30, "a backend to end")

    def pause(self):
        """The postmaster accepts nobody until resume(); open connections go on."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def freeze(self):
        """Nobody is answered any more, on open connections neither, until thaw(). Nothing is closed."""
        self._stand_still()
        self._signal_children(signal.SIGSTOP)

    def _stand_still(self):
        self.pause()
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # from here on it forks no more

    def thaw(self):
        self._signal_children(signal.SIGCONT)
        self.resume()

    def run_on(self, cores):
        """All its processes, those to come too."""
        os.sched_setaffinity(self._process.pid, cores)
        for pid in self._children():
            os.sched_setaffinity(pid, cores)

    def _signal_children(self, number):
        for pid in self._children():
            os.kill(pid, number)

    def _children(self):
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def has_ended(self):
        """Also by itself."""
        return self._process is None or self._process.poll() is not None

    def _end(self, signal_number):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
        self._process.wait(60)
        self._process = None

    def remove(self):
        """Stops the server and deletes its data."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")


class StandbyPostgres(PrivatePostgres):
    """Follows another one, from a copy of it, until promote()."""

    name = "standby"

    def __init__(self, primary):
        self._primary = primary
        super().__init__(primary_conninfo=f"{primary.url} application_name={self.name}")

    def _initialize(self):
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.directory.chmod(0o711)
        self._primary._copy_to(self.directory / "data")
        _touch(self.directory / "data/standby.signal")

    def promote(self):
        """Is a primary when this returns."""
        self.execute("SELECT pg_promote()")


def both_urls(primary, standby):
    """A Cluster at whichever of the two may be written to."""
    return Cluster(f"host={primary.directory},{standby.directory} port={primary.port},{standby.port} dbname=postgres "
                   "user=postgres target_session_attrs=read-write")


def _touch(path):
    path.touch()
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")


def _is_cut(connection):
    try:
        connection.cursor().execute("SELECT 1")
    except psycopg2.Error:
        return True
    return False


def _commit_until_cut(connection):
    with contextlib.suppress(psycopg2.Error):
        while True:
            connection.cursor().execute("SELECT pg_logical_emit_message(true, 'probe', '')")


@cache
def shared_postgres():
    """The run's server: do not stop it, and make a database of your own."""
    if os.environ.get("LATCHKEY_TEST_DATABASE_URL"):
        return Cluster(os.environ["LATCHKEY_TEST_DATABASE_URL"])
    postgres = PrivatePostgres()
    atexit.register(postgres.remove)
    postgres.start()
    return postgres
