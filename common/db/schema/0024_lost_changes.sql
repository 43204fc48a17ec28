-- What a validator knows and the database lacks. Whoever finds that changes it has applied are not in this
-- history (another mark, a head below) reports the loss here, and what its memory says otherwise than the
-- rows; `latchkey recover` reads it, does again what ended somebody's access, and settles the reports.
--
-- why in the database: whoever may act here is who owns it, as with a migration; no validator need be
-- reachable, or alive, when the operator comes; and the reports of all of them are seen together.
--
-- While a report is open no validator admits anybody, not those either whose own marks are all there: one
-- that lagged can't know what another had already applied when the database lost it.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE loss_report (
    report_id   uuid PRIMARY KEY,
    validator   text NOT NULL CHECK (length(validator) <= 255),
    positions   bigint[] NOT NULL CHECK (array_ndims(positions) = 1 AND cardinality(positions) = 65),
    heads       bigint[] NOT NULL CHECK (array_ndims(heads) = 1 AND cardinality(heads) = 65),
    lanes       smallint[] NOT NULL,
    reported_at timestamptz NOT NULL,
    compared_at timestamptz,
    failure     text NOT NULL DEFAULT '' CHECK (length(failure) <= 255),
    settled_at  timestamptz,
    settled_by  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE loss_report IS
    'One row for each validator that knows changes which the database lacks. Open until settled_at is set: '
    'nobody is admitted meanwhile.';
COMMENT ON COLUMN loss_report.validator IS 'Its name, for people.';
COMMENT ON COLUMN loss_report.positions IS 'What it had applied: element lane + 1 is the seq.';
COMMENT ON COLUMN loss_report.heads IS 'The database''s heads at the time of the report, the same way.';
COMMENT ON COLUMN loss_report.lanes IS 'The lanes in which its position is not of this history.';
COMMENT ON COLUMN loss_report.compared_at IS
    'When all that its memory says otherwise stood in lost_change; NULL = it is still comparing.';
COMMENT ON COLUMN loss_report.failure IS 'Why it could not compare; then lost_change may lack something.';
COMMENT ON COLUMN loss_report.settled_by IS 'Whose `latchkey recover` it was.';
CREATE INDEX loss_report_open_idx ON loss_report (report_id) WHERE settled_at IS NULL;

CREATE TABLE lost_change (
    report_id  uuid NOT NULL REFERENCES loss_report ON DELETE CASCADE,
    what       text COLLATE "C" NOT NULL CHECK (length(what) <= 64),
    company_id uuid NOT NULL,
    object_id  uuid NOT NULL,
    until      timestamptz,
    redone_at  timestamptz,
    PRIMARY KEY (report_id, what, company_id, object_id)
);
COMMENT ON TABLE lost_change IS 'What the memory behind a report says otherwise than the rows of the database.';
COMMENT ON COLUMN lost_change.what IS
    'The change as the audit log would call it (token.deactivated); *.unknown = there is no such change, the '
    'object is in the database and the memory does not know it.';
COMMENT ON COLUMN lost_change.company_id IS 'Zero, like object_id, for the permission catalogue.';
COMMENT ON COLUMN lost_change.until IS
    'Of token.suspended its end (NULL = until resumed), of token.expiry_shortened the new expiry.';
COMMENT ON COLUMN lost_change.redone_at IS 'When `latchkey recover` did it again.';

