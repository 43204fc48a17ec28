-- Which entries hold new ones: asked for every entry that is added, ten thousand in a call, in lists of a
-- million.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- The shortest prefix of a list, at once.
CREATE INDEX whitelist_entry_bits_idx ON whitelist_entry (list_id, checking_bits);

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
    shortest    smallint;
BEGIN
    SELECT l.list_id INTO list_wanted
      FROM whitelist w JOIN whitelist_list l ON l.company_id = w.company_id
     WHERE w.company_id = company AND l.list_id = coalesce(list, w.live_list_id)
       AND company = coalesce(current_company(), company);

    SELECT min(e.checking_bits) INTO shortest FROM whitelist_entry e WHERE e.list_id = list_wanted;

    -- In the order of prefixes whatever holds a probe stands before it, and everything between the two lies
    -- inside the holder. So the holder, if there is one, also holds the entry right before the probe, and with
    -- it what that one and the probe have in common: ask again for that, unless it is shorter than any entry.
    -- Neighbours soon ask for the same, which is done once in each round.
    RETURN QUERY
    WITH RECURSIVE chain (probe, entry_id, below) AS (
        SELECT wanted.probe, found.entry_id, found.cidr
          FROM (SELECT DISTINCT unnest(prefixes) AS probe) AS wanted CROSS JOIN LATERAL (
               SELECT e.entry_id, e.cidr FROM whitelist_entry e
                WHERE e.list_id = list_wanted AND e.cidr <= wanted.probe
                ORDER BY e.list_id DESC, e.cidr DESC LIMIT 1) AS found
        UNION ALL
        SELECT wanted.probe, found.entry_id, found.cidr
          FROM (SELECT DISTINCT inet_merge(chain.below, chain.probe) AS probe FROM chain
                 WHERE CASE WHEN family(chain.below) = family(chain.probe) AND NOT chain.below >>= chain.probe
                            THEN masklen(inet_merge(chain.below, chain.probe)) >= shortest
                            ELSE false END) AS wanted CROSS JOIN LATERAL (
               SELECT e.entry_id, e.cidr FROM whitelist_entry e
                WHERE e.list_id = list_wanted AND e.cidr <= wanted.probe
                ORDER BY e.list_id DESC, e.cidr DESC LIMIT 1) AS found)
    SELECT DISTINCT chain.entry_id, chain.below FROM chain WHERE chain.below >>= chain.probe;
END
$$;
COMMENT ON FUNCTION whitelist_holders(uuid, uuid, cidr[]) IS
    'Of every prefix the longest entry of the list (NULL = the live one) that holds it, itself included, live '
    'or not; all together, in no order. No row: none is held, or not the company that is set.';
GRANT EXECUTE ON FUNCTION whitelist_holders(uuid, uuid, cidr[]) TO latchkey_app;
