"""deploy/kubernetes as objects: an overlay by Kustomize, or the chart by Helm."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import yaml
from latchkey_test.paths import ROOT

KUBERNETES = ROOT / "deploy/kubernetes"
TOOLS = ROOT / "build/kubernetes"
NAMESPACE = "latchkey"
# Helm as Go builds it takes itself for one of Kubernetes 1.20.
KUBE_VERSION = ["--kube-version", "1.37.2"]
# Of each overlay, what the chart is given.
OVERLAYS = {"single-node": [], "production": ["--values", KUBERNETES / "chart/values-production.yaml"]}


def tool(name, *arguments, text=None):
    """The finished process; tests/kubernetes/get_tools.sh has built the program."""
    return subprocess.run([TOOLS / "bin" / name, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=300, check=False)


def _checked(name, *arguments):
    done = tool(name, *arguments)
    if done.returncode != 0:
        raise AssertionError(f"{name} {arguments} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def kustomize(overlay):
    """An overlay as text."""
    return _checked("kustomize", "build", KUBERNETES / "overlays" / overlay)


def kustomize_with(overlay, component):
    """An overlay of one's own: that one, and a component that it does not have."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as directory:
        back = os.path.relpath(KUBERNETES, directory)
        (Path(directory) / "kustomization.yaml").write_text(yaml.safe_dump({
            "resources": [f"{back}/overlays/{overlay}"], "components": [f"{back}/components/{component}"]}))
        return _checked("kustomize", "build", directory)


def helm(overlay, *more):
    """What the chart makes of that overlay's values, as text."""
    return _checked("helm", "template", "latchkey", KUBERNETES / "chart", "--namespace", NAMESPACE, *KUBE_VERSION, "--set", "createNamespace=true",
                    *OVERLAYS[overlay], *more)


def load(text):
    return [item for item in yaml.safe_load_all(text) if item]


def key_of(item):
    return item["kind"], item["metadata"]["name"]


def index(items):
    """{(kind, name): object}."""
    found = {key_of(item): item for item in items}
    assert len(found) == len(items), "two objects of one kind have one name"
    return found


_HASH = re.compile(r"-[0-9a-z]{10}$")


def plain_name(item):
    """Without the end that says what is in it, where there is one."""
    kind, name = key_of(item)
    return _HASH.sub("", name) if kind in ("ConfigMap", "Job") else name


def of_kind(items, *kinds):
    return [item for item in items if item["kind"] in kinds]


def pods_of(items):
    """(name, Pod template) of everything that makes Pods."""
    return [(item["metadata"]["name"], item["spec"]["template"]) for item in of_kind(items, "Deployment", "StatefulSet", "Job")]


def settings_of(items):
    """{file name: text} of the servers' settings."""
    [found] = [item["data"] for item in of_kind(items, "ConfigMap") if plain_name(item) == "latchkey-settings"]
    return found