CREATE FUNCTION loss_report_keep(report uuid, validator text, positions bigint[], marks bigint[],
                                 OUT compared boolean, OUT settled boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    INSERT INTO loss_report (report_id, validator, positions, heads, lanes, reported_at)
    SELECT $1, $2, $3, array_agg(l.head ORDER BY l.lane),
           coalesce(array_agg(l.lane ORDER BY l.lane)
                    FILTER (WHERE l.head < $3[l.lane + 1]
                               OR CASE WHEN l.head = $3[l.lane + 1] THEN l.mark ELSE c.mark END <> $4[l.lane + 1]),
                    '{}'),
           clock_timestamp()
      FROM change_lane l
      LEFT JOIN change c ON c.lane = l.lane AND c.seq = $3[l.lane + 1]
    HAVING NOT EXISTS (SELECT FROM loss_report r WHERE r.report_id = $1);

    SELECT r.compared_at IS NOT NULL OR r.failure <> '', r.settled_at IS NOT NULL
      INTO STRICT compared, settled FROM loss_report r WHERE r.report_id = $1;
END
$$;
COMMENT ON FUNCTION loss_report_keep(uuid, text, bigint[], bigint[]) IS
    'Reports a loss, unless it has been: positions and their marks are the validator''s. Says whether it has '
    'been compared (or could not be), and whether it is settled.';
GRANT EXECUTE ON FUNCTION loss_report_keep(uuid, text, bigint[], bigint[]) TO latchkey_validator;

CREATE FUNCTION loss_report_add(report uuid, what text[], companies uuid[], objects uuid[], until timestamptz[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    INSERT INTO lost_change (report_id, what, company_id, object_id, until)
    SELECT $1, lost.what, lost.company, lost.object, nullif(lost.until, 'infinity')
      FROM unnest($2, $3, $4, $5) AS lost (what, company, object, until)
        ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION loss_report_add(uuid, text[], uuid[], uuid[], timestamptz[]) IS
    'Adds to what was found by comparing; again is harmless.';
GRANT EXECUTE ON FUNCTION loss_report_add(uuid, text[], uuid[], uuid[], timestamptz[]) TO latchkey_validator;

CREATE FUNCTION loss_report_end(report uuid, failure text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    UPDATE loss_report r SET compared_at = CASE $2 WHEN '' THEN clock_timestamp() END, failure = $2
     WHERE r.report_id = $1
$$;
COMMENT ON FUNCTION loss_report_end(uuid, text) IS
    'The comparison is over: the report has everything, or failure says why it may not.';
GRANT EXECUTE ON FUNCTION loss_report_end(uuid, text) TO latchkey_validator;

CREATE FUNCTION loss_report_withdraw(report uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    DELETE FROM loss_report r WHERE r.report_id = $1 AND r.settled_at IS NULL
$$;
COMMENT ON FUNCTION loss_report_withdraw(uuid) IS
    'The validator that reported it has found all its marks in the database after all.';
GRANT EXECUTE ON FUNCTION loss_report_withdraw(uuid) TO latchkey_validator;

-- ---------------------------------------------------------------------------------------------------
-- Every renewal tells of it

DROP FUNCTION validator_renew(uuid, bigint[]);
CREATE FUNCTION validator_renew(
        instance uuid, positions bigint[],
        OUT registered boolean, OUT heads bigint[], OUT head_marks bigint[], OUT position_marks bigint[],
        OUT floors bigint[], OUT database_now timestamptz, OUT loss_reported boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    -- As durable as any write: a primary cut off from its standby must not renew.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    UPDATE validator v
       SET positions = $2, renewal = random_mark(), renewed_at = clock_timestamp()
     WHERE v.instance = $1;
    registered := FOUND;
    loss_reported := EXISTS (SELECT FROM loss_report r WHERE r.settled_at IS NULL);

    SELECT array_agg(l.head ORDER BY l.lane), array_agg(l.mark ORDER BY l.lane),
           array_agg(CASE WHEN l.head = $2[l.lane + 1] THEN l.mark ELSE at_position.mark END ORDER BY l.lane),
           array_agg(coalesce(lowest.seq, l.head) ORDER BY l.lane), clock_timestamp()
      INTO heads, head_marks, position_marks, floors, database_now
      FROM change_lane l
      LEFT JOIN change at_position ON at_position.lane = l.lane AND at_position.seq = $2[l.lane + 1]
      LEFT JOIN LATERAL (SELECT c.seq FROM change c WHERE c.lane = l.lane ORDER BY c.seq LIMIT 1) lowest ON true;
END
$$;
COMMENT ON FUNCTION validator_renew(uuid, bigint[]) IS
    'Renews a lease and tells, as of now: the head and its mark of each lane, the mark of history at each of '
    'the caller''s own positions (NULL = not in the log any more, or above the head), the lowest seq still '
    'in the log, the database''s time. registered = false: the row is gone, start over. loss_reported: '
    'somebody knows changes that are not here, so nobody may serve.';
GRANT EXECUTE ON FUNCTION validator_renew(uuid, bigint[]) TO latchkey_validator;
