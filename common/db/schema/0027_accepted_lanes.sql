-- A validator may serve a part of the lanes (`--lanes`). Its memory vouches for the history of these: on a new timeline
-- another one without memory may start once somebody has accepted it for every lane that it serves.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER TABLE accepted_timeline ADD COLUMN lanes bigint NOT NULL DEFAULT -1;
COMMENT ON COLUMN accepted_timeline.lanes IS
    'For which lanes of companies: bit n is lane n, -1 all of them. Lane 64 goes with any.';

CREATE FUNCTION timeline_is_accepted(lanes bigint) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, latchkey, pg_temp
AS $$ SELECT EXISTS (SELECT FROM accepted_timeline t WHERE t.timeline = timeline_current() AND t.lanes & $1 = $1) $$;
COMMENT ON FUNCTION timeline_is_accepted(bigint) IS
    'Whether a validator without memory that serves these lanes may start on the present timeline.';
GRANT EXECUTE ON FUNCTION timeline_is_accepted(bigint) TO latchkey_app, latchkey_validator;

CREATE OR REPLACE FUNCTION timeline_is_accepted() RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, latchkey, pg_temp
AS $$ SELECT timeline_is_accepted(-1) $$;

CREATE FUNCTION timeline_accept(accepted_by text, lanes bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    INSERT INTO accepted_timeline AS known (timeline, accepted_by, lanes) VALUES (timeline_current(), $1, $2)
        ON CONFLICT (timeline) DO UPDATE SET lanes = known.lanes | excluded.lanes;
    SELECT timeline_current()
$$;
COMMENT ON FUNCTION timeline_accept(text, bigint) IS
    'Accepts the present history in these lanes. A validator calls it when it has found the marks of its own '
    'positions in them on a new timeline.';
GRANT EXECUTE ON FUNCTION timeline_accept(text, bigint) TO latchkey_validator;

CREATE OR REPLACE FUNCTION timeline_accept(accepted_by text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$ SELECT timeline_accept($1, -1) $$;
COMMENT ON FUNCTION timeline_accept(text) IS 'The same for all lanes, as an operator does.';
