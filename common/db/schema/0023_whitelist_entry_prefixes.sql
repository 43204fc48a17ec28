-- The log names the prefixes of the entries that a statement touched, beside their ids: whoever follows a list
-- reads again what it has under these prefixes, and not a million entries because one of them has changed. Ids
-- would not do, since an entry that has gone can't be asked what it was.
--
-- Only for a list that is in use: a draft is read as a whole when it is published, and a replaced one never.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER TABLE change ADD COLUMN prefixes cidr[];
ALTER TABLE change_pending ADD COLUMN prefixes cidr[];
COMMENT ON COLUMN change.prefixes IS
    'Kind whitelist_entry only: the old and new prefixes of what changed in the list, at most 10 000 (a call''s '
    'most); NULL = any.';

CREATE FUNCTION merge_prefixes(these cidr[], those cidr[]) RETURNS cidr[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT CASE WHEN count(*) <= 1000 THEN array_agg(prefix) END
              FROM (SELECT unnest(these) AS prefix UNION SELECT unnest(those)) AS touched);
END
$$;
COMMENT ON FUNCTION merge_prefixes(cidr[], cidr[]) IS
    'The union of what several statements of a transaction touched; NULL (= any) when either is NULL or the union '
    'is above 1000, so that ten thousand statements stay linear.';

CREATE OR REPLACE FUNCTION change_commit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    this_lane smallint;
    lane_head bigint;
    last      record;
BEGIN
    -- An acknowledged change is a durable one, whatever the session was set to.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- The first pending row's trigger does the work for all, lanes ascending: no two transactions deadlock.
    FOR this_lane IN SELECT DISTINCT lane FROM change_pending WHERE xid = pg_current_xact_id() ORDER BY lane LOOP
        SELECT head INTO STRICT lane_head FROM change_lane WHERE lane = this_lane FOR NO KEY UPDATE;

        WITH pending AS (
            DELETE FROM change_pending WHERE xid = pg_current_xact_id() AND lane = this_lane
            RETURNING company_id, kind, list_id, objects, prefixes),
        logged AS (
            INSERT INTO change (lane, seq, mark, kind, company_id, list_id, objects, prefixes, at)
            SELECT this_lane, lane_head + row_number() OVER (ORDER BY company_id, kind, list_id), random_mark(),
                   kind, nullif(company_id, '00000000-0000-0000-0000-000000000000'),
                   nullif(list_id, '00000000-0000-0000-0000-000000000000'), objects, prefixes, clock_timestamp()
              FROM pending
            RETURNING seq, mark)
        SELECT seq, mark INTO last FROM logged ORDER BY seq DESC LIMIT 1;

        UPDATE change_lane SET head = last.seq, mark = last.mark, writer = pg_current_xact_id()
         WHERE lane = this_lane;
    END LOOP;
    RETURN NULL;
END
$$;

