-- What bounds a grant beside the permissions of the moment: groups that grow with the catalogue, and lists of
-- addresses that a token must not lose with its owner. docs/decisions/0022.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- As before, but that an administrator holds the group of every resource too, not only its names of today.
CREATE OR REPLACE FUNCTION caller(
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
                     SELECT unnest(ARRAY[p.name, split_part(p.name, '.', 1) || '.*']) FROM permission p
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
    'member''s roles, the administrator''s computed from the catalogue: every name, and the group of every '
    'resource; NULL = owned by the company. matched: the entries of the live list that contain the address, '
    'neither disabled nor over, longest first.';

-- ---------------------------------------------------------------------------------------------------

-- Both lists at once, in the order of inet, where a prefix comes right behind what is around it. Within one list
-- only the outermost count: `around_*` is the last of them. Of two that are the same the one of `b` comes first.
CREATE FUNCTION shared_prefixes(a cidr[], b cidr[]) RETURNS cidr[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    around_a cidr;
    around_b cidr;
    is_wider boolean := false;
    shared cidr[] := '{}';
    next record;
BEGIN
    IF b = '{}' THEN
        RETURN a;
    ELSIF a = '{}' THEN
        RETURN b;
    END IF;
    FOR next IN
        SELECT x AS prefix, false AS is_of_a FROM unnest(b) AS x
         UNION ALL
        SELECT x, true FROM unnest(a) AS x
         ORDER BY prefix, is_of_a
    LOOP
        CONTINUE WHEN next.prefix <<= (CASE WHEN next.is_of_a THEN around_a ELSE around_b END);
        IF next.is_of_a THEN
            around_a := next.prefix;
        ELSE
            around_b := next.prefix;
        END IF;
        IF next.prefix <<= (CASE WHEN next.is_of_a THEN around_b ELSE around_a END) THEN
            shared := shared || next.prefix;
        ELSIF next.is_of_a THEN
            is_wider := true;
        END IF;
    END LOOP;
    RETURN CASE WHEN is_wider THEN nullif(shared, '{}') ELSE a END;
END
$$;
COMMENT ON FUNCTION shared_prefixes(cidr[], cidr[]) IS
    'The list of the addresses that both lists let in, an empty one letting in any: `a` itself, as it is, where '
    'that is no wider than `b`; else of each pair, one around the other, the inner one, none of which is around '
    'another. That may be as many as both have. NULL = none is in both. The time is that of sorting them.';
GRANT EXECUTE ON FUNCTION shared_prefixes(cidr[], cidr[]) TO latchkey_app;
