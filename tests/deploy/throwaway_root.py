"""This machine's system as it is, on which packages can be installed for a test: what is written goes to memory, and is gone
with the object. Needs root.

    with ThrowawayRoot() as root:
        root.run("dpkg", "--install", root.take(package))
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_MOUNT = """
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
echo mounted
read -r _
"""


class ThrowawayRoot:
    def __init__(self):
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-root-"))
        self._holder = None  # of the mounts: they end with it

    def __enter__(self):
        self._holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, "sh", self._directory],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._holder.stdout.readline() != "mounted\n":
            error = self._holder.communicate()[1]
            shutil.rmtree(self._directory, ignore_errors=True)
            raise OSError(error.strip())
        return self

    def __exit__(self, *_):
        self._holder.communicate()
        shutil.rmtree(self._directory, ignore_errors=True)

    def command(self, *command):
        """The command that runs another one there."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "chroot", str(self._directory / "root"), *map(str, command)]

    def run(self, *command, check=True, **environment):
        """The finished process, with all its output as text, and of our variables those alone that are given."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
        done = subprocess.run(self.command(*command), env={**inherited, **environment}, stdin=subprocess.DEVNULL, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}")
        return done

    def take(self, path):
        """Copies a file of ours there; its path there."""
        self.write(f"/root/{path.name}", path.read_bytes())
        return f"/root/{path.name}"

    def write(self, path, data):
        subprocess.run(self.command("tee", path), input=data, stdout=subprocess.DEVNULL, check=True)

    def read(self, path):
        return subprocess.run(self.command("cat", path), stdout=subprocess.PIPE, check=True).stdout.decode()
