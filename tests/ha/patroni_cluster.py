"""Highly available PostgreSQL on loopback: one etcd, and nodes of Patroni with the settings of deploy/postgres.

    with PatroniCluster() as cluster:
        cluster.leader().kill_node()
        cluster.wait_healthy()

A node is Patroni and PostgreSQL, each killed as on a machine of its own. `cluster` is a Cluster: its `url` names all nodes and leads to
the one that may be written to.
"""

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import psycopg2
import psycopg2.extensions

from latchkey_test import ROOT, free_port
from latchkey_test.authority import Authority
from latchkey_test.postgres import Cluster, account, bin_directory
from latchkey_test.waiting import wait_until

import programs

_DEPLOY = ROOT / "deploy/postgres"
_TIMEOUT = 180  # far longer than ttl


def _own(path):
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")
    return path


def _processes_of(pid):
    """It and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(FileNotFoundError):
        return [pid, *map(int, children.read_text(encoding="ascii").split())]
    return []


def _send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_running(pid):
    """A zombie is none, whoever has to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def stopped(pids):
    """They stand still, as long as they live."""
    _send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(pids, signal.SIGCONT)


def _identify(directory):
    """As who has tls.crt there."""
    context = ssl.create_default_context(cafile=directory / "ca.crt")
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return context


class _Etcd:
    """etcd.conf.example, on other ports and with other directories."""

    def __init__(self, directory):
        self.directory, self.address = directory, f"127.0.0.1:{free_port()}"
        self._peer = f"https://127.0.0.1:{free_port()}"
        self._log = directory / "etcd.log"
        self._process = None

    def _environment(self):
        text = (_DEPLOY / "etcd.conf.example").read_text(encoding="utf-8")
        for path in ("/var/lib/etcd", "/etc/etcd"):
            text = text.replace(path, str(self.directory))
        variables = dict(line.split("=", 1) for line in text.splitlines() if line.startswith("ETCD_"))
        variables.update(dict.fromkeys(("ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS"), f"https://{self.address}"))
        variables.update(dict.fromkeys(("ETCD_LISTEN_PEER_URLS", "ETCD_INITIAL_ADVERTISE_PEER_URLS"), self._peer))
        return {**os.environ, **variables, "ETCD_INITIAL_CLUSTER": f"{variables['ETCD_NAME']}={self._peer}", "ETCD_LOG_LEVEL": "warn"}

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen([programs.ETCD], env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._is_healthy, _TIMEOUT, "etcd")

    def _is_healthy(self):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"https://{self.address}/health", timeout=5,
                                                                  context=_identify(self.directory)) as answer:
            return json.load(answer)["health"] == "true"

    def stop(self):
        self._process.kill()
        self._process.wait(30)


