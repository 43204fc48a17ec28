-- Which entries hold new ones: asked for every entry that is added, ten thousand in a call, in lists of a
-- million.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- why the planner's settings: the plan is kept for the life of a connection, also where it was made while the
-- list was empty and anything but the index looked cheaper; and compiling it takes longer than running it.
CREATE FUNCTION whitelist_holders(company uuid, list uuid, prefixes cidr[], OUT entry_id uuid, OUT cidr cidr)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    list_wanted uuid;
BEGIN
    SELECT l.list_id INTO list_wanted
      FROM whitelist w JOIN whitelist_list l ON l.company_id = w.company_id
     WHERE w.company_id = company AND l.list_id = coalesce(list, w.live_list_id)
       AND company = coalesce(current_company(), company);

    -- In the order of prefixes whatever holds a probe stands before it, and everything between the two lies
    -- inside the holder. So the holder, if there is one, also holds the entry right before the probe, and with
    -- it what that one and the probe have in common: ask again for that. Neighbours soon ask for the same, which
    -- UNION does once.
    RETURN QUERY
    WITH RECURSIVE chain (probe) AS (
        SELECT unnest(prefixes)
        UNION
        SELECT inet_merge(below.cidr, chain.probe)
          FROM chain CROSS JOIN LATERAL (
               SELECT e.cidr FROM whitelist_entry e
                WHERE e.list_id = list_wanted AND e.cidr <= chain.probe
                ORDER BY e.list_id DESC, e.cidr DESC LIMIT 1) AS below
         WHERE family(below.cidr) = family(chain.probe) AND NOT below.cidr >>= chain.probe)
    SELECT DISTINCT below.entry_id, below.cidr
      FROM chain CROSS JOIN LATERAL (
           SELECT e.entry_id, e.cidr FROM whitelist_entry e
            WHERE e.list_id = list_wanted AND e.cidr <= chain.probe
            ORDER BY e.list_id DESC, e.cidr DESC LIMIT 1) AS below
     WHERE below.cidr >>= chain.probe;
END
$$;
COMMENT ON FUNCTION whitelist_holders(uuid, uuid, cidr[]) IS
    'Of every prefix the longest entry of the list (NULL = the live one) that holds it, itself included, live '
    'or not; all together, in no order. No row: none is held, or not the company that is set.';
GRANT EXECUTE ON FUNCTION whitelist_holders(uuid, uuid, cidr[]) TO latchkey_app;
