-- Validators' leases, the histories that were accepted, and the pruning of the log.
--
-- The fence (confirmed revocation) is sound because of an order that both sides keep:
--   * a validator registers and commits; only a renewal that it sends after that may let it serve, so any
--     change committed before its row could be seen is in what that renewal tells it;
--   * it serves for lease_ms counted on its own clock from *before* it sent the renewal;
--   * a waiter, after its own commit, reads the rows: whoever is not there and not yet past the change can't
--     be serving. It waits for each position to pass, or until it has itself seen the same `renewal` for
--     longer than lease_ms + 1 % + 100 ms, and then takes the row away with validator_expire(). No wall clock.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE validator (
    instance      uuid PRIMARY KEY,
    name          text NOT NULL CHECK (length(name) <= 255),
    address       text NOT NULL DEFAULT '' CHECK (length(address) <= 255),
    positions     bigint[] NOT NULL CHECK (array_ndims(positions) = 1 AND cardinality(positions) = 65),
    renewal       bigint NOT NULL,
    lease_ms      integer NOT NULL CHECK (lease_ms BETWEEN 100 AND 3600000),
    registered_at timestamptz NOT NULL,
    renewed_at    timestamptz NOT NULL
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE validator IS 'One row for each validator that may be admitting somebody: its lease.';
COMMENT ON COLUMN validator.instance IS 'Made by the process when it starts; a restart is another instance.';
COMMENT ON COLUMN validator.name IS 'For people: what confirmed revocation calls it when it lags.';
COMMENT ON COLUMN validator.positions IS
    'What it has applied: element lane + 1 is the seq; NULL = it does not hold that lane.';
COMMENT ON COLUMN validator.renewal IS 'Random, another at each renewal: unchanged means not renewed.';
COMMENT ON COLUMN validator.lease_ms IS 'For how long after sending a renewal it may serve: its max_staleness.';
COMMENT ON COLUMN validator.renewed_at IS 'For people and for pruning; never part of the fence.';

CREATE FUNCTION validator_register(instance uuid, name text, address text, lease_ms integer, positions bigint[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    INSERT INTO validator (instance, name, address, positions, renewal, lease_ms, registered_at, renewed_at)
    VALUES ($1, $2, $3, $5, random_mark(), $4, clock_timestamp(), clock_timestamp())
        ON CONFLICT (instance) DO UPDATE
           SET name = excluded.name, address = excluded.address, positions = excluded.positions,
               renewal = excluded.renewal, lease_ms = excluded.lease_ms,
               registered_at = excluded.registered_at, renewed_at = excluded.renewed_at
$$;
COMMENT ON FUNCTION validator_register(uuid, text, text, integer, bigint[]) IS
    'Announces a validator. Lets nobody serve: that takes a renewal sent after this has been committed.';
GRANT EXECUTE ON FUNCTION validator_register(uuid, text, text, integer, bigint[]) TO latchkey_validator;

CREATE FUNCTION validator_renew(
        instance uuid, positions bigint[],
        OUT registered boolean, OUT heads bigint[], OUT head_marks bigint[], OUT position_marks bigint[],
        OUT floors bigint[], OUT database_now timestamptz)
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
    'in the log, the database''s time. registered = false: the row is gone, start over.';
GRANT EXECUTE ON FUNCTION validator_renew(uuid, bigint[]) TO latchkey_validator;

CREATE FUNCTION validator_deregister(instance uuid) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH gone AS (DELETE FROM validator v WHERE v.instance = $1 RETURNING 1) SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION validator_deregister(uuid) IS
    'A validator that stops in order gives its lease back, after its last answer.';
GRANT EXECUTE ON FUNCTION validator_deregister(uuid) TO latchkey_validator;

CREATE FUNCTION validator_expire(instance uuid, seen_renewal bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    DELETE FROM validator v WHERE v.instance = $1 AND v.renewal = $2;
    RETURN NOT EXISTS (SELECT FROM validator v WHERE v.instance = $1);
END
$$;
COMMENT ON FUNCTION validator_expire(uuid, bigint) IS
    'For a waiter that has watched a lease run out: takes the row away unless it has been renewed meanwhile. '
    'True: the row is gone.';
GRANT EXECUTE ON FUNCTION validator_expire(uuid, bigint) TO latchkey_app, latchkey_validator;

-- ---------------------------------------------------------------------------------------------------
-- Pruning

CREATE FUNCTION change_prune(max_rows integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH kept AS (
        -- The row at a follower's own position stays: by its mark the follower knows its history. A lease
        -- that long ran out keeps nothing; should its owner come back, it finds the log begin above its
        -- cursor and loads again.
        SELECT l.lane, least(l.head, min(v.positions[l.lane + 1])) AS seq
          FROM change_lane l
          LEFT JOIN validator v ON v.renewed_at > clock_timestamp() - 10 * v.lease_ms * interval '1 ms'
         GROUP BY l.lane, l.head),
    old AS (
        SELECT c.lane, c.seq
          FROM kept, LATERAL (SELECT change.lane, change.seq FROM change
                               WHERE change.lane = kept.lane AND change.seq < kept.seq
                                 AND change.at < clock_timestamp() - interval '1 hour'
                               ORDER BY change.seq LIMIT greatest(max_rows / 65, 1)) c),
    pruned AS (DELETE FROM change c USING old WHERE c.lane = old.lane AND c.seq = old.seq RETURNING 1)
    SELECT count(*) FROM pruned
$$;
COMMENT ON FUNCTION change_prune(integer) IS
    'Takes old rows off the low end of the log: older than an hour, below every live validator''s position '
    'and below the head. A small batch from each lane; call again while it returns more than 0.';
GRANT EXECUTE ON FUNCTION change_prune(integer) TO latchkey_app, latchkey_validator;

-- ---------------------------------------------------------------------------------------------------
-- History

CREATE TABLE accepted_timeline (
    timeline    bigint PRIMARY KEY,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    accepted_by text NOT NULL
);
COMMENT ON TABLE accepted_timeline IS
    'The WAL timelines on which a validator without memory may start. A failover or a restore begins a new '
    'one: somebody with memory, or `latchkey recover`, accepts it.';

CREATE FUNCTION timeline_current() RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint $$;
COMMENT ON FUNCTION timeline_current() IS
    'The timeline being written now. Not from the control file, which lags behind a promotion.';
GRANT EXECUTE ON FUNCTION timeline_current() TO latchkey_app, latchkey_validator;

CREATE FUNCTION timeline_is_accepted() RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, latchkey, pg_temp
AS $$ SELECT EXISTS (SELECT FROM accepted_timeline WHERE timeline = timeline_current()) $$;
GRANT EXECUTE ON FUNCTION timeline_is_accepted() TO latchkey_app, latchkey_validator;

CREATE FUNCTION timeline_accept(accepted_by text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    INSERT INTO accepted_timeline (timeline, accepted_by) VALUES (timeline_current(), $1)
        ON CONFLICT (timeline) DO NOTHING;
    SELECT timeline_current()
$$;
COMMENT ON FUNCTION timeline_accept(text) IS
    'Accepts the present history. A validator calls it when it has found the marks of its own positions on a '
    'new timeline.';
GRANT EXECUTE ON FUNCTION timeline_accept(text) TO latchkey_validator;

SELECT timeline_accept('migration 0005');