class Node:
    """One machine's Patroni and PostgreSQL."""

    def __init__(self, cluster, number):
        self.name = f"node{number}"
        self.port, api = free_port(), free_port()
        self.api = f"127.0.0.1:{api}"
        self._cluster = cluster
        self.directory = _own(cluster.directory / self.name)
        self._process = None
        self.environment = {
            **os.environ, **cluster.patroni.environment, "HOME": str(self.directory), "PATRONI_NAME": self.name,
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{self.port}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"localhost:{self.port}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.directory / "data"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(bin_directory()),
            "PATRONI_POSTGRESQL_PGPASS": str(self.directory / "pgpass"),
            "PATRONI_RESTAPI_LISTEN": self.api, "PATRONI_RESTAPI_CONNECT_ADDRESS": self.api,
            "PATRONI_ETCD3_HOSTS": cluster.etcd.address, **cluster.secrets}

    def start(self):
        self.settings = self._cluster.write_settings(self.directory)
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen([*self._cluster.patroni.command("patroni"), self.settings], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=self.environment, cwd=self.directory, **account())

    def postmaster(self):
        """Its pid, or None while there is none."""
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            pid = int((self.directory / "data/postmaster.pid").read_text(encoding="ascii").split()[0])
            return pid if _is_running(pid) else None
        return None

    def patroni(self):
        return self._process.pid

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def ask(self, path):
        """What Patroni's REST API says; None where it says nothing."""
        try:
            with urllib.request.urlopen(f"https://{self.api}{path}", timeout=10, context=self.knowing_it()) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def knowing_it(self):
        """And not known: who asks has no certificate."""
        return ssl.create_default_context(cafile=self.directory / "ca.crt")

    def restart(self):
        """As systemctl does: also what stands still is told to end."""
        _send([self._process.pid], signal.SIGTERM)
        _send([self._process.pid], signal.SIGCONT)
        self._process.wait(_TIMEOUT)
        self.start()

    def kill_postmaster(self):
        """kill -9: its children end with it, Patroni does not."""
        os.kill(self.postmaster(), signal.SIGKILL)

    def kill_node(self):
        """As if the machine had lost its power, but for its disk."""
        victims = [self._process.pid, *_processes_of(self.postmaster())]
        _send(victims, signal.SIGKILL)
        self._process.wait(30)
        wait_until(lambda: not any(map(_is_running, victims)), 60, "the end of all processes of a node")

    def senders(self):
        """The processes that send its changes to standbys."""
        return [pid for pid, in self._cluster.execute("SELECT pid FROM pg_stat_replication")]

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def remove(self):
        if self.is_running():
            self._process.kill()
            self._process.wait(30)
        postmaster = self.postmaster()
        if postmaster:
            os.kill(postmaster, signal.SIGQUIT)  # at once, and leaves no shared memory
            wait_until(lambda: not _is_running(postmaster), 60, "PostgreSQL to end")


