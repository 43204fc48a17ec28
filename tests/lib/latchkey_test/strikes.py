"""A change that is struck in the middle: where exactly, and what is killed there.

    strike = Strike(BEFORE, victim.kill)
    strike.arm(tap, deployment, before=trip)
    ...             # the call
    strike.end()    # what had to be held for it goes on

Nothing here waits for time to pass: each point is held until the victim is dead.
"""

from dataclasses import dataclass

from .tap import COMMIT
from .waiting import wait_until


@dataclass(frozen=True)
class Point:
    """`is_commit_sent`: the server has sent its COMMIT, so that it can't know. `is_kept`: whether the change is there when
    PostgreSQL has come back from a crash at this point."""

    name: str
    is_commit_sent: bool
    is_kept: bool

    def __str__(self):
        return self.name


BEFORE = Point("before COMMIT is sent", False, False)
# The trip that ends with COMMIT begins with the events of the audit log; that is where PostgreSQL is held.
ON_THE_WAY = Point("COMMIT is sent, and PostgreSQL at work before it", True, False)
COMMITTING = Point("COMMIT is on the disk, and not answered", True, True)
COMMITTED = Point("COMMIT is answered, and the answer has not come", True, True)
POINTS = (BEFORE, ON_THE_WAY, COMMITTING, COMMITTED)


class Strike:
    """One blow at that point: kill(line) falls when PostgreSQL has come exactly so far."""

    def __init__(self, point, kill):
        self._point = point
        self._kill = kill
        self._deployment = None
        self._lock = None

    def arm(self, tap, deployment, before, **first):
        """At the next transaction behind the tap (tap.arm() says which); `before`: the trip that is struck before COMMIT."""
        self._deployment = deployment
        trip = before if self._point is BEFORE else COMMIT
        tap.arm(trip, True, self._fall, self._hold, withholds=self._point in (BEFORE, COMMITTED), **first)

    def end(self):
        """Once PostgreSQL runs: what was held goes on, where it has outlived the blow."""
        if self._point is COMMITTING:
            self._deployment.postgres.let_commits_end()
        if self._lock is not None:
            self._lock.close()

    def _hold(self, _):
        if self._point is COMMITTING:
            self._deployment.postgres.hold_commits()
        if self._point is ON_THE_WAY:
            self._lock = self._deployment.connect()
            self._lock.autocommit = False
            self._lock.cursor().execute("LOCK TABLE latchkey.audit_event IN SHARE MODE")

    def _fall(self, line):
        postgres = self._deployment.postgres
        if self._point is COMMITTING:
            wait_until(lambda: postgres.is_waiting(line.backend, "SyncRep"), 30, "COMMIT to be on the disk")
        elif self._point is ON_THE_WAY:
            wait_until(lambda: postgres.is_waiting(line.backend, "Lock"), 30, "PostgreSQL to be at work")
        else:
            line.wait_for_answer()
        self._kill(line)
