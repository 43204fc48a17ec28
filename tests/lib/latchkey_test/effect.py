"""What a change leaves in the database, to the row: two changes of one kind leave as much, and none leaves anything at
another company's."""

from .cases import uuid_of_id

# Of these the process writes by itself at any time.
_BY_THEMSELVES = {"request", "validator", "change_pending", "token_use", "whitelist_entry_use"}
# Nor do lists count that were replaced: a sweeper takes them away whenever it likes.
_PRESENT_LIST = "list_id IN (SELECT list_id FROM latchkey.whitelist_list WHERE state <> 'replaced')"
_THAT_COUNT = {"whitelist_list": "state <> 'replaced'", "whitelist_entry": _PRESENT_LIST,
               "change": f"kind <> 'whitelist_entry' OR {_PRESENT_LIST}"}
_CONTENTS = """
SELECT relname, (xpath('//rows/text()', query_to_xml(format(
           'SELECT coalesce(md5(string_agg(t::text, %L ORDER BY t::text)), %L) AS rows FROM latchkey.%I t WHERE company_id = %L',
           '', 'none', relname, '{company}'), true, true, '')))[1]::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped
 WHERE relnamespace = 'latchkey'::regnamespace AND relkind = 'r'
"""


def rows_of(execute, company_id):
    """Table -> a digest of all its rows of one company. `execute` runs a statement as somebody who sees them."""
    rows = execute(_CONTENTS.replace("{company}", uuid_of_id(company_id)))
    return {table: digest for table, digest in rows if table not in _BY_THEMSELVES}


class Effect:
    """effect = Effect(deployment); ...; effect.since(): table -> rows more, of every table that has gained or lost any.

    Rows that are only updated show in the change log, which has a row for what a transaction did to a list of objects,
    and in the audit log."""

    def __init__(self, deployment):
        self._deployment = deployment
        self._counts = self._make_counts()
        self._before = self._count()

    def since(self):
        now = self._count()
        return {table: now[table] - self._before[table] for table in now if now[table] != self._before[table]}

    def _count(self):
        return dict(self._deployment.execute(self._counts))

    def _make_counts(self):
        tables = self._deployment.execute("SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace"
                                          " AND relkind = 'r'")
        return " UNION ALL ".join(
            f"SELECT '{table}', count(*) FROM latchkey.{table} WHERE {_THAT_COUNT.get(table, 'true')}"
            for table, in tables if table not in _BY_THEMSELVES)
