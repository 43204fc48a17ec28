-- Idempotent requests, and the audit log.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE request (
    company_id   uuid NOT NULL REFERENCES company,
    caller       uuid NOT NULL,
    method       text COLLATE "C" NOT NULL,
    request_id   uuid NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    response     bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, caller, method, request_id)
);
COMMENT ON TABLE request IS
    'Mutations that carried a request_id. Inserted (ON CONFLICT DO NOTHING) as the first thing in the '
    'transaction that does the work, so that a twin waits for the first and then reads its answer; a '
    'rollback leaves nothing.';
COMMENT ON COLUMN request.caller IS 'token_id of the caller.';
COMMENT ON COLUMN request.request_hash IS
    'SHA-256 of the request''s content without request_id and wait_for_validators: other content under the '
    'same id is refused.';
COMMENT ON COLUMN request.response IS 'The answer, never with a secret in it.';
CREATE INDEX request_created_idx ON request (created_at);

CREATE FUNCTION request_prune(max_rows integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH old AS (
        SELECT company_id, caller, method, request_id FROM request
         WHERE created_at < clock_timestamp() - interval '24 hours'
         ORDER BY created_at LIMIT max_rows FOR UPDATE SKIP LOCKED),
    pruned AS (
        DELETE FROM request r USING old
         WHERE (r.company_id, r.caller, r.method, r.request_id)
             = (old.company_id, old.caller, old.method, old.request_id) RETURNING 1)
    SELECT count(*) FROM pruned
$$;
COMMENT ON FUNCTION request_prune(integer) IS 'Forgets a batch of requests older than 24 hours.';
GRANT EXECUTE ON FUNCTION request_prune(integer) TO latchkey_app;

CREATE TABLE audit_head (
    company_id uuid PRIMARY KEY REFERENCES company,
    number     bigint NOT NULL DEFAULT 0,
    hash       bytea NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000'
               CHECK (octet_length(hash) = 32)
);
COMMENT ON TABLE audit_head IS
    'The end of each company''s chain. Locked (FOR UPDATE) after the objects and before the lane, by whoever '
    'appends.';

CREATE TABLE audit_event (
    event_id      uuid PRIMARY KEY,
    company_id    uuid NOT NULL REFERENCES company,
    number        bigint NOT NULL CHECK (number > 0),
    at            timestamptz NOT NULL,
    actor_company uuid,
    actor_token   uuid,
    actor_member  uuid,
    action        text NOT NULL,
    object_kind   text NOT NULL DEFAULT '',
    object_id     text COLLATE "C" NOT NULL DEFAULT '',
    before        jsonb,
    after         jsonb,
    address       inet,
    request_id    uuid,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    UNIQUE (company_id, number)
);
COMMENT ON TABLE audit_event IS
    'Who did what, appended in the transaction that did it. hash = SHA-256 over previous_hash and the '
    'event''s canonical bytes; number counts from 1 in each company. Rows are only ever added.';
COMMENT ON COLUMN audit_event.actor_company IS
    'The company of the actor''s token: the operator''s when it acted for this one.';
COMMENT ON COLUMN audit_event.action IS 'The RPC, or the command of the command line.';
COMMENT ON COLUMN audit_event.before IS 'With after: the object without secrets.';
CREATE INDEX audit_event_object_idx ON audit_event (company_id, object_id, number) WHERE object_id <> '';

CREATE FUNCTION audit_event_kept() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION audit_event_kept() IS 'Stands also before the owner.';
CREATE TRIGGER audit_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_kept();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_kept;
