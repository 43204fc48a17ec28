-- Which entries of whitelists let somebody in, worked out behind the event: whoever admits a token only knows
-- its secret and the address.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION whitelist_hit_record(digests bytea[], hit_at timestamptz[], ips inet[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH hit AS MATERIALIZED (
        -- The same entry for all tokens of a company that came from one address.
        SELECT w.company_id, w.live_list_id, unmapped(used.ip) AS ip, max(used.at) AS at
          FROM unnest(digests, hit_at, ips) AS used (digest, at, ip)
          JOIN token_secret s ON s.digest = used.digest
          JOIN token t ON t.token_id = s.token_id
          JOIN whitelist w ON w.company_id = t.company_id
         WHERE w.enabled AND (w.scope <> 2 OR t.kind = 'l')
         GROUP BY w.company_id, w.live_list_id, unmapped(used.ip)),
    found AS MATERIALIZED (
        SELECT hit.company_id, entry.entry_id, hit.at
          FROM hit CROSS JOIN LATERAL (
               SELECT e.entry_id FROM whitelist_entry e
                WHERE e.list_id = hit.live_list_id AND e.cidr = ANY (containing_prefixes(hit.ip))
                  AND counts_now(e.disabled, e.expires_at)
                ORDER BY masklen(e.cidr) DESC, e.entry_id LIMIT 1) AS entry)
    SELECT coalesce(whitelist_use_record(array_agg(company_id), array_agg(entry_id), array_agg(at)), 0) FROM found
$$;
COMMENT ON FUNCTION whitelist_hit_record(bytea[], timestamptz[], inet[]) IS
    'Records which entries let in a batch of admitted secrets with their addresses, where the company''s '
    'whitelist is on and covers them: of each address the longest live prefix, as a decision has it. Returns '
    'how many rows moved.';
GRANT EXECUTE ON FUNCTION whitelist_hit_record(bytea[], timestamptz[], inet[]) TO latchkey_app, latchkey_validator;