class PatroniCluster(Cluster):
    def __init__(self, nodes=2, **dynamic):
        """`dynamic`: parameters of PostgreSQL in place of those of deploy/postgres."""
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-patroni-"))
        self.directory.chmod(0o755)
        self.patroni = programs.Patroni(self.directory / "patroni")
        self._dynamic = dynamic
        self.password = secrets.token_hex(16)
        self.secrets = {f"PATRONI_{user}_PASSWORD": self.password for user in ("SUPERUSER", "REPLICATION", "REWIND", "RESTAPI")}
        self.secrets["PATRONI_RESTAPI_USERNAME"] = "patroni"
        self.etcd = _Etcd(_own_new(self.directory / "shared"))
        self._authority = Authority()
        for number in range(nodes):
            _own_new(self.directory / f"node{number}")
        self.nodes = [Node(self, number) for number in range(nodes)]
        hosts, ports = ",".join("127.0.0.1" for _ in self.nodes), ",".join(str(node.port) for node in self.nodes)
        super().__init__(f"host={hosts} port={ports} dbname=postgres user=postgres password={self.password} "
                         f"target_session_attrs=read-write sslmode=verify-full sslrootcert={self._authority.certificate}")

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.remove)
            stack.enter_context(self._authority)
            self._issued = self._authority.issue("postgres", ["DNS:localhost", "IP:127.0.0.1"])
            self._write_certificates(self.etcd.directory)
            self.etcd.start()
            for node in self.nodes:
                node.start()
            self.wait_healthy()
            self.execute(f"CREATE ROLE deployer LOGIN NOSUPERUSER CREATEROLE CREATEDB PASSWORD '{self.password}'")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *details):
        return self._stack.__exit__(*details)

    def _write_certificates(self, directory):
        for name, content in (("tls.crt", self._issued.certificate), ("tls.key", self._issued.key),
                              ("ca.crt", self._authority.certificate)):
            _put(content, directory / name, 0o600)

    def write_settings(self, directory):
        """deploy/postgres/patroni.yml, with other directories; returns its path."""
        text = (_DEPLOY / "patroni.yml").read_text(encoding="utf-8")
        self._write_certificates(directory)
        _put(_DEPLOY / "archive-wal.sh", directory / "archive-wal.sh", 0o700)
        (directory / "archive").mkdir(exist_ok=True)
        _own(directory / "archive")
        for name, value in self._dynamic.items():
            text = _replace_setting(text, name, value)
        for path, other in (("/etc/patroni", directory), ("/var/lib/postgresql", directory), ("/var/run/postgresql", directory)):
            text = text.replace(path, str(other))
        settings = directory / "patroni.yml"
        settings.write_text(text, encoding="utf-8")
        return settings

    def leader(self):
        """The node that may be written to, once there is one."""
        return wait_until(self.find_leader, _TIMEOUT, "a primary")

    def find_other_leader(self, than):
        leader = self.find_leader()
        return leader if leader is not than else None

    def find_leader(self):
        members = self._members()
        return next((node for node in self.nodes if members.get(node.name) == "leader"), None)

    def _members(self):
        """Name -> role of those that run."""
        for node in self.nodes:
            shown = node.is_running() and node.ask("/cluster")
            if shown:
                return {member["name"]: member["role"] for member in shown["members"] if member["state"] in ("running", "streaming")}
        return {}

    def is_healthy(self):
        """A primary, and all others its synchronous standbys or candidates for that."""
        roles = list(self._members().values())
        return len(roles) == len(self.nodes) and "leader" in roles and "sync_standby" in roles

    def wait_healthy(self):
        try:
            wait_until(self.is_healthy, _TIMEOUT, "a primary with its synchronous standby")
        except TimeoutError as error:
            raise TimeoutError(str(error) + "".join(f"\n{node.name}:\n{node.log()[-3000:]}" for node in self.nodes)) from None

    def heal(self):
        """Nodes that were killed come back."""
        for node in self.nodes:
            if not node.is_running():
                node.start()
        self.wait_healthy()

    def url_at(self, node, url):
        """The same database at that one alone, whatever it is."""
        return psycopg2.extensions.make_dsn(url, host="127.0.0.1", port=node.port, target_session_attrs="any")

    def connect_to(self, node):
        """An autocommitting connection."""
        connection = psycopg2.connect(self.url_at(node, self.url))
        connection.autocommit = True
        return connection

    def forget(self):
        """etcd knows nothing of it any more, once it does not take it for healthy any more: that lasts for ttl."""
        wait_until(self._is_forgotten, _TIMEOUT, "patronictl remove")

    def _is_forgotten(self):
        return subprocess.run([*self.patroni.command("patronictl"), "-c", self.nodes[0].settings, "remove", "latchkey"], text=True,
                              capture_output=True, input="latchkey\nYes I am aware\n", env=self.nodes[0].environment,
                              check=False).returncode == 0

    def switch_over(self, context=None):
        """As planned work would; `context`: as somebody else than a node."""
        leader = self.leader()
        body = json.dumps({"leader": leader.name}).encode()
        credentials = base64.b64encode(f"patroni:{self.password}".encode()).decode()
        request = urllib.request.Request(f"https://{leader.api}/switchover", body, {
            "Content-Type": "application/json", "Authorization": f"Basic {credentials}"})
        with urllib.request.urlopen(request, timeout=120, context=context or _identify(leader.directory)):
            pass

    def remove(self):
        for node in self.nodes:
            node.remove()
        with contextlib.suppress(AttributeError):
            self.etcd.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _put(content, path, mode):
    shutil.copy(content, path)
    path.chmod(mode)
    _own(path)


def _own_new(path):
    path.mkdir()
    return _own(path)


def _replace_setting(text, name, value):
    lines = text.splitlines(keepends=True)
    place, = (number for number, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
    indent = len(lines[place]) - len(lines[place].lstrip())
    lines[place] = f"{' ' * indent}{name}: {value}\n"
    return "".join(lines)
