"""What a change leaves in the database, to the row: two changes of one kind leave as much."""

from collections import Counter

# Of these the process writes by itself at any time.
_BY_THEMSELVES = {"request", "validator", "change_pending", "token_use", "whitelist_entry_use", "migration"}
_COUNTS = """
SELECT relname, (xpath('//rows/text()', query_to_xml(
           format('SELECT count(*) AS rows FROM latchkey.%I', relname), true, true, '')))[1]::text::bigint
  FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace AND relkind = 'r'
"""


class Effect:
    """effect = Effect(deployment); ...; effect.since(): table -> rows more, of every table that has gained or lost any.

    Rows that are only updated show in the change log, which has a row for what a transaction did to a list of objects,
    and in the audit log."""

    def __init__(self, deployment):
        self._deployment = deployment
        self._before = self._count()

    def since(self):
        now = self._count()
        return {table: now[table] - self._before[table] for table in now if now[table] != self._before[table]}

    def _count(self):
        rows = self._deployment.execute(_COUNTS)
        return Counter({table: count for table, count in rows if table not in _BY_THEMSELVES})
