-- Which changes were lost, by their marks: whoever comes with memory of some of them after the loss was settled (it
-- was down, or is fed by another validator) is told that they are given up, and does not report them again.
--
-- A memory that ends with one of those marks has nothing in that lane that the report did not know, but what came
-- before: so the last change before them that is in the database stands beside them, and is looked for, too.
--
-- Who is fed by another validator has no way to the database, and not all that a comparison takes. It tells what ended
-- somebody's access in its memory, and what of that is otherwise here is found out here.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE lost_mark (
    report_id uuid NOT NULL REFERENCES loss_report ON DELETE CASCADE,
    lane      smallint NOT NULL CHECK (lane BETWEEN 0 AND 64),
    seq       bigint NOT NULL CHECK (seq >= 0),
    mark      bigint NOT NULL,
    is_lost   boolean NOT NULL,
    PRIMARY KEY (report_id, lane, seq)
);
COMMENT ON TABLE lost_mark IS 'The changes that the validator behind a report knew in the lanes that lost some.';
COMMENT ON COLUMN lost_mark.is_lost IS
    'False: the last one before the lost ones, which the database has; seq 0: the beginning.';
CREATE INDEX lost_mark_idx ON lost_mark (lane, seq, mark) WHERE is_lost;

CREATE FUNCTION history_has(lane smallint, seq bigint, mark bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT CASE WHEN $2 = 0 AND ($3 = 0 OR l.head > 0) THEN true
                WHEN $2 > l.head THEN false
                WHEN $2 = l.head THEN $3 = l.mark
                ELSE (SELECT c.mark = $3 FROM change c WHERE c.lane = $1 AND c.seq = $2) END
      FROM change_lane l WHERE l.lane = $1
$$;
COMMENT ON FUNCTION history_has(smallint, bigint, bigint) IS
    'Whether that change is in the history; seq 0 with mark 0: the beginning of any. NULL: the log does not reach '
    'back so far.';

-- Of a lane whose position is not in the history: what is left of it once a loss was settled that includes it. Own
-- reports count without the change before, which whoever made them may not remember. For a memory that can be
-- compared as a whole only reports count that were: of the others an operator has not seen all that it may know.
CREATE FUNCTION loss_find_settled(report uuid, lane smallint, seq bigint, mark bigint, compares boolean,
                                  OUT before_seq bigint, OUT before_mark bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT coalesce(b.seq, 0), coalesce(b.mark, 0)
      FROM lost_mark m
      JOIN loss_report r ON r.report_id = m.report_id AND r.settled_at IS NOT NULL
      LEFT JOIN LATERAL (SELECT b.seq, b.mark FROM lost_mark b
                          WHERE b.report_id = m.report_id AND b.lane = m.lane AND NOT b.is_lost
                          ORDER BY b.seq DESC LIMIT 1) b ON true
     WHERE m.is_lost AND m.lane = $2 AND m.seq = $3 AND m.mark = $4
       AND (m.report_id = $1
            OR ((r.compared_at IS NOT NULL OR NOT $5) AND history_has(m.lane, b.seq, b.mark)))
     ORDER BY b.seq DESC NULLS LAST LIMIT 1
$$;
COMMENT ON FUNCTION loss_find_settled(uuid, smallint, bigint, bigint, boolean) IS
    'The last change before a settled loss that includes this one. NULL: there is no such loss.';

DROP FUNCTION loss_report_keep(uuid, text, bigint[], bigint[]);
CREATE FUNCTION loss_report_keep(report uuid, validator text, positions bigint[], marks bigint[],
                                 compares boolean DEFAULT true,
                                 OUT compared boolean, OUT settled boolean, OUT lost smallint[],
                                 OUT back_to bigint[], OUT back_marks bigint[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    -- Per lane: is the position in the history, and if not, what is left of it since that was settled?
    has boolean[];
    is_covered boolean;
    is_known boolean;
BEGIN
    -- why before the marks: somebody may settle it meanwhile, and then these have to be seen.
    SELECT r.compared_at IS NOT NULL OR r.failure <> '', r.settled_at IS NOT NULL
      INTO compared, settled FROM loss_report r WHERE r.report_id = $1;
    is_known := FOUND;

    SELECT array_agg(history_has(l.lane, $3[l.lane + 1], $4[l.lane + 1]) ORDER BY l.lane),
           array_agg(s.before_seq ORDER BY l.lane), array_agg(s.before_mark ORDER BY l.lane)
      INTO has, back_to, back_marks
      FROM change_lane l
      LEFT JOIN LATERAL loss_find_settled($1, l.lane, $3[l.lane + 1], $4[l.lane + 1], $5) s
             ON NOT history_has(l.lane, $3[l.lane + 1], $4[l.lane + 1]);
    SELECT coalesce(array_agg(l.lane ORDER BY l.lane), '{}') INTO lost
      FROM change_lane l WHERE NOT has[l.lane + 1];

    is_covered := NOT EXISTS (SELECT FROM unnest(lost) AS lane WHERE back_to[lane + 1] IS NULL);

    IF is_known AND (is_covered OR NOT settled OR NOT EXISTS (SELECT FROM lost_mark m WHERE m.report_id = $1)) THEN
        RETURN;
    END IF;
    compared := false;
    settled := is_covered AND cardinality(lost) > 0;
    IF settled THEN
        RETURN;
    END IF;
    INSERT INTO loss_report (report_id, validator, positions, heads, lanes, reported_at)
    SELECT $1, $2, $3, array_agg(l.head ORDER BY l.lane), lost, clock_timestamp() FROM change_lane l
        -- Settled, and more was lost before its validator came back: the same once more.
        ON CONFLICT (report_id) DO UPDATE SET heads = excluded.heads, lanes = excluded.lanes, compared_at = NULL,
                                              reported_at = excluded.reported_at, failure = '', settled_at = NULL;
    INSERT INTO lost_mark (report_id, lane, seq, mark, is_lost)
    SELECT $1, lane, $3[lane + 1], $4[lane + 1], true FROM unnest(lost) AS lane
        ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION loss_report_keep(uuid, text, bigint[], bigint[], boolean) IS
    'Reports a loss, unless it has been, or is settled already: positions and their marks are the validator''s. '
    'compares: its memory can be compared with the rows as a whole. '
    'compared: its memory has been, or could not be. lost: the lanes whose position is not in the history. '
    'back_to: of each lane that was lost and is settled the last change before; NULL in the others.';
GRANT EXECUTE ON FUNCTION loss_report_keep(uuid, text, bigint[], bigint[], boolean) TO latchkey_validator;

CREATE FUNCTION loss_report_check(report uuid, validator text, positions bigint[], marks bigint[],
                                  OUT compared boolean, OUT settled boolean, OUT lost smallint[],
                                  OUT back_to bigint[], OUT back_marks bigint[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    lost_now smallint[];
BEGIN
    SELECT coalesce(array_agg(l.lane ORDER BY l.lane), '{}') INTO lost_now
      FROM change_lane l WHERE NOT history_has(l.lane, $3[l.lane + 1], $4[l.lane + 1]);
    IF lost_now = '{}' THEN
        -- Found again, all of them: whoever lost nothing has nothing to report.
        IF NOT EXISTS (SELECT FROM change_lane l
                        WHERE history_has(l.lane, $3[l.lane + 1], $4[l.lane + 1]) IS NULL) THEN
            DELETE FROM loss_report r WHERE r.report_id = $1 AND r.settled_at IS NULL;
        END IF;
        IF NOT EXISTS (SELECT FROM loss_report r WHERE r.report_id = $1) THEN
            compared := false;
            settled := false;
            lost := lost_now;
            RETURN;
        END IF;
    -- why that is enough: what ends with a mark of an open report has nothing that this report does not tell.
    ELSIF NOT EXISTS (SELECT FROM unnest(lost_now) AS lane
                       WHERE NOT EXISTS (SELECT FROM lost_mark m JOIN loss_report r USING (report_id)
                                          WHERE m.is_lost AND m.lane = lane.lane AND m.seq = $3[lane.lane + 1]
                                            AND m.mark = $4[lane.lane + 1] AND r.report_id <> $1
                                            AND r.settled_at IS NULL AND r.compared_at IS NOT NULL)) THEN
        compared := true;
        settled := false;
        lost := lost_now;
        RETURN;
    END IF;
    SELECT k.compared, k.settled, k.lost, k.back_to, k.back_marks INTO compared, settled, lost, back_to, back_marks
      FROM loss_report_keep($1, $2, $3, $4, false) k;
END
$$;
COMMENT ON FUNCTION loss_report_check(uuid, text, bigint[], bigint[]) IS
    'For one that is fed and asks whether its positions are in the history: as loss_report_keep(), but lost is '
    'empty, and nothing is reported, where they are; nor where others have reported all that it knows.';
GRANT EXECUTE ON FUNCTION loss_report_check(uuid, text, bigint[], bigint[]) TO latchkey_validator;

CREATE FUNCTION loss_report_is_open(report uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, latchkey, pg_temp
AS $$ SELECT EXISTS (SELECT FROM loss_report r WHERE r.report_id = $1 AND r.settled_at IS NULL) $$;

CREATE FUNCTION loss_report_know(report uuid, lanes bigint[], seqs bigint[], marks bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH known AS MATERIALIZED (
        SELECT k.lane::smallint, k.seq, k.mark, history_has(k.lane::smallint, k.seq, k.mark) AS is_here
          FROM unnest($2, $3, $4) AS k (lane, seq, mark) WHERE loss_report_is_open($1)),
    before AS (
        SELECT DISTINCT ON (lane) lane, seq, mark FROM known WHERE is_here ORDER BY lane, seq DESC)
    INSERT INTO lost_mark (report_id, lane, seq, mark, is_lost)
    SELECT $1, lane, seq, mark, true FROM known WHERE NOT is_here
     UNION ALL
    SELECT $1, lane, seq, mark, false FROM before
     UNION ALL
    SELECT $1, lane, 0, 0, false FROM known WHERE NOT is_here AND seq = 1
        ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION loss_report_know(uuid, bigint[], bigint[], bigint[]) IS
    'Which changes the validator behind an open report remembers, the newest of a lane, without gaps: those that '
    'are lost are kept, and the last one before them. Again is harmless.';
GRANT EXECUTE ON FUNCTION loss_report_know(uuid, bigint[], bigint[], bigint[]) TO latchkey_validator;

CREATE FUNCTION loss_report_claim(report uuid, what text[], companies uuid[], objects uuid[], until timestamptz[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    INSERT INTO lost_change (report_id, what, company_id, object_id, until)
    SELECT $1, told.what, told.company, told.object, nullif(told.until, 'infinity')
      FROM unnest($2, $3, $4, $5) AS told (what, company, object, until)
      LEFT JOIN token t ON t.company_id = told.company AND t.token_id = told.object AND t.deactivated_at IS NULL
      LEFT JOIN member m ON m.company_id = told.company AND m.member_id = told.object AND m.removed_at IS NULL
      LEFT JOIN company c ON c.company_id = told.company AND c.company_id = told.object AND NOT c.suspended
     WHERE loss_report_is_open($1) AND CASE told.what
           WHEN 'token.deactivated' THEN t.token_id IS NOT NULL
           WHEN 'token.suspended' THEN t.token_id IS NOT NULL
                AND NOT (t.suspended AND coalesce(t.suspended_until, 'infinity') >= told.until)
           WHEN 'token.expiry_shortened' THEN t.token_id IS NOT NULL
                AND coalesce(t.expires_at, 'infinity') > told.until
           WHEN 'member.removed' THEN m.member_id IS NOT NULL
           WHEN 'company.suspended' THEN c.company_id IS NOT NULL
           END
        ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION loss_report_claim(uuid, text[], uuid[], uuid[], timestamptz[]) IS
    'Adds what ended somebody''s access in the memory behind an open report, where the database has it otherwise.';
GRANT EXECUTE ON FUNCTION loss_report_claim(uuid, text[], uuid[], uuid[], timestamptz[]) TO latchkey_validator;

-- ---------------------------------------------------------------------------------------------------
-- Who lags behind a feeder

ALTER TABLE validator ADD COLUMN lagging text NOT NULL DEFAULT '' CHECK (length(lagging) <= 255);
COMMENT ON COLUMN validator.lagging IS
    'Of those that it feeds, and that may still serve by less than it has applied itself, some by name.';

CREATE FUNCTION validator_renew(
        instance uuid, positions bigint[], told bigint[], lagging text,
        OUT registered boolean, OUT heads bigint[], OUT head_marks bigint[], OUT position_marks bigint[],
        OUT floors bigint[], OUT database_now timestamptz, OUT loss_reported boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    SELECT r.registered, r.heads, r.head_marks, r.position_marks, r.floors, r.database_now,
           r.loss_reported
      INTO registered, heads, head_marks, position_marks, floors, database_now,
           loss_reported
      FROM validator_renew($1, $2, $3) AS r;
    UPDATE validator v SET lagging = $4 WHERE v.instance = $1 AND v.lagging <> $4;
END
$$;
COMMENT ON FUNCTION validator_renew(uuid, bigint[], bigint[], text) IS
    'The same for a validator that names those whom it has fed and who lag behind it; '''' = nobody does.';
GRANT EXECUTE ON FUNCTION validator_renew(uuid, bigint[], bigint[], text) TO latchkey_validator;
