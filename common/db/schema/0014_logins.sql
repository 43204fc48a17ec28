-- Log-ins that were refused, notices that were sent, and what sweeps away that of which nobody needs to know any more.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- ---------------------------------------------------------------------------------------------------
-- Refused log-ins

CREATE TABLE login_refusal (
    refusal_id uuid PRIMARY KEY,
    company_id uuid NOT NULL,
    member_id  uuid NOT NULL,
    minute     timestamptz NOT NULL,
    client_ip  text COLLATE "C" NOT NULL DEFAULT '',
    reason     smallint NOT NULL CHECK (reason > 0),
    user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 500),
    refused_at timestamptz NOT NULL,
    count      bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    UNIQUE (company_id, member_id, minute, client_ip, reason),
    FOREIGN KEY (company_id, member_id) REFERENCES member (company_id, member_id)
);
COMMENT ON TABLE login_refusal IS
    'Log-ins with the right password that an address list, or the state of company or member, refused. Those of one '
    'minute, member, address and reason are one row, and a minute has so many addresses of a member at most: a flood '
    'grows it no further.';
COMMENT ON COLUMN login_refusal.client_ip IS 'Canonical; '''' = none was given, or one of too many in this minute.';
COMMENT ON COLUMN login_refusal.reason IS 'The number of Reason in decision.proto.';
COMMENT ON COLUMN login_refusal.refused_at IS 'The first of them, as refusal_id and user_agent are.';
CREATE INDEX login_refusal_list_idx ON login_refusal (company_id, refusal_id);
CREATE INDEX login_refusal_member_list_idx ON login_refusal (company_id, member_id, refusal_id);
CREATE INDEX login_refusal_at_idx ON login_refusal (refused_at);

ALTER TABLE login_refusal ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_refusal FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON login_refusal TO latchkey_owner USING (true);
CREATE POLICY company ON login_refusal TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT, INSERT, UPDATE (count) ON login_refusal TO latchkey_app;

-- A log-in reads the entries around its address by itself.
GRANT EXECUTE ON FUNCTION counts_now(boolean, timestamptz) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Sweeping
--
-- What is due is looked up across companies, oldest first, and goes company by company in batches of at most
-- a hundred tokens: a change of more would make every validator read all of a company's tokens again.

CREATE INDEX token_login_end_idx ON token (expires_at) WHERE kind = 'l';
CREATE INDEX token_secret_login_end_idx ON token_secret (expires_at) WHERE rotated_at IS NULL AND expires_at IS NOT NULL;
GRANT DELETE ON login_refusal TO latchkey_app;

CREATE FUNCTION login_secrets_due(kept interval, max_rows integer, OUT company_id uuid, OUT id uuid) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT s.company_id, s.token_id FROM token_secret s
     WHERE s.rotated_at IS NULL AND s.expires_at < now() - kept ORDER BY s.expires_at LIMIT max_rows
$$;
COMMENT ON FUNCTION login_secrets_due(interval, integer) IS
    'Login tokens whose secret ended longer ago than `kept`: it leaves before they do, and takes no validator''s '
    'memory any more.';
GRANT EXECUTE ON FUNCTION login_secrets_due(interval, integer) TO latchkey_app;

CREATE FUNCTION login_tokens_due(kept interval, max_rows integer, OUT company_id uuid, OUT id uuid) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT t.company_id, t.token_id FROM token t
     WHERE t.kind = 'l' AND t.expires_at < now() - kept ORDER BY t.expires_at LIMIT max_rows
$$;
COMMENT ON FUNCTION login_tokens_due(interval, integer) IS 'Login tokens that ended longer ago than `kept`.';
GRANT EXECUTE ON FUNCTION login_tokens_due(interval, integer) TO latchkey_app;

CREATE FUNCTION login_refusals_due(kept interval, max_rows integer, OUT company_id uuid, OUT id uuid) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT r.company_id, r.refusal_id FROM login_refusal r
     WHERE r.refused_at < now() - kept ORDER BY r.refused_at LIMIT max_rows
$$;
COMMENT ON FUNCTION login_refusals_due(interval, integer) IS 'Refused log-ins that are older than `kept`.';
GRANT EXECUTE ON FUNCTION login_refusals_due(interval, integer) TO latchkey_app;

CREATE FUNCTION login_tokens_prune(ids uuid[], kept interval) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH old AS (
        SELECT t.token_id FROM token t
         WHERE t.token_id = ANY (ids) AND t.company_id = current_company()
           AND t.kind = 'l' AND t.expires_at < now() - kept
         ORDER BY t.token_id FOR UPDATE SKIP LOCKED),
    used AS (DELETE FROM token_use u USING old WHERE u.token_id = old.token_id),
    secrets AS (DELETE FROM token_secret s USING old WHERE s.token_id = old.token_id),
    pruned AS (DELETE FROM token t USING old WHERE t.token_id = old.token_id RETURNING 1)
    SELECT count(*) FROM pruned
$$;
COMMENT ON FUNCTION login_tokens_prune(uuid[], interval) IS
    'Deletes those of the set company''s login tokens that ended longer ago than `kept`, with all that is known '
    'of them. The application can end tokens, but delete only these.';
GRANT EXECUTE ON FUNCTION login_tokens_prune(uuid[], interval) TO latchkey_app;

-- As in 0006, but for the clock: with one that stands still the rows are found by the index, and what is newer
-- is not read.
CREATE OR REPLACE FUNCTION request_prune(max_rows integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH old AS (
        SELECT company_id, caller, method, request_id FROM request
         WHERE created_at < now() - interval '24 hours'
         ORDER BY created_at LIMIT max_rows FOR UPDATE SKIP LOCKED),
    pruned AS (
        DELETE FROM request r USING old
         WHERE (r.company_id, r.caller, r.method, r.request_id)
             = (old.company_id, old.caller, old.method, old.request_id) RETURNING 1)
    SELECT count(*) FROM pruned
$$;

-- As in 0005, but the lowest rows of a lane are taken before their age is looked at: times ascend with seq, so
-- that nothing above them has to be read.
CREATE OR REPLACE FUNCTION change_prune(max_rows integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH kept AS (
        SELECT l.lane, least(l.head, min(v.positions[l.lane + 1])) AS seq
          FROM change_lane l
          LEFT JOIN validator v ON v.renewed_at > clock_timestamp() - 10 * v.lease_ms * interval '1 ms'
         GROUP BY l.lane, l.head),
    lowest AS (
        SELECT c.lane, c.seq, c.at
          FROM kept, LATERAL (SELECT change.lane, change.seq, change.at FROM change
                               WHERE change.lane = kept.lane AND change.seq < kept.seq
                               ORDER BY change.seq LIMIT greatest(max_rows / 65, 1)) c),
    pruned AS (
        DELETE FROM change c USING lowest
         WHERE c.lane = lowest.lane AND c.seq = lowest.seq AND lowest.at < now() - interval '1 hour' RETURNING 1)
    SELECT count(*) FROM pruned
$$;

-- ---------------------------------------------------------------------------------------------------
-- Access tokens that nobody uses

CREATE TABLE token_unused (
    token_id   uuid PRIMARY KEY,
    company_id uuid NOT NULL,
    noticed_at timestamptz NOT NULL,
    FOREIGN KEY (company_id, token_id) REFERENCES token (company_id, token_id)
);
COMMENT ON TABLE token_unused IS
    'Access tokens found unused for as long as the company''s policy allows. They are deactivated if they still are '
    'some minutes later: uses are written behind the event.';
CREATE INDEX token_unused_company_idx ON token_unused (company_id, noticed_at);
ALTER TABLE token_unused ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_unused FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON token_unused TO latchkey_owner USING (true);
CREATE POLICY company ON token_unused TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT, INSERT, DELETE ON token_unused TO latchkey_app;

CREATE FUNCTION token_unused_companies() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT c.company_id FROM company c WHERE c.deactivate_unused_ms > 0 AND NOT c.suspended
    UNION SELECT u.company_id FROM token_unused u
$$;
COMMENT ON FUNCTION token_unused_companies() IS
    'The companies whose policy ends unused tokens, and those with tokens that were found unused when it did.';
GRANT EXECUTE ON FUNCTION token_unused_companies() TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Notices of expiry

CREATE INDEX token_access_end_idx ON token (expires_at) WHERE kind = 'a' AND deactivated_at IS NULL;

CREATE TABLE token_notice (
    token_id   uuid NOT NULL,
    before_ms  bigint NOT NULL CHECK (before_ms > 0),
    expires_at timestamptz NOT NULL,
    company_id uuid NOT NULL,
    notice_id  uuid NOT NULL,
    PRIMARY KEY (token_id, before_ms, expires_at),
    FOREIGN KEY (company_id, token_id) REFERENCES token (company_id, token_id)
);
COMMENT ON TABLE token_notice IS
    'Which notices of which end of a token are in the outbox, or were: none comes twice. One notice, and one mail '
    'to each of its recipients, is about all tokens of an owner that come due together.';
CREATE INDEX token_notice_notice_idx ON token_notice (notice_id);
CREATE INDEX token_notice_end_idx ON token_notice (expires_at);
ALTER TABLE token_notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_notice FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON token_notice TO latchkey_owner USING (true);
CREATE POLICY company ON token_notice TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT, INSERT ON token_notice TO latchkey_app;

CREATE TABLE token_notice_progress (
    before_ms  bigint PRIMARY KEY CHECK (before_ms > 0),
    done_until timestamptz NOT NULL
);
COMMENT ON TABLE token_notice_progress IS
    'Until when each notice has been given: the next look begins there, so that its cost is that of what has come '
    'due since.';

CREATE FUNCTION token_notice_begin(before_ms bigint, OUT since timestamptz, OUT until timestamptz)
    RETURNS record
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    -- The first time: whatever ends within that time from now.
    INSERT INTO token_notice_progress (before_ms, done_until) VALUES ($1, now() - $1 * interval '1 ms')
        ON CONFLICT DO NOTHING;
    SELECT p.done_until - interval '5 minutes', now() FROM token_notice_progress p WHERE p.before_ms = $1
$$;
COMMENT ON FUNCTION token_notice_begin(bigint) IS
    'The span to look at: from the end of the last one, and some minutes more for what was committed late, to now.';
GRANT EXECUTE ON FUNCTION token_notice_begin(bigint) TO latchkey_app;

CREATE FUNCTION token_notice_end(before_ms bigint, until timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    UPDATE token_notice_progress p SET done_until = $2 WHERE p.before_ms = $1 AND p.done_until < $2;
    DELETE FROM token_notice n WHERE (n.token_id, n.before_ms, n.expires_at) IN (
        SELECT o.token_id, o.before_ms, o.expires_at FROM token_notice o
         WHERE o.expires_at < now() - interval '1 day' ORDER BY o.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
$$;
COMMENT ON FUNCTION token_notice_end(bigint, timestamptz) IS
    'All notices of the span are in the outbox. Forgets some of those whose tokens have ended.';
GRANT EXECUTE ON FUNCTION token_notice_end(bigint, timestamptz) TO latchkey_app;

CREATE FUNCTION token_notices_due(
        before interval, later interval, since timestamptz, until timestamptz, max_rows integer,
        OUT company_id uuid, OUT id uuid) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT t.company_id, t.token_id FROM token t JOIN company c ON c.company_id = t.company_id
     WHERE t.kind = 'a' AND t.deactivated_at IS NULL
       AND t.expires_at > since + before AND t.expires_at <= until + before AND t.expires_at > now() + later
       AND t.created_at <= t.expires_at - before AND NOT c.suspended
       AND NOT EXISTS (SELECT FROM token_notice n
                        WHERE n.token_id = t.token_id AND n.expires_at = t.expires_at
                          AND n.before_ms = (extract(epoch FROM before) * 1000)::bigint)
     ORDER BY t.expires_at LIMIT max_rows
$$;
COMMENT ON FUNCTION token_notices_due(interval, interval, timestamptz, timestamptz, integer) IS
    'Access tokens that come within `before` of their end in the span, but not within `later`, of which the next '
    'notice tells; neither those that live no longer than that, nor those that have had it.';
GRANT EXECUTE ON FUNCTION token_notices_due(interval, interval, timestamptz, timestamptz, integer) TO latchkey_app;
