-- What a rotation leaves behind, and what is done about secrets that turn up where they should not.
--
-- A rotated secret stays known after its end, as *spent*: whoever presents it then has kept, or stolen, what
-- was to be thrown away. That is noted in token_reuse by whoever sees it, server or validator, and a job of
-- the token service tells the audit log and does what the company's policy says.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER TABLE token_secret ADD COLUMN rotated_at timestamptz;
COMMENT ON COLUMN token_secret.rotated_at IS 'When a rotation put another secret in its place; NULL = it is the present one.';
COMMENT ON COLUMN token_secret.expires_at IS
    'End of a rotation''s grace, ''-infinity'' where there was none: no clock, however wrong, admits it then; '
    'NULL = as long as the token.';
CREATE INDEX token_secret_rotated_idx ON token_secret (rotated_at) WHERE rotated_at IS NOT NULL;

ALTER TABLE token ADD COLUMN leak_reported_at timestamptz;
COMMENT ON COLUMN token.leak_reported_at IS
    'When a leak report about it was last acted upon: reports that follow within a day change nothing.';

-- The list's filters, each at a cost that does not grow with the company.
CREATE INDEX token_external_id_idx ON token (company_id, external_id) WHERE external_id <> '';

-- ---------------------------------------------------------------------------------------------------
-- Spent secrets that were used

CREATE TABLE token_reuse (
    digest        bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    token_id      uuid NOT NULL,
    company_id    uuid NOT NULL,
    first_used_at timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    last_used_ip  inet,
    last_used_by  text NOT NULL DEFAULT '',
    told_at       timestamptz
);
COMMENT ON TABLE token_reuse IS
    'Secrets that were presented after their rotation''s grace. One row for each, however often it is used. '
    'Has no triggers and no foreign keys, like token_use: it is written in batches behind the event.';
COMMENT ON COLUMN token_reuse.last_used_by IS 'As token_use.last_used_by.';
COMMENT ON COLUMN token_reuse.told_at IS
    'When the audit log was last told; uses after that are told again, at most once an hour.';
CREATE INDEX token_reuse_token_idx ON token_reuse (token_id);
CREATE INDEX token_reuse_due_idx ON token_reuse (company_id) WHERE told_at IS NULL OR told_at < last_used_at;

ALTER TABLE token_reuse ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_reuse FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON token_reuse TO latchkey_owner USING (true);
CREATE POLICY company ON token_reuse TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT, UPDATE (told_at) ON token_reuse TO latchkey_app;

CREATE FUNCTION token_reuse_record(digests bytea[], used_at timestamptz[], used_ips inet[], used_by text[])
    RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH recorded AS (
        INSERT INTO token_reuse AS present (digest, token_id, company_id, first_used_at, last_used_at,
                                            last_used_ip, last_used_by)
        SELECT DISTINCT ON (used.digest)
               used.digest, secret.token_id, secret.company_id, used.at, used.at, used.ip, coalesce(used.by, '')
          FROM unnest(digests, used_at, used_ips, used_by) AS used (digest, at, ip, by)
          JOIN token_secret secret ON secret.digest = used.digest
          JOIN token ON token.token_id = secret.token_id
         WHERE secret.rotated_at IS NOT NULL AND secret.expires_at <= used.at AND token.deactivated_at IS NULL
         ORDER BY used.digest, used.at DESC  -- one order for every writer: no deadlocks
            ON CONFLICT (digest) DO UPDATE
               SET last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip,
                   last_used_by = excluded.last_used_by
             -- A secret that is used all the time is written once a minute.
             WHERE present.last_used_at < excluded.last_used_at - interval '1 minute'
        RETURNING 1)
    SELECT count(*) FROM recorded
$$;
COMMENT ON FUNCTION token_reuse_record(bytea[], timestamptz[], inet[], text[]) IS
    'Notes uses of secrets that had expired, from any number of companies: those that are spent, of tokens '
    'that are not deactivated, are kept, all others passed over. Returns how many rows moved.';
GRANT EXECUTE ON FUNCTION token_reuse_record(bytea[], timestamptz[], inet[], text[])
    TO latchkey_app, latchkey_validator;