-- Takes the place of what change_log_attach() made for the table.
DO $make$
DECLARE
    merge CONSTANT text := $sql$
            ON CONFLICT (xid, company_id, kind, list_id) DO UPDATE
               SET objects = latchkey.merge_objects(pending.objects, excluded.objects),
                   prefixes = latchkey.merge_prefixes(pending.prefixes, excluded.prefixes)
             WHERE (pending.objects IS NOT NULL AND (excluded.objects <@ pending.objects) IS NOT TRUE)
                OR (pending.prefixes IS NOT NULL AND (excluded.prefixes <@ pending.prefixes) IS NOT TRUE)$sql$;
    target CONSTANT text :=
        'latchkey.change_pending AS pending (xid, lane, company_id, kind, list_id, objects, prefixes)';
    ids CONSTANT text :=
        'CASE WHEN count(DISTINCT entry_id) BETWEEN 1 AND 100 THEN array_agg(DISTINCT entry_id) END';
    prefixes CONSTANT text := $sql$CASE WHEN count(DISTINCT cidr) BETWEEN 1 AND 10000
                         AND (SELECT state = 'used' FROM latchkey.whitelist_list l WHERE l.list_id = many.list_id)
                        THEN array_agg(DISTINCT cidr) END$sql$;
    touched CONSTANT text := 'SELECT company_id, list_id, entry_id, cidr FROM ';
    log CONSTANT text := $plpgsql$
        IF (SELECT count(*) FROM (SELECT FROM (%1$s) AS touched LIMIT 201) AS few) <= 200 THEN
            -- A usual write: plpgsql keeps this plan.
            INSERT INTO %2$s
            SELECT pg_current_xact_id(), latchkey.change_lane_of(company_id), company_id, 'whitelist_entry', list_id,
                   %3$s, %4$s
              FROM (%1$s) AS many GROUP BY company_id, list_id %5$s;
        ELSE
            -- Bulk: planned afresh for its size; nothing is gathered of a list of which very much was touched.
            EXECUTE $bulk$
            INSERT INTO %2$s
            SELECT pg_current_xact_id(), latchkey.change_lane_of(many.company_id), many.company_id, 'whitelist_entry',
                   many.list_id, %3$s, %4$s
              FROM (SELECT company_id, list_id, count(*) AS rows FROM (%1$s) AS touched GROUP BY 1, 2) AS many
              LEFT JOIN (SELECT company_id AS few_of, list_id AS few_in, entry_id, cidr FROM (%1$s) AS touched) AS few
                ON many.rows <= 20000 AND few_of = many.company_id AND few_in = many.list_id
             GROUP BY many.company_id, many.list_id %5$s $bulk$;
        END IF;$plpgsql$;
BEGIN
    EXECUTE format($create$
CREATE OR REPLACE FUNCTION latchkey.log_whitelist_entry() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $trigger$
BEGIN
    IF TG_OP = 'INSERT' THEN %1$s
    ELSIF TG_OP = 'UPDATE' THEN %2$s
    ELSIF TG_OP = 'DELETE' THEN %3$s
    ELSE %4$s
    END IF;
    RETURN NULL;
END
$trigger$ $create$,
        format(log, touched || 'new_rows', target, ids, prefixes, merge),
        format(log, touched || 'old_rows UNION ALL ' || touched || 'new_rows', target, ids, prefixes, merge),
        format(log, touched || 'old_rows', target, ids, prefixes, merge),
        format(log, 'SELECT DISTINCT company_id, list_id, NULL::uuid AS entry_id, NULL::cidr AS cidr'
                    ' FROM latchkey.whitelist_entry', target, ids, prefixes, merge));
END
$make$;
COMMENT ON FUNCTION log_whitelist_entry() IS
    'Notes what a statement changed in whitelist_entry: which entries, and under which prefixes.';

DROP FUNCTION changes_since(bigint[], integer);
CREATE FUNCTION changes_since(positions bigint[], max_rows integer)
    RETURNS TABLE (lane smallint, seq bigint, mark bigint, kind text, company_id uuid, list_id uuid,
                   objects uuid[], prefixes cidr[], at timestamptz)
    LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT c.lane, c.seq, c.mark, c.kind, c.company_id, c.list_id, c.objects, c.prefixes, c.at
      FROM unnest(positions) WITH ORDINALITY AS follower (seq, number),
           LATERAL (SELECT * FROM change
                     WHERE change.lane = (follower.number - 1)::smallint AND change.seq > follower.seq
                     ORDER BY change.lane, change.seq LIMIT max_rows) AS c
     ORDER BY c.lane, c.seq
$$;
COMMENT ON FUNCTION changes_since(bigint[], integer) IS
    'The changes after a follower''s positions (element lane + 1; NULL = not followed), at most max_rows of '
    'each lane, in order.';
GRANT EXECUTE ON FUNCTION changes_since(bigint[], integer) TO latchkey_validator;
