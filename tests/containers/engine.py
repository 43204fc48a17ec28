"""podman behind docker compose, for docker-compose.yml in a copy of what it needs of the tree: the secrets that its script makes,
and nobody else's. tests/containers/run.sh has made the images, and has us in a network of our own.

    with Engine() as engine:
        engine.compose("up", "--detach")
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from latchkey_test.paths import ROOT
from latchkey_test.waiting import wait_until

_WORK = Path(os.environ.get("LATCHKEY_CONTAINERS_DIR") or ROOT / "build/containers")
_COMPOSE = _WORK / "compose/usr/libexec/docker/cli-plugins/docker-compose"
_NEEDED = ("docker-compose.yml", "deploy/compose", "deploy/quickstart/permissions.txt", "deploy/prometheus", "deploy/grafana")
_TIMEOUT_S = 300


def podman(*arguments, check=True):
    """The finished process, its output as text. With the storage of run.sh alone, which removes all that is there."""
    if Path(os.environ.get("CONTAINERS_STORAGE_CONF", "")) != _WORK / "storage.conf":
        raise AssertionError("containers of this machine are left alone: call tests/containers/run.sh")
    done = subprocess.run(["podman", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=_TIMEOUT_S, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"podman {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def inspect(name):
    return json.loads(podman("inspect", name).stdout)[0]


class Engine:
    def __init__(self):
        self.project = Path(tempfile.mkdtemp(prefix="latchkey-compose-"))
        self.secrets = self.project / "var/compose"
        self._socket = Path("/run/podman.sock")  # a short path, and /run is ours alone
        self._service = None
        self._ends = threading.Event()
        self._checks = threading.Thread(target=self._check_healths)

    def __enter__(self):
        self._copy_project()
        with open(self.project / "podman.log", "wb") as log:
            self._service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{self._socket}"],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._socket.exists, 60, "podman's socket")
        self._checks.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._checks.join()
        self.compose("--profile", "*", "down", "--volumes", "--timeout", 1)
        self._service.terminate()
        self._service.wait(60)
        shutil.rmtree(self.project, ignore_errors=True)

    def _copy_project(self):
        for name in _NEEDED:
            source, to = ROOT / name, self.project / name
            to.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, to)

    def make_secrets(self, *names):
        subprocess.run([self.project / "deploy/compose/make_secrets.sh", *names], check=True, capture_output=True)

    def compose(self, *arguments, check=True, **environment):
        """The finished process of `docker compose`, its output as text."""
        done = subprocess.run([_COMPOSE, *map(str, arguments)], cwd=self.project, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=_TIMEOUT_S, check=False,
                              env={**os.environ, "DOCKER_HOST": f"unix://{self._socket}", "DOCKER_BUILDKIT": "0", **environment})
        if check and done.returncode != 0:
            raise AssertionError(f"docker compose {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}\n"
                                 + self.logs())
        return done

    def names(self, service):
        """Of its containers."""
        listed = podman("ps", "--all", "--filter", f"label=com.docker.compose.service={service}", "--format", "{{.Names}}")
        return sorted(listed.stdout.split())

    def logs(self):
        said = []
        for name in podman("ps", "--all", "--format", "{{.Names}}").stdout.split():
            done = podman("logs", "--tail", 20, name, check=False)
            said.append(f"---- {name}\n{done.stdout}{done.stderr}")
        return "".join(said)

    def _check_healths(self):
        """What podman leaves to systemd's timers, and docker does by itself."""
        while not self._ends.wait(1):
            # It fails where a container goes meanwhile.
            for name in podman("ps", "--format", "{{.Names}}", check=False).stdout.split():
                podman("healthcheck", "run", name, check=False)