CREATE FUNCTION token_reuse_due() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT DISTINCT r.company_id FROM token_reuse r
     WHERE (r.told_at IS NULL OR r.told_at < r.last_used_at)
       AND coalesce(r.told_at < clock_timestamp() - interval '1 hour', true)
$$;
COMMENT ON FUNCTION token_reuse_due() IS 'The companies with uses of spent secrets that the audit log has not been told of.';
GRANT EXECUTE ON FUNCTION token_reuse_due() TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Forgetting them

CREATE FUNCTION token_secret_due(kept interval) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT DISTINCT s.company_id FROM token_secret s
     WHERE s.rotated_at < clock_timestamp() - kept AND s.expires_at < clock_timestamp() - kept
$$;
COMMENT ON FUNCTION token_secret_due(interval) IS 'The companies with secrets that have been spent for longer than `kept`.';
GRANT EXECUTE ON FUNCTION token_secret_due(interval) TO latchkey_app;

CREATE FUNCTION token_secret_prune(company uuid, kept interval, max_rows integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH old AS (
        SELECT s.digest FROM token_secret s
         WHERE s.company_id = company AND company = coalesce(current_company(), company)
           AND s.rotated_at < clock_timestamp() - kept AND s.expires_at < clock_timestamp() - kept
         ORDER BY s.digest LIMIT max_rows FOR UPDATE SKIP LOCKED),
    used AS (DELETE FROM token_use u USING old WHERE u.digest = old.digest),
    reused AS (DELETE FROM token_reuse r USING old WHERE r.digest = old.digest),
    pruned AS (DELETE FROM token_secret s USING old WHERE s.digest = old.digest RETURNING 1)
    SELECT count(*) FROM pruned
$$;
COMMENT ON FUNCTION token_secret_prune(uuid, interval, integer) IS
    'Forgets a batch of a company''s secrets that have been spent for longer than `kept`, with what is known of their use.';
GRANT EXECUTE ON FUNCTION token_secret_prune(uuid, interval, integer) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Look-ups across companies

CREATE FUNCTION token_secrets_known(digests bytea[]) RETURNS SETOF bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT s.digest FROM token_secret s WHERE s.digest = ANY (digests)
$$;
COMMENT ON FUNCTION token_secrets_known(bytea[]) IS
    'Those of the digests that some token has already, of whatever company: a secret belongs to one token '
    'alone. Whoever knows a digest knows the secret, so this tells nobody anything new.';
GRANT EXECUTE ON FUNCTION token_secrets_known(bytea[]) TO latchkey_app;

CREATE FUNCTION permission_uses(
        kept text[], max_rows integer,
        OUT permission text, OUT company_id uuid, OUT token_id uuid, OUT role_id uuid, OUT name text)
    RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    dropped text[];
BEGIN
    -- As permission_replace() does, so that nothing changes between the two.
    LOCK TABLE permission IN SHARE ROW EXCLUSIVE MODE;
    SELECT array_agg(p.name) INTO dropped FROM permission p WHERE NOT p.fixed AND p.name <> ALL (kept);
    IF dropped IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT (SELECT min(granted COLLATE "C") FROM unnest(r.permissions) AS granted WHERE granted = ANY (dropped)),
           r.company_id, NULL::uuid, r.role_id, r.name::text
      FROM role r WHERE r.permissions && dropped
    UNION ALL
    SELECT (SELECT min(granted COLLATE "C") FROM unnest(t.permissions) AS granted WHERE granted = ANY (dropped)),
           t.company_id, t.token_id, NULL::uuid, t.label
      FROM token t WHERE t.permissions && dropped AND t.deactivated_at IS NULL
     LIMIT max_rows;
END
$$;
COMMENT ON FUNCTION permission_uses(text[], integer) IS
    'The roles and living tokens, of every company, that are granted by name one of the deployment''s '
    'permissions that is not among those kept. Holds the catalogue until the transaction ends.';
GRANT EXECUTE ON FUNCTION permission_uses(text[], integer) TO latchkey_app;
