-- The ordered change log. Everything downstream rests on it: validators, revisions, read-your-writes.
--
-- In each lane the rows of `change` are numbered 1, 2, 3, ... in the order in which their transactions
-- became visible: no gaps, no reordering. A transaction draws its number as the very last thing before
-- it commits, and holds the lane's row until it has committed. Nobody can forget to, since triggers do it:
--
--     a statement changes rows of a logged table
--         -> its statement trigger sums up the transition tables into one row of change_pending per
--            transaction, company, kind and list (more statements: merged into the same row);
--     the transaction commits, or calls change_flush()
--         -> the deferred constraint trigger of change_pending takes the lanes in ascending order,
--            turns the pending rows into rows of `change`, and the commit follows.
--
-- why not simpler: a trigger per row is quadratic (80 000 rows took 56 s; a million rows this way take
-- about as long as without the log), and a number drawn earlier than at commit would hold the lane for as
-- long as the transaction lasts, or, drawn from a sequence, would become visible out of order.
--
-- Writing transactions run at READ COMMITTED: at a higher level a lane moved by another since the snapshot
-- is a serialization failure (40001), which is safe but has to be tried again.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION random_mark() RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL SAFE
-- why: core PostgreSQL's only strong random source is the version 4 UUID; the digits left out are the fixed ones.
RETURN (SELECT ('x' || left(digits, 12) || substr(digits, 18, 4))::bit(64)::bigint
          FROM replace(gen_random_uuid()::text, '-', '') AS digits);
COMMENT ON FUNCTION random_mark() IS '64 random bits.';

-- ---------------------------------------------------------------------------------------------------
-- The log

CREATE TABLE change_lane (
    lane   smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 64),
    head   bigint NOT NULL,
    mark   bigint NOT NULL,
    writer xid8 NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE change_lane IS
    'One counter per lane: companies share 0..63 by hash, 64 belongs to the deployment. The row''s lock is '
    'the lane.';
COMMENT ON COLUMN change_lane.head IS 'seq of the newest change in the lane; 0 = none yet.';
COMMENT ON COLUMN change_lane.mark IS 'mark of that change.';
COMMENT ON COLUMN change_lane.writer IS
    'The transaction that moved the lane last: how change_flush() finds its own.';

