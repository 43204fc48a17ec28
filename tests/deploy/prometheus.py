"""Debian's Prometheus as a process, with deploy/prometheus as its configuration and the servers of a test as its targets."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml
from latchkey_test.paths import ROOT
from latchkey_test.ports import free_port
from latchkey_test.waiting import wait_until

CONFIGURATION = ROOT / "deploy/prometheus"
_UNPACKED = ROOT / "build/deploy/prometheus/usr/bin"  # by tests/run.sh


def _find(program):
    found = shutil.which(program, path=f"{_UNPACKED}:{os.environ['PATH']}")
    if not found:
        raise AssertionError(f"{program} is not there: tests/run.sh deploy gets it, as does Debian's package prometheus")
    return found


def promtool(*arguments, text=None):
    """The finished process, its words in `stdout`; it works in deploy/prometheus."""
    return subprocess.run([_find("promtool"), *map(str, arguments)], cwd=CONFIGURATION, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


class Prometheus:
    """Scrapes `targets`, admin addresses, each second in place of each quarter of a minute."""

    def __init__(self, targets):
        self._targets = targets
        self._address = f"127.0.0.1:{free_port()}"
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-prometheus-"))

    def __enter__(self):
        shutil.copy(CONFIGURATION / "alerts.yml", self._directory)
        configuration = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        configuration["scrape_configs"][0]["static_configs"][0]["targets"] = self._targets
        (self._directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        with open(self._directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                [_find("prometheus"), f"--config.file={self._directory}/prometheus.yml", f"--storage.tsdb.path={self._directory}/data",
                 f"--web.listen-address={self._address}"], cwd=self._directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._is_ready, 30, "Prometheus to be ready")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _is_ready(self):
        if self._process.poll() is not None:
            raise AssertionError("Prometheus has ended:\n" + (self._directory / "log").read_text())
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ask(self, path, **parameters):
        """What its API answers as `data`."""
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def query(self, expression):
        """The series, each with `metric` and `value`."""
        return self.ask("query", query=expression)["result"]

    def wait_scraped(self, times):
        """Until each target was scraped so often, without an error."""
        asked = f"count_over_time(up[5m]) >= {times} and on (instance) min_over_time(up[5m]) == 1"
        wait_until(lambda: len(self.query(asked)) == len(self._targets), 60, f"{times} scrapes of {self._targets}")


# In expressions of deploy/ a comparison stands between spaces, and in selectors nothing does.
_COMPARISON = re.compile(r" (==|!=|>=|<=|>|<) ")


def without_conditions(expression):
    """An alert's expression as one that has a value whether it fires or not."""
    return _COMPARISON.sub(r" \1 bool ", expression)
