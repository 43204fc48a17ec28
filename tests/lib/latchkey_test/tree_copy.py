"""The tree somewhere else, as a user has it who has just cloned it."""

import subprocess

from .paths import ROOT


def copy_tree(to):
    """What git tracks, as it is in the work tree; nothing that a build or an earlier run has left."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["cp", "--parents", "--no-dereference", "--target-directory", to,
                    *filter(None, names.decode().split("\0"))], cwd=ROOT, check=True)
