"""Makes calls wait where a change of the same row would make them.

    with RowLock(deployment, f"token WHERE token_id = '{token}'") as lock:
        ...   # begin calls in threads
        lock.wait_for_others(2)
        lock.release()
"""

from .waiting import wait_until


class RowLock:
    def __init__(self, deployment, row, strength="NO KEY UPDATE"):
        """With UPDATE also those wait who make something that refers to the row."""
        self._deployment = deployment
        self._row = row
        self._strength = strength
        self._connection = None

    def __enter__(self):
        self._connection = self._deployment.connect()
        self._connection.autocommit = False
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT FROM latchkey.{self._row} FOR {self._strength}")
            assert cursor.rowcount == 1, self._row
        return self

    def __exit__(self, *_):
        self._connection.close()

    def wait_for_others(self, count):
        """Until so many transactions of this database wait for a lock."""
        wait_until(lambda: self._deployment.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ) == [(count,)], 20, f"{count} to wait for the lock")

    def release(self, statement="SELECT"):
        """Those who wait go on where this has been committed."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
        self._connection.commit()
