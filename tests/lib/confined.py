#!/usr/bin/python3
"""confined.py PROGRAM ARGUMENT...: becomes the program as a container platform would run it at its strictest, and a little
stricter: as nobody, without a capability or the way to one, on a file system that can't be written, and with no other system
calls than those below. All of them are in the default seccomp profile of containerd and CRI-O (RuntimeDefault in Kubernetes),
which answers clone3 with ENOSYS, too.

Needs root, to become less than that; and python3-seccomp.
"""

import ctypes
import errno
import os
import subprocess
import sys

import seccomp

_NOBODY = 65534
_CLONE_NEWNS = 0x20000
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _CAP_LAST = 38, 24, 63

SYSTEM_CALLS = """
    accept4 access arch_prctl bind brk clock_gettime clock_nanosleep clone close connect dup dup2 epoll_create1 epoll_ctl
    epoll_pwait epoll_wait eventfd2 execve exit exit_group fcntl fstat fstatfs futex getcwd getdents64 getegid geteuid getgid
    getpeername getpid getrandom getrlimit getsockname getsockopt gettid getuid ioctl kill listen lseek madvise mmap mprotect
    mremap munmap nanosleep newfstatat open openat pipe2 poll ppoll prctl pread64 prlimit64 pwrite64 read readlink recvfrom
    recvmmsg recvmsg restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait sched_getaffinity
    sched_yield select sendmmsg sendmsg sendto set_robust_list set_tid_address setsockopt shutdown sigaltstack socket
    socketpair stat statfs sysinfo tgkill uname unlink wait4 write writev
""".split()


def make_read_only():
    """Every mount of this process's own view; those of the kernel that can't be are no files."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        targets = [line.split()[1] for line in mounts]
    for target in targets:
        subprocess.run(["mount", "-o", "remount,bind,ro", target], check=False, stderr=subprocess.DEVNULL)
    try:
        os.close(os.open("/tmp/confined", os.O_CREAT | os.O_WRONLY))
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return
    raise AssertionError("the file system can still be written")


def give_up_privileges():
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAP_LAST + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def filter_system_calls():
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in SYSTEM_CALLS:
        calls.add_rule(seccomp.ALLOW, name)
    calls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    calls.load()


if __name__ == "__main__":
    make_read_only()
    give_up_privileges()
    filter_system_calls()
    os.execv(sys.argv[1], sys.argv[1:])
