-- Whose a secret is that somebody has found, of whatever kind it is; and lists of the few tokens in a rare state.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- plpgsql looks its tables up when it runs: those of invitations are made by a later migration.
CREATE FUNCTION leak_find(digest bytea, OUT company_id uuid, OUT token_id uuid, OUT invitation_id uuid)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.company_id, s.token_id, NULL::uuid FROM token_secret s WHERE s.digest = leak_find.digest
     UNION ALL
    SELECT i.company_id, NULL::uuid, i.invitation_id FROM invitation_secret i WHERE i.digest = leak_find.digest
     LIMIT 1;
END
$$;
COMMENT ON FUNCTION leak_find(bytea) IS
    'The token or invitation that a secret belongs to, spent secrets included; no row for any other. One look-up, the '
    'same whatever was sent.';
GRANT EXECUTE ON FUNCTION leak_find(bytea) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Of a million tokens the few that are listed by their state are found at once.

CREATE INDEX token_deactivated_idx ON token (company_id, kind, token_id) WHERE deactivated_at IS NOT NULL;
CREATE INDEX token_suspended_idx ON token (company_id, kind, token_id) WHERE suspended;
CREATE INDEX token_not_before_idx ON token (company_id, kind, token_id) WHERE not_before IS NOT NULL;
