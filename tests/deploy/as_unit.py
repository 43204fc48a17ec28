#!/usr/bin/python3
"""as_unit.py UNIT-FILE: becomes what the unit starts, as systemd would run it, as far as that needs no systemd: its user and
nothing of root, its state directory, its limits, and its filters of system calls, address families and memory. Needs root, and
python3-seccomp.
"""

import ctypes
import errno
import mmap
import os
import pwd
import resource
import shlex
import socket
import subprocess
import sys

import seccomp

_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _CAP_LAST = 38, 24, 40
_PROT_WRITE_EXEC = mmap.PROT_WRITE | mmap.PROT_EXEC


def read_unit(path):
    """{setting: [values]} of all sections."""
    settings = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, separator, value = line.strip().partition("=")
            if separator and not name.startswith("#"):
                settings.setdefault(name, []).append(value)
    return settings


def read_sets():
    """{"@group": its words, groups among them}, as this systemd has them."""
    sets, words = {}, []
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        word = line.strip()
        if line.startswith("@"):
            words = sets.setdefault(word, [])
        elif word and not word.startswith("#"):
            words.append(word)
    return sets


def expand(words, sets):
    calls = set()
    for word in words:
        calls |= expand(sets[word], sets) if word.startswith("@") else {word}
    return calls


def find_allowed(values):
    sets, allowed = read_sets(), set()
    for value in values:
        if value.startswith("~"):
            allowed -= expand(value[1:].split(), sets)
        else:
            allowed |= expand(value.split(), sets)
    return allowed | expand(["@default"], sets) | {"execve"}


def filter_system_calls(unit):
    families = {getattr(socket, name) for name in unit["RestrictAddressFamilies"][0].split()}
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in find_allowed(unit["SystemCallFilter"]):
        if name not in ("socket", "mmap", "mprotect") and seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:
            calls.add_rule(seccomp.ALLOW, name)
    for family in families:
        calls.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, family))
    for name in ("mmap", "mprotect"):
        for protection in (0, mmap.PROT_WRITE, mmap.PROT_EXEC):
            calls.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, _PROT_WRITE_EXEC, protection))
    calls.load()


def give_up_privileges(user):
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAP_LAST + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main(path):
    unit = read_unit(path)
    user = pwd.getpwnam(unit["User"][0])
    state = "/var/lib/" + unit["StateDirectory"][0]
    os.makedirs(state, exist_ok=True)
    os.chown(state, user.pw_uid, user.pw_gid)
    os.chmod(state, int(unit["StateDirectoryMode"][0], 8))
    os.umask(int(unit["UMask"][0], 8))
    limit = min(int(unit["LimitNOFILE"][0]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    command = shlex.split(unit["ExecStart"][0])
    os.chdir("/")
    give_up_privileges(user)
    filter_system_calls(unit)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1])
