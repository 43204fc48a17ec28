"""Who runs where, so that what is measured is the server and not the scheduler.

An attacker has machines of its own, and so has an honest client; here are two cores. The server, with its one loop, has the
first for itself: what the honest client loses there is what the server gives to the attackers. All others share the second,
attackers as SCHED_IDLE, so that the honest client runs as soon as it has something to do. Where that is allowed the honest
client and the server are SCHED_FIFO, before whatever else the machine is doing; of a server's threads one lets the other run
when it has handed over to it. The time without an attack is taken in the same arrangement. With one core all share it, and the figures say
little.
"""

import contextlib
import os

_CORES = sorted(os.sched_getaffinity(0))
LATENCY_MAX = 3  # times what it is while nobody attacks
_JUDGED_FROM_S = 30


def judge(case, ratio, seconds):
    """Of a full run: shorter ones have too few calls for a 99th percentile."""
    if seconds >= _JUDGED_FROM_S and len(_CORES) > 1:
        case.assertLessEqual(ratio, LATENCY_MAX, "the honest client's p99, by that of an idle server")


def _threads_of(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def give_to_server(pid):
    """With the threads that it has, and those that it will make."""
    for thread in _threads_of(pid):
        os.sched_setaffinity(thread, {_CORES[0]})


def share(pid):
    """Of whoever is no server."""
    for thread in _threads_of(pid):
        os.sched_setaffinity(thread, {_CORES[-1]})


def go_first(pid=0):
    """Before all others; 0 is this process."""
    with contextlib.suppress(PermissionError):
        for thread in _threads_of(pid or os.getpid()):
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))


def give_way():
    """This process, an attacker."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
