"""Whoever builds this tree gets the same packages, byte for byte: two whole builds, each in a directory, a time zone and a
language of its own, with the usual umask, which cpack writes into the archive. Takes two builds' time; tests/quickstart compares the programs of two builds that are made anyway."""

import filecmp
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from latchkey_test.tree_copy import copy_tree  # noqa: E402


class Build:
    """The packages of one build, in `packages` by name."""

    def __init__(self, directory, **environment):
        self._tree, self._build = directory / "tree", directory / environment.pop("BUILD")
        self._tree.mkdir(parents=True)
        copy_tree(self._tree)
        # Without a cache, which could give both what one of them has made.
        self._environment = {**os.environ, "CCACHE_DISABLE": "1", **environment}
        began = time.monotonic()
        self._run("cmake", "-G", "Ninja", "-S", self._tree, "-B", self._build, "-DCMAKE_C_COMPILER=gcc", "-DBUILD_TESTING=OFF")
        self._run("cmake", "--build", self._build, "--target", "all")
        self._run("cpack", "--config", self._build / "CPackConfig.cmake", "-B", directory / "packages")
        print(f"    built in {time.monotonic() - began:.0f} s", file=sys.stderr)
        self.packages = {path.name: path for path in (directory / "packages").glob("*.deb")}

    def _run(self, *command):
        done = subprocess.run([str(word) for word in command], cwd=self._tree, env=self._environment, umask=0o022, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command[0]} ended with {done.returncode}\n{done.stdout[-4000:]}")


def unpack(package, directory):
    subprocess.run(["dpkg-deb", "--raw-extract", package, directory], check=True)
    return directory


def differing(left, right):
    """Where two directories differ, as paths below them."""
    compared = [filecmp.dircmp(left, right)]
    while compared:
        pair = compared.pop()
        here = Path(pair.left).relative_to(left)
        unlike = filecmp.cmpfiles(pair.left, pair.right, pair.common_files, shallow=False)[1]
        yield from (here / name for name in [*pair.left_only, *pair.right_only, *unlike])
        compared += pair.subdirs.values()


class Reproducible(unittest.TestCase):
    def test_two_builds_make_the_same_packages(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="latchkey-reproducible-")))
        first = Build(directory / "a", BUILD="tree/build", TZ="UTC", LC_ALL="C", HOME="/nonexistent")
        second = Build(directory / "another/and/longer", BUILD="elsewhere", TZ="Pacific/Chatham", LC_ALL="C.UTF-8", USER="somebody")
        self.assertEqual(len(first.packages), 2)
        self.assertEqual(first.packages.keys(), second.packages.keys())
        for name, package in first.packages.items():
            if package.read_bytes() != second.packages[name].read_bytes():
                left, right = unpack(package, directory / f"left-{name}"), unpack(second.packages[name], directory / f"right-{name}")
                self.fail(f"{name} differs, in {[str(path) for path in differing(left, right)] or 'the archive itself'}")


if __name__ == "__main__":
    unittest.main()
