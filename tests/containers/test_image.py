"""The image that deploy/Dockerfile makes: what is in it, and how it describes itself."""

import json
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from engine import inspect, podman  # noqa: E402

from latchkey_test.paths import ROOT  # noqa: E402

IMAGE = "docker.io/library/latchkey:0.1.0"
PROGRAMS = {"latchkey", "latchkey-console", "latchkey-invitation", "latchkey-token", "latchkey-validator", "latchkey-whitelist", "latchkeyd"}
SIZE_MAX = 64 << 20
SBOM = "usr/share/doc/latchkey/latchkey.spdx.json"


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = inspect(IMAGE)
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="latchkey-image-")))
        container = podman("create", IMAGE).stdout.strip()
        podman("export", "--output", directory / "image.tar", container)
        podman("rm", container)
        cls.tar = cls.enterClassContext(tarfile.open(directory / "image.tar"))
        cls.files = {member.name: member for member in cls.tar.getmembers() if member.isfile()}

    def read(self, name):
        return self.tar.extractfile(name).read()

    def test_it_is_small(self):
        print(f"    the image: {self.description['Size'] / 1e6:.1f} MB", file=sys.stderr)
        self.assertLess(self.description["Size"], SIZE_MAX)

    def test_nothing_but_our_programs_can_be_run(self):
        programs = {name for name, member in self.files.items() if member.mode & 0o111 and ".so" not in name}
        self.assertEqual(programs, {f"usr/bin/{name}" for name in PROGRAMS})

    def test_nothing_in_it_is_its_user_s_or_acts_for_another(self):
        for name, member in self.files.items():
            self.assertEqual((member.uid, member.mode & 0o6022), (0, 0), name)

    def test_every_program_runs_in_it(self):
        for name in PROGRAMS:
            said = podman("run", "--rm", "--read-only", "--cap-drop=all", "--network=none", IMAGE, name, "--version").stdout
            self.assertRegex(said, rf"^{name} 0\.1\.0")

    def test_it_says_what_it_is_and_how_it_is_asked_for_its_health(self):
        config = self.description["Config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Labels"]["org.opencontainers.image.title"], "latchkey")
        self.assertRegex(config["Labels"]["org.opencontainers.image.revision"], "^[0-9a-f]{40}$")
        self.assertEqual(self.description["Healthcheck"]["Test"], ["CMD", "latchkeyd", "ready"])

    def test_the_bill_of_materials_has_ours_nghttp2_and_every_debian_package(self):
        document = json.loads(self.read(SBOM))
        versions = {package["name"]: package["versionInfo"] for package in document["packages"]}
        status = {name.rpartition("/")[2]: self.read(name).decode() for name in self.files if "/status.d/" in name}
        for name, text in status.items():
            self.assertIn(f"\nVersion: {versions[name]}\n", text)
        self.assertEqual(set(versions) - set(status), {"latchkey-image", "latchkey", "nghttp2", *self.bundled()})
        contained = {relation["relatedSpdxElement"] for relation in document["relationships"]}
        self.assertEqual(contained, {package["SPDXID"] for package in document["packages"]})

    def bundled(self):
        """The packages of npm whose code browsers are sent."""
        packages = json.loads((ROOT / "console/package-lock.json").read_text(encoding="utf-8"))["packages"]
        names = {name.removeprefix("node_modules/") for name, package in packages.items() if name and not package.get("dev")}
        self.assertTrue(names)
        return names

    def test_every_library_is_of_a_package_that_is_named(self):
        named = [name.rpartition("/")[2] for name in self.files if "/status.d/" in name]
        listed = subprocess.run(["dpkg-query", "--listfiles", *named], capture_output=True, text=True, check=True).stdout
        owned = {path.rpartition("/")[2] for path in listed.splitlines()}
        libraries = {name.rpartition("/")[2] for name in self.files if ".so" in name}
        self.assertTrue(libraries)
        self.assertEqual(libraries - owned, set())


if __name__ == "__main__":
    unittest.main()
