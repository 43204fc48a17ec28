"""Our programs as running processes."""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from .paths import program
from .ports import free_port
from .waiting import wait_until

_SANITIZER_REPORT = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


class ServerFailed(Exception):
    """The program ended, or did not become ready, or a sanitizer spoke; the message holds its log."""


class Server:
    """One server process.

        with Server("latchkeyd", database_url=url, max_staleness="5s") as server:
            client = Client(server.address, token)

    Settings are keyword arguments, `max_staleness="5s"` for --max-staleness 5s; True gives the bare --name. The
    gRPC and admin ports are free ones, and stay the same when the server is started again. `launcher` is the command that
    starts the program, whose own command line follows it, and becomes it.
    """

    def __init__(self, name, environment=None, launcher=(), **settings):
        self.name = name
        self._launcher = launcher
        self.address = f"127.0.0.1:{free_port()}"
        self.admin_address = f"127.0.0.1:{free_port()}"
        self.settings = {"listen": self.address, "admin_listen": self.admin_address, **settings}
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-server-"))
        self._environment = {**os.environ, **(environment or {})}
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def start(self, ready=True):
        """Starts the process and, unless told otherwise, waits until it says that it is ready."""
        with open(self._directory / "log", "ab") as log:
            self._process = subprocess.Popen([*self._launcher, program(self.name), *self._arguments()], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=self._environment, cwd=self._directory)
        if ready:
            self.wait_ready()

    def _arguments(self):
        for name, value in self.settings.items():
            option = "--" + name.replace("_", "-")
            yield option if value is True else f"{option}={value}"

    def wait_ready(self, timeout=60):
        try:
            wait_until(lambda: self.is_ready() or self._has_ended(), timeout, f"{self.name} to be ready")
        except TimeoutError as error:
            raise ServerFailed(f"{error}\n{self.log()}") from None
        if self._has_ended():
            raise ServerFailed(f"{self.name} ended with status {self._process.returncode}\n{self.log()}")

    def is_ready(self):
        return self.admin("/readyz")[0] == 200

    def admin(self, path):
        """(HTTP status, body) of a page of the admin port; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait(self, timeout=60):
        """The exit status of a process that ends by itself."""
        return self._process.wait(timeout)

    def _has_ended(self):
        return self._process.poll() is not None

    @property
    def pid(self):
        return self._process.pid

    def tell_to_end(self):
        """SIGTERM, and no wait for the end."""
        self._signal(signal.SIGTERM)

    def stop(self, timeout=30):
        """SIGTERM, and the orderly end that must follow: status 0."""
        self.tell_to_end()
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"{self.name} did not end on SIGTERM\n{self.log()}") from None
        self._check_sanitizers()
        if status != 0:
            raise ServerFailed(f"{self.name} ended with status {status}\n{self.log()}")

    def kill(self):
        """kill -9: nothing is said, flushed or handed over."""
        self._signal(signal.SIGKILL)
        self._process.wait(30)
        self._check_sanitizers()

    def pause(self):
        """No thread of it runs any more when this returns; the signal alone lets some go on for a moment."""
        self._signal(signal.SIGSTOP)
        if not self._has_ended():
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        if not self._has_ended():
            self._process.send_signal(number)

    def remove(self):
        """Stops the process if it still runs and deletes its log."""
        try:
            if self._process is not None and not self._has_ended():
                self.stop()
            self._check_sanitizers()
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)

    def log(self):
        path = self._directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _check_sanitizers(self):
        log = self.log()
        if any(report in log for report in _SANITIZER_REPORT):
            raise ServerFailed(f"{self.name}: a sanitizer's report\n{log}")
