-- Look-ups that come before the company is known, or that row-level security would cut off from their
-- index (inet's containment operators are not leakproof). SECURITY DEFINER: each takes or checks the company.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION unmapped(address inet) RETURNS inet
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN family(address) = 6 AND address <<= '::ffff:0:0/96'
                THEN '0.0.0.0'::inet + (host(address)::inet - '::ffff:0:0'::inet)
                ELSE host(address)::inet END;
COMMENT ON FUNCTION unmapped(inet) IS 'The address alone, an IPv4-mapped one as IPv4.';
GRANT EXECUTE ON FUNCTION unmapped(inet) TO latchkey_app;

CREATE FUNCTION containing_prefixes(address inet) RETURNS cidr[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT array_agg(set_masklen(address::cidr, bits)) FROM generate_series(0, masklen(address)) AS bits);
COMMENT ON FUNCTION containing_prefixes(inet) IS
    'Every prefix that contains the address: 33 or 129. Asking an index for each costs the same in a list of '
    'ten and of a million: cidr = ANY (containing_prefixes(...)), also under row-level security.';
GRANT EXECUTE ON FUNCTION containing_prefixes(inet) TO latchkey_app;

CREATE FUNCTION counts_now(disabled boolean, expires_at timestamptz) RETURNS boolean
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN NOT disabled AND coalesce(expires_at > clock_timestamp(), true);
COMMENT ON FUNCTION counts_now(boolean, timestamptz) IS
    'Whether an entry with these fields lets anybody in at this moment.';

CREATE FUNCTION common_bits(a inet, b inet) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN masklen(inet_merge(a, b))::smallint;
COMMENT ON FUNCTION common_bits(inet, inet) IS
    'How many leading bits two prefixes of one family have in common.';

-- ---------------------------------------------------------------------------------------------------

CREATE FUNCTION caller(
        digest bytea, address inet,
        OUT token_id uuid, OUT company_id uuid, OUT lane smallint, OUT member_id uuid, OUT kind "char",
        OUT label text, OUT channels smallint, OUT permissions text[], OUT allowed_domains text[],
        OUT allowed_ips cidr[],
        OUT not_before timestamptz, OUT expires_at timestamptz, OUT secret_expires_at timestamptz,
        OUT suspended boolean, OUT suspended_until timestamptz, OUT deactivated_at timestamptz,
        OUT company_suspended boolean, OUT company_is_operator boolean,
        OUT member_removed boolean, OUT member_email text, OUT member_allowed_ips cidr[],
        OUT member_permissions text[],
        OUT whitelist_enabled boolean, OUT whitelist_scope smallint,
        OUT matched cidr[], OUT matched_expires_at timestamptz[], OUT database_now timestamptz)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT t.token_id, t.company_id, c.lane, t.member_id, t.kind, t.label,
           t.channels, t.permissions, t.allowed_domains, t.allowed_ips,
           t.not_before, t.expires_at, s.expires_at, t.suspended, t.suspended_until, t.deactivated_at,
           c.suspended, c.is_operator,
           m.removed_at IS NOT NULL, coalesce(m.email, ''), coalesce(m.allowed_ips, '{}'),
           CASE WHEN t.member_id IS NOT NULL THEN
               ARRAY(SELECT unnest(r.permissions)
                       FROM member_role mr JOIN role r ON r.role_id = mr.role_id
                      WHERE mr.member_id = t.member_id
                     UNION
                     SELECT p.name FROM permission p
                      WHERE NOT p.operator_only
                        AND EXISTS (SELECT FROM member_role mr JOIN role r ON r.role_id = mr.role_id
                                     WHERE mr.member_id = t.member_id AND r.builtin = 'administrator'))
           END,
           -- Deny is zero: no settings, nobody is listed.
           coalesce(w.enabled, true), coalesce(w.scope, 1::smallint),
           coalesce(listed.cidrs, '{}'), coalesce(listed.ends, '{}'), clock_timestamp()
      FROM token_secret s
      JOIN token t ON t.token_id = s.token_id
      JOIN company c ON c.company_id = t.company_id
      LEFT JOIN member m ON m.member_id = t.member_id
      LEFT JOIN whitelist w ON w.company_id = t.company_id
      LEFT JOIN LATERAL (
               SELECT array_agg(e.cidr ORDER BY masklen(e.cidr) DESC, e.entry_id) AS cidrs,
                      array_agg(e.expires_at ORDER BY masklen(e.cidr) DESC, e.entry_id) AS ends
                 FROM whitelist_entry e
                WHERE e.list_id = w.live_list_id AND e.cidr = ANY (containing_prefixes(unmapped(caller.address)))
                  AND counts_now(e.disabled, e.expires_at)) AS listed ON true
     WHERE s.digest = caller.digest;
END
$$;
COMMENT ON FUNCTION caller(bytea, inet) IS
    'Who presents a secret: everything that the decision about a management call needs, in one row; none if '
    'the digest is unknown. An address of NULL matches no entry. member_permissions are the grants of the '
    'member''s roles, the administrator''s computed from the catalogue; NULL = owned by the company. '
    'matched: the entries of the live list that contain the address, neither disabled nor over, longest '
    'first.';
GRANT EXECUTE ON FUNCTION caller(bytea, inet) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------

CREATE FUNCTION whitelist_match(
        company uuid, list uuid, client inet,
        OUT listed boolean, OUT entry_id uuid, OUT address text, OUT cidr cidr, OUT checking_bits smallint,
        OUT note text, OUT owner text, OUT disabled boolean, OUT expires_at timestamptz,
        OUT created_at timestamptz, OUT created_by text, OUT last_hit_at timestamptz, OUT version bigint,
        OUT common_bits smallint)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted  CONSTANT inet := unmapped(client);
    lowest  CONSTANT inet := CASE family(wanted) WHEN 4 THEN '0.0.0.0/0' ELSE '::/0' END;
    highest CONSTANT inet := CASE family(wanted) WHEN 4 THEN '255.255.255.255'
                                                 ELSE 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' END;
    list_wanted uuid;
    best        whitelist_entry;
    live        boolean;
BEGIN
    SELECT l.list_id INTO list_wanted
      FROM whitelist w JOIN whitelist_list l ON l.company_id = w.company_id
     WHERE w.company_id = company AND l.list_id = coalesce(list, w.live_list_id)
       AND company = coalesce(current_company(), company);
    IF wanted IS NULL OR list_wanted IS NULL THEN
        RETURN;
    END IF;

    -- The longest live prefix around the address, else the longest dead one.
    SELECT e.* INTO best FROM whitelist_entry e
     WHERE e.list_id = list_wanted AND e.cidr = ANY (containing_prefixes(wanted))
     ORDER BY counts_now(e.disabled, e.expires_at) DESC, masklen(e.cidr) DESC, e.entry_id
     LIMIT 1;
    live := FOUND AND counts_now(best.disabled, best.expires_at);

    -- None: of the prefixes in order the closest is a neighbour of the address, since those that share their
    -- first k bits with it are one run around it. Dead neighbours are stepped over, but only so far.
    IF best.entry_id IS NULL THEN
        SELECT near.* INTO best FROM (
            (SELECT * FROM (SELECT e.* FROM whitelist_entry e
                             WHERE e.list_id = list_wanted AND e.cidr < wanted AND e.cidr >= lowest
                             ORDER BY e.list_id DESC, e.cidr DESC LIMIT 1000) AS below
              WHERE counts_now(below.disabled, below.expires_at)
              ORDER BY below.cidr DESC LIMIT 1)
            UNION ALL
            (SELECT * FROM (SELECT e.* FROM whitelist_entry e
                             WHERE e.list_id = list_wanted AND e.cidr > wanted AND e.cidr <= highest
                             ORDER BY e.list_id, e.cidr LIMIT 1000) AS above
              WHERE counts_now(above.disabled, above.expires_at)
              ORDER BY above.cidr LIMIT 1)) AS near
         ORDER BY common_bits(near.cidr, wanted) DESC LIMIT 1;
    END IF;

    IF best.entry_id IS NOT NULL THEN
        RETURN QUERY SELECT live, best.entry_id, best.address, best.cidr, best.checking_bits, best.note, best.owner,
                            best.disabled, best.expires_at, best.created_at, best.created_by,
                            (SELECT u.last_hit_at FROM whitelist_entry_use u WHERE u.entry_id = best.entry_id),
                            best.version, common_bits(best.cidr, wanted);
    END IF;
END
$$;
COMMENT ON FUNCTION whitelist_match(uuid, uuid, inet) IS
    'What a list (NULL = the live one) says to an address. listed: the longest live entry that contains it. '
    'Else the nearest miss: a dead entry that would contain it, or the live one of the same family with most '
    'leading bits in common. No row: nothing to name, or not the company that is set.';
GRANT EXECUTE ON FUNCTION whitelist_match(uuid, uuid, inet) TO latchkey_app, latchkey_validator;

CREATE FUNCTION whitelist_use_record(company_ids uuid[], entry_ids uuid[], hit_at timestamptz[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH recorded AS (
        INSERT INTO whitelist_entry_use AS present (entry_id, company_id, last_hit_at)
        SELECT e.entry_id, e.company_id, max(hit.at)
          FROM unnest(company_ids, entry_ids, hit_at) AS hit (company_id, entry_id, at)
          JOIN whitelist w ON w.company_id = hit.company_id
          JOIN whitelist_entry e ON e.list_id = w.live_list_id AND e.entry_id = hit.entry_id
         GROUP BY e.entry_id, e.company_id
         ORDER BY e.entry_id  -- one order for every writer: no deadlocks
            ON CONFLICT (entry_id) DO UPDATE SET last_hit_at = excluded.last_hit_at
             WHERE present.last_hit_at < excluded.last_hit_at
        RETURNING 1)
    SELECT count(*) FROM recorded
$$;
COMMENT ON FUNCTION whitelist_use_record(uuid[], uuid[], timestamptz[]) IS
    'Records a batch of hits on live entries, from any number of companies; returns how many rows moved.';
GRANT EXECUTE ON FUNCTION whitelist_use_record(uuid[], uuid[], timestamptz[])
    TO latchkey_app, latchkey_validator;
