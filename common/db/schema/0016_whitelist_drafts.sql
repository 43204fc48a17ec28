-- Drafts of a whitelist, the return of a list that nobody confirmed, and the end of lists that were replaced.
--
-- A list is one of:
--
--     draft ----published----> used ----replaced, and nothing to come back to----> replaced ----swept----> gone
--       \-----discarded, or left alone for too long--------------------------------^
--
-- A used list is the live one, or the one before it while the live one waits to be confirmed. A list that is
-- replaced has entries by the million and goes in small batches.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER TABLE whitelist_list
    ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT 'used' CHECK (state IN ('draft', 'used', 'replaced')),
    ADD COLUMN edits bigint NOT NULL DEFAULT 0,
    ADD COLUMN edited_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN base_list_id uuid,
    ADD COLUMN base_edits bigint,
    ADD CHECK ((state = 'draft') <= (base_list_id IS NOT NULL)),
    ADD CHECK ((base_list_id IS NULL) = (base_edits IS NULL));
COMMENT ON COLUMN whitelist_list.state IS 'draft, used (live, or ready to come back) or replaced (to be swept).';
COMMENT ON COLUMN whitelist_list.edits IS
    'Goes up with every statement that changes entries: whether the live list is still the one that a draft was '
    'begun from. Kept by triggers of whitelist_entry.';
COMMENT ON COLUMN whitelist_list.edited_at IS 'When that was; a draft left alone for long is discarded.';
COMMENT ON COLUMN whitelist_list.base_list_id IS
    'Drafts: the list that was live when it was begun, with its edits of then. A number, not a key: that list may go.';
CREATE INDEX whitelist_list_draft_idx ON whitelist_list (edited_at) WHERE state = 'draft';
CREATE INDEX whitelist_list_replaced_idx ON whitelist_list (list_id) WHERE state = 'replaced';
CREATE INDEX whitelist_confirm_idx ON whitelist (confirm_by) WHERE confirm_by IS NOT NULL;

-- Begins a draft, publishes it, throws it away. (The state alone: entry_count and edits are the triggers'.)
GRANT UPDATE (state) ON whitelist_list TO latchkey_app;
-- An entry that has gone for good takes its last hit with it. (UPDATE: to lock in one order before.)
GRANT DELETE, UPDATE (last_hit_at) ON whitelist_entry_use TO latchkey_app;

CREATE OR REPLACE FUNCTION whitelist_entry_count() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    lists_named bigint;
    lists_found bigint;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE whitelist_list SET entry_count = 0, edits = edits + 1, edited_at = now() WHERE entry_count <> 0;
        RETURN NULL;
    END IF;

    IF TG_OP = 'INSERT' THEN
        WITH gained AS (SELECT company_id, list_id, count(*) AS entries FROM new_rows GROUP BY 1, 2),
             counted AS (UPDATE whitelist_list list
                            SET entry_count = entry_count + entries, edits = edits + 1, edited_at = now() FROM gained
                          WHERE list.list_id = gained.list_id AND list.company_id = gained.company_id
                      RETURNING 1)
        SELECT (SELECT count(*) FROM gained), (SELECT count(*) FROM counted) INTO lists_named, lists_found;
    ELSIF TG_OP = 'DELETE' THEN
        WITH lost AS (SELECT company_id, list_id, count(*) AS entries FROM old_rows GROUP BY 1, 2)
        UPDATE whitelist_list list
           SET entry_count = entry_count - entries, edits = edits + 1, edited_at = now() FROM lost
         WHERE list.list_id = lost.list_id AND list.company_id = lost.company_id;
    ELSIF EXISTS (SELECT list_id, company_id, count(*) FROM old_rows GROUP BY 1, 2
                  EXCEPT SELECT list_id, company_id, count(*) FROM new_rows GROUP BY 1, 2) THEN
        RAISE EXCEPTION 'an entry stays in its list' USING ERRCODE = 'integrity_constraint_violation';
    ELSE
        UPDATE whitelist_list list SET edits = edits + 1, edited_at = now()
          FROM (SELECT DISTINCT company_id, list_id FROM new_rows) AS changed
         WHERE list.list_id = changed.list_id AND list.company_id = changed.company_id;
    END IF;

    IF lists_found <> lists_named THEN
        RAISE EXCEPTION 'a whitelist entry names a list that its company does not have'
            USING ERRCODE = 'foreign_key_violation', TABLE = 'whitelist_entry', CONSTRAINT = 'whitelist_entry_list';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION whitelist_target(company uuid, draft uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT CASE WHEN draft IS NULL
                THEN (SELECT w.live_list_id FROM whitelist w WHERE w.company_id = company)
                ELSE (SELECT l.list_id FROM whitelist_list l
                       WHERE l.company_id = company AND l.list_id = draft AND l.state = 'draft') END
$$;
COMMENT ON FUNCTION whitelist_target(uuid, uuid) IS
    'The list that a call means: the live one, or the draft that it names. NULL: there is no such draft.';
GRANT EXECUTE ON FUNCTION whitelist_target(uuid, uuid) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- What is to be done, across companies: for the jobs, which then act for one company at a time

CREATE FUNCTION whitelist_overdue(max_rows integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT w.company_id FROM whitelist w WHERE w.confirm_by <= clock_timestamp() ORDER BY w.confirm_by LIMIT max_rows
$$;
COMMENT ON FUNCTION whitelist_overdue(integer) IS
    'Companies whose published list was not confirmed in time: the list before is to come back.';
GRANT EXECUTE ON FUNCTION whitelist_overdue(integer) TO latchkey_app;

CREATE FUNCTION whitelist_forsaken(untouched_since timestamptz, max_rows integer,
                                   OUT company_id uuid, OUT list_id uuid)
    RETURNS SETOF record
    LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT l.company_id, l.list_id FROM whitelist_list l
     WHERE l.state = 'draft' AND l.edited_at < untouched_since ORDER BY l.edited_at LIMIT max_rows
$$;
COMMENT ON FUNCTION whitelist_forsaken(timestamptz, integer) IS 'Drafts that nobody has edited since then.';
GRANT EXECUTE ON FUNCTION whitelist_forsaken(timestamptz, integer) TO latchkey_app;

CREATE FUNCTION whitelist_replaced(max_rows integer, OUT company_id uuid, OUT list_id uuid) RETURNS SETOF record
    LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT l.company_id, l.list_id FROM whitelist_list l WHERE l.state = 'replaced' ORDER BY l.list_id LIMIT max_rows
$$;
COMMENT ON FUNCTION whitelist_replaced(integer) IS 'Lists whose entries are to be removed, oldest first.';
GRANT EXECUTE ON FUNCTION whitelist_replaced(integer) TO latchkey_app;
