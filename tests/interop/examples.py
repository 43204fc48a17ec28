"""Where the examples are, and a service of theirs as a running process."""

import os
import subprocess
import tempfile
import urllib.error
import urllib.request

from latchkey_test import ROOT
from latchkey_test.waiting import wait_until

EXAMPLES = ROOT / "examples"
PYTHON, NODE, GO, RUST = (EXAMPLES / name for name in ("python", "node", "go", "rust"))
JAR, OPAQUE_TOKEN_JAR = (EXAMPLES / f"java/{name}/target/{name}-1.jar" for name in ("service", "opaque-token"))


class Service:
    """A service of the examples, from its start until it is removed. `log` is all that it has said."""

    def __init__(self, directory, command, **environment):
        self.url = f"http://127.0.0.1:{environment['PORT']}/charges"
        self._log = tempfile.TemporaryFile("a+")
        self._process = subprocess.Popen([str(part) for part in command], cwd=directory, stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log, env={**os.environ, **environment})

    def __enter__(self):
        try:
            wait_until(self._has_begun, 120, "the service to answer")
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def _has_begun(self):
        if self._process.poll() is not None:
            raise AssertionError(f"the service has ended:\n{self.log()}")
        return self.get() is not None

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def get(self, token=None, **headers):
        """(status, headers, body); None where nobody answers."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), timeout=60) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()
        except OSError:
            return None

    def get_decided(self, *presented, **headers):
        """As get(), but asks again while nothing is decided: on a busy machine a second may be too short for that."""
        def ask():
            answer = self.get(*presented, **headers)
            return answer if answer[0] != 503 else None
        return wait_until(ask, 60, "a decision")
