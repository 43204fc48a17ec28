"""Who runs where, so that what is measured is the server and not the scheduler.

An attacker has machines of its own, and so has an honest client; here are two cores. The server, with its one loop, has the
first for itself: what the honest client loses there is what the server gives to the attackers. All others share the second,
attackers as SCHED_IDLE, so that the honest client runs as soon as it has something to do. Where that is allowed the server has
the best of niceness, and the honest client is SCHED_FIFO, before whatever else the machine is doing. The server is not: from one that
an attack keeps busy all the time, Linux takes the core for 50 ms of each second (sched_rt_runtime_us). The time without an attack is
taken in the same arrangement. With one core all share it, and the figures say little.
"""

import contextlib
import os

_CORES = sorted(os.sched_getaffinity(0))
LATENCY_MAX = 3  # times what it is while nobody attacks
_JUDGED_FROM_S = 30


def judge(case, ratio, seconds, most=LATENCY_MAX):
    """Of a full run: shorter ones have too few calls for a 99th percentile."""
    if seconds >= _JUDGED_FROM_S and len(_CORES) > 1:
        case.assertLessEqual(ratio, most, "the honest client's p99, by that of an idle server")


def _threads_of(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def give_to_server(pid):
    """The first core, before others, with the threads that it has, and those that it will make."""
    for thread in _threads_of(pid):
        os.sched_setaffinity(thread, {_CORES[0]})
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, thread, -20)


def share(pid):
    """Of whoever is no server."""
    for thread in _threads_of(pid):
        os.sched_setaffinity(thread, {_CORES[-1]})


def go_first():
    """This process, an honest client."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def give_way():
    """This process, an attacker."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
