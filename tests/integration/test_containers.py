"""docker-compose.yml and deploy/Dockerfile describe what exists: programs, settings, ports, secrets, libraries."""

import os
import re
import subprocess
import tempfile
import unittest
from functools import cache
from pathlib import Path

import yaml

from latchkey_test import BUILD, ROOT, program

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
EXIT_OK = 0


def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def our_services():
    """Name -> definition, of those that run our image."""
    return {name: service for name, service in compose()["services"].items() if service["image"].startswith("latchkey:")}


def image_command():
    """The command that the image runs when none is given."""
    return yaml.safe_load(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def read_settings(command, environment=None):
    """Lets the program read its settings and do nothing more: --help is looked for when all of them have been read."""
    return subprocess.run([program(command[0]), *command[1:], "--help"], env={**os.environ, **(environment or {})},
                          capture_output=True, text=True, timeout=60, check=False)


def option(command, name):
    return command[command.index(name) + 1]


@cache
def package_of(library):
    """The package that a shared library of this machine's own architecture comes from."""
    found = subprocess.run(["dpkg-query", "--search", f"*-linux-gnu/{library}"], capture_output=True, text=True, check=True)
    return found.stdout.split(":")[0]


class Compose(unittest.TestCase):
    def test_every_command_is_one_that_its_program_takes(self):
        for name, service in our_services().items():
            with self.subTest(name):
                done = read_settings(service["command"], service["environment"])
                self.assertEqual(done.returncode, EXIT_OK, done.stderr)

    def test_a_setting_that_does_not_exist_would_be_noticed(self):
        for name, service in our_services().items():
            with self.subTest(name):
                self.assertNotEqual(read_settings([*service["command"], "--no-such-setting", "1"]).returncode, EXIT_OK)

    def test_every_variable_is_one_that_a_program_reads(self):
        commands = [service["command"] for service in our_services().values()]
        texts = "".join(read_settings(command[:1]).stdout for command in commands)
        for name, service in our_services().items():
            for variable in service["environment"]:
                with self.subTest(f"{name} {variable}"):
                    self.assertRegex(texts, rf"\b{variable}\b")

    def test_ports_are_published_on_loopback_and_lead_to_where_the_program_listens(self):
        published = []
        for name, service in our_services().items():
            for port in service.get("ports", []):
                with self.subTest(f"{name} {port}"):
                    address, outside, inside = port.split(":")
                    self.assertEqual(address, "127.0.0.1")
                    self.assertEqual(option(service["command"], "--listen"), f"*:{inside}")
                    published.append(outside)
        self.assertTrue(published)
        self.assertEqual(len(published), len(set(published)))

    def test_every_server_listens_where_its_own_default_says(self):
        for name, service in our_services().items():
            if "--listen" not in service["command"]:
                continue
            with self.subTest(name):
                text = read_settings(service["command"][:1]).stdout
                for setting in ("--listen", "--admin-listen"):
                    port = option(service["command"], setting).split(":")[1]
                    self.assertIn(f"127.0.0.1:{port};", text)

    def test_every_secret_that_is_read_is_given(self):
        defined = compose()["secrets"]
        for name, service in compose()["services"].items():
            for secret in re.findall(r"/run/secrets/([\w-]+)", str(service)):
                with self.subTest(f"{name} {secret}"):
                    self.assertIn(secret, service["secrets"])
                    self.assertIn(secret, defined)

    def test_every_file_that_is_mounted_is_there(self):
        for name, service in our_services().items():
            for volume in service.get("volumes", []):
                with self.subTest(f"{name} {volume}"):
                    self.assertTrue((ROOT / volume.split(":")[0]).is_file())

    def test_a_server_is_given_the_time_that_it_takes_to_stop(self):
        for name, service in our_services().items():
            if "--listen" not in service["command"]:
                continue
            with self.subTest(name):
                text = read_settings(service["command"][:1]).stdout
                grace = int(re.search(r"--drain-grace.*?\(default (\d+)s;", text, re.DOTALL)[1])
                delay = int(service["environment"]["LATCHKEY_DRAIN_DELAY"].removesuffix("s"))
                self.assertGreater(int(service["stop_grace_period"].removesuffix("s")), grace + delay)


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="latchkey-install-")
        cls.addClassCleanup(directory.cleanup)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", directory.name], stdout=subprocess.DEVNULL, check=True)
        cls.installed = {path.name: path for path in (Path(directory.name) / "bin").iterdir()}

    def test_it_holds_every_program_that_is_run_from_it_and_no_test(self):
        commands = [service["command"] for service in our_services().values()]
        wanted = {command[0] for command in [*commands, image_command()]}
        self.assertLessEqual(wanted, set(self.installed))
        for name in self.installed:
            self.assertRegex(name, "^latchkey")

    def test_its_own_command_is_one_that_the_program_takes(self):
        done = read_settings([*image_command(), "--allow-plaintext"])
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)

    def test_it_holds_the_library_packages_that_the_programs_need_and_no_other(self):
        listed = re.search(r"--no-install-recommends (.*?) &&", DOCKERFILE.replace("\\\n", " "), re.DOTALL)[1].split()
        needed = {package_of(library) for path in self.installed.values() for library in needed_libraries(path)}
        # Libraries of the C compiler come with the base image. Those of the sanitizers, and nghttp2's, which a release
        # holds inside, are only in other builds.
        runtime = {"libc6", "libgcc-s1", "libasan8", "libubsan1", "libtsan2", "libnghttp2-14"}
        self.assertEqual(set(listed), needed - runtime)

    def test_every_file_that_its_build_copies_is_there(self):
        sources = [source for source in re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE) if not source.startswith("-")]
        self.assertTrue(sources)
        for source in sources:
            self.assertTrue((ROOT / source).exists(), source)


def needed_libraries(path):
    printed = subprocess.run(["readelf", "--dynamic", path], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", printed)


if __name__ == "__main__":
    unittest.main()