CREATE TABLE change (
    lane       smallint NOT NULL,
    seq        bigint NOT NULL,
    mark       bigint NOT NULL,
    kind       text NOT NULL,
    company_id uuid,
    list_id    uuid,
    objects    uuid[],
    at         timestamptz NOT NULL,
    PRIMARY KEY (lane, seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
COMMENT ON TABLE change IS
    'The log. A follower re-reads the rows that a change names as they are now, so that applying twice, or '
    'late, is harmless.';
COMMENT ON COLUMN change.seq IS
    'Position in the lane, from 1 without gaps. Row 0 is the lane''s origin, kind ''origin''.';
COMMENT ON COLUMN change.mark IS '64 random bits: the same position with another mark is another history.';
COMMENT ON COLUMN change.kind IS
    'company, member (also its roles), role, token (also its secrets), whitelist (settings and pointer), '
    'whitelist_entry, permission (lane 64).';
COMMENT ON COLUMN change.company_id IS 'Whose; NULL in lane 64.';
COMMENT ON COLUMN change.list_id IS
    'Kind whitelist_entry only: which list; of no interest while that is not the live one.';
COMMENT ON COLUMN change.objects IS
    'Ids of what was made, changed or removed, at most 100; NULL = anything of this kind in the company (or '
    'in the list).';

INSERT INTO change_lane (lane, head, mark, writer)
SELECT lane, 0, random_mark(), pg_current_xact_id() FROM generate_series(0, 64) AS lane;
INSERT INTO change (lane, seq, mark, kind, at) SELECT lane, 0, mark, 'origin', now() FROM change_lane;

-- ---------------------------------------------------------------------------------------------------
-- Pending rows: what the transactions now running have changed so far

-- why unlogged: a pending row never outlives its transaction, so there is nothing to recover.
CREATE UNLOGGED TABLE change_pending (
    xid        xid8 NOT NULL,
    lane       smallint NOT NULL,
    company_id uuid NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    list_id    uuid NOT NULL,
    objects    uuid[],
    PRIMARY KEY (xid, company_id, kind, list_id)
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE change_pending IS
    'Changes of running transactions; the zero UUID stands for none, so that the key holds. Empty for '
    'everybody who looks from outside.';

CREATE FUNCTION change_lane_of(company uuid) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN company = '00000000-0000-0000-0000-000000000000' THEN 64 ELSE company_lane(company) END;
COMMENT ON FUNCTION change_lane_of(uuid) IS 'The lane of a company, or 64 for the zero UUID: the deployment.';

CREATE FUNCTION merge_objects(these uuid[], those uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT CASE WHEN count(*) <= 100 THEN array_agg(object_id) END
              FROM (SELECT unnest(these) AS object_id UNION SELECT unnest(those)) AS object);
END
$$;
COMMENT ON FUNCTION merge_objects(uuid[], uuid[]) IS
    'The union of two lists of objects; NULL (= anything) when either is NULL or the union is above 100.';

CREATE FUNCTION change_commit() RETURNS trigger
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
            RETURNING company_id, kind, list_id, objects),
        logged AS (
            INSERT INTO change (lane, seq, mark, kind, company_id, list_id, objects, at)
            SELECT this_lane, lane_head + row_number() OVER (ORDER BY company_id, kind, list_id), random_mark(),
                   kind, nullif(company_id, '00000000-0000-0000-0000-000000000000'),
                   nullif(list_id, '00000000-0000-0000-0000-000000000000'), objects, clock_timestamp()
              FROM pending
            RETURNING seq, mark)
        SELECT seq, mark INTO last FROM logged ORDER BY seq DESC LIMIT 1;

        UPDATE change_lane SET head = last.seq, mark = last.mark, writer = pg_current_xact_id()
         WHERE lane = this_lane;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION change_commit() IS
    'Turns this transaction''s pending rows into rows of the log. Takes the lanes: nothing may be locked '
    'after it.';

CREATE CONSTRAINT TRIGGER change_at_commit AFTER INSERT ON change_pending
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_commit();
ALTER TABLE change_pending ENABLE ALWAYS TRIGGER change_at_commit;

CREATE FUNCTION change_flush() RETURNS TABLE (lane smallint, seq bigint, mark bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN QUERY SELECT l.lane, l.head, l.mark FROM change_lane l
                  WHERE l.writer = pg_current_xact_id_if_assigned() ORDER BY l.lane;
END
$$;
COMMENT ON FUNCTION change_flush() IS
    'The last statement before COMMIT: logs what is pending now and returns the position that this '
    'transaction reached in each lane it touched. From here to COMMIT the lanes are held.';
GRANT EXECUTE ON FUNCTION change_flush() TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Attaching a table to the log

CREATE FUNCTION change_log_statement(kind text, touched text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
SELECT format($plpgsql$
        IF (SELECT count(*) FROM (SELECT FROM (%1$s) AS touched LIMIT 201) AS few) <= 200 THEN
            -- A usual write: plpgsql keeps this plan.
            INSERT INTO latchkey.change_pending AS pending (xid, lane, company_id, kind, list_id, objects)
            SELECT pg_current_xact_id(), latchkey.change_lane_of(company_id), company_id, %2$L, list_id,
                   CASE WHEN count(DISTINCT object_id) BETWEEN 1 AND 100 THEN array_agg(DISTINCT object_id) END
              FROM (%1$s) AS touched GROUP BY company_id, list_id %3$s;
        ELSE
            -- Bulk: planned afresh for its size; ids are gathered only where a company has few.
            EXECUTE $bulk$
            INSERT INTO latchkey.change_pending AS pending (xid, lane, company_id, kind, list_id, objects)
            SELECT pg_current_xact_id(), latchkey.change_lane_of(many.company_id), many.company_id, %2$L,
                   many.list_id, CASE WHEN count(DISTINCT few.object_id) BETWEEN 1 AND 100
                                      THEN array_agg(DISTINCT few.object_id) END
              FROM (SELECT company_id, list_id, count(*) AS rows FROM (%1$s) AS touched GROUP BY 1, 2) AS many
              LEFT JOIN (%1$s) AS few
                ON many.rows <= 200 AND few.company_id = many.company_id AND few.list_id = many.list_id
             GROUP BY many.company_id, many.list_id %3$s $bulk$;
        END IF;$plpgsql$, touched, kind,
    -- why the condition: once everything is meant, or these ids are there, no further version of the row is
    -- written; so ten thousand statements in one transaction stay linear.
    $sql$
            ON CONFLICT (xid, company_id, kind, list_id) DO UPDATE
               SET objects = latchkey.merge_objects(pending.objects, excluded.objects)
             WHERE pending.objects IS NOT NULL AND (excluded.objects <@ pending.objects) IS NOT TRUE$sql$)
$function$;
COMMENT ON FUNCTION change_log_statement(text, text) IS
    'The part of a logging trigger function that sums up a query over touched rows (company_id, list_id, '
    'object_id) into change_pending.';

CREATE PROCEDURE change_log_attach(logged_table name, kind text, object text DEFAULT 'NULL',
                                   company text DEFAULT 'company_id', list text DEFAULT 'NULL')
    LANGUAGE plpgsql SET search_path = pg_catalog, latchkey, pg_temp
AS $procedure$
DECLARE
    zero    CONSTANT text := quote_literal('00000000-0000-0000-0000-000000000000') || '::uuid';
    scope   CONSTANT text := format('coalesce((%s)::uuid, %s) AS company_id, coalesce((%s)::uuid, %2$s) AS list_id',
                                    company, zero, list);
    touched CONSTANT text := format('SELECT %s, (%s)::uuid AS object_id FROM ', scope, object);
    event   text;
BEGIN
    EXECUTE format($create$
CREATE FUNCTION latchkey.%1$I() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $trigger$
BEGIN
    IF TG_OP = 'INSERT' THEN %2$s
    ELSIF TG_OP = 'UPDATE' THEN %3$s
    ELSIF TG_OP = 'DELETE' THEN %4$s
    ELSE %5$s
    END IF;
    RETURN NULL;
END
$trigger$ $create$,
        'log_' || logged_table,
        change_log_statement(kind, touched || 'new_rows'),
        change_log_statement(kind, touched || 'old_rows UNION ALL ' || touched || 'new_rows'),
        change_log_statement(kind, touched || 'old_rows'),
        change_log_statement(kind, format('SELECT DISTINCT %s, NULL::uuid AS object_id FROM latchkey.%I',
                                          scope, logged_table)));
    EXECUTE format('COMMENT ON FUNCTION latchkey.%I() IS %L', 'log_' || logged_table,
                   format('Made by change_log_attach: notes what a statement changed in %s.', logged_table));

    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete', 'truncate'] LOOP
        EXECUTE format('CREATE TRIGGER change_log_%1$s %2$s %1$s ON latchkey.%3$I %4$s '
                    || 'FOR EACH STATEMENT EXECUTE FUNCTION latchkey.%5$I()',
                       event,
                       -- BEFORE TRUNCATE: while it can still be seen whose rows go.
                       CASE event WHEN 'truncate' THEN 'BEFORE' ELSE 'AFTER' END,
                       logged_table,
                       CASE event WHEN 'insert' THEN 'REFERENCING NEW TABLE AS new_rows'
                                  WHEN 'update' THEN 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'
                                  WHEN 'delete' THEN 'REFERENCING OLD TABLE AS old_rows'
                                  ELSE '' END,
                       'log_' || logged_table);
        -- Also under session_replication_role = replica.
        EXECUTE format('ALTER TABLE latchkey.%I ENABLE ALWAYS TRIGGER change_log_%s', logged_table, event);
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE change_log_attach(name, text, text, text, text) IS
    'Logs every change of a table as `kind`. object, company and list are SQL expressions over its columns. '
    'For migrations.';

CALL change_log_attach('company',         'company',         'company_id');
CALL change_log_attach('member',          'member',          'member_id');
CALL change_log_attach('member_role',     'member',          'member_id');
CALL change_log_attach('role',            'role',            'role_id');
CALL change_log_attach('token',           'token',           'token_id');
CALL change_log_attach('token_secret',    'token',           'token_id');
CALL change_log_attach('whitelist',       'whitelist',       'company_id');
CALL change_log_attach('whitelist_entry', 'whitelist_entry', 'entry_id', list => 'list_id');
CALL change_log_attach('permission',      'permission',      company => 'NULL');

-- ---------------------------------------------------------------------------------------------------
-- Reading

CREATE FUNCTION changes_since(positions bigint[], max_rows integer)
    RETURNS TABLE (lane smallint, seq bigint, mark bigint, kind text, company_id uuid, list_id uuid,
                   objects uuid[], at timestamptz)
    LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT c.lane, c.seq, c.mark, c.kind, c.company_id, c.list_id, c.objects, c.at
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
