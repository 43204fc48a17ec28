-- The list of all companies, for the operator alone: the one look across companies that the application has.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION company_list(everything boolean, after uuid, wanted_suspended boolean, name_part text,
                             wanted_external_id text, max_rows bigint)
    RETURNS SETOF company
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
    -- why: which index serves the list depends on which of its filters are set.
    SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    own      CONSTANT uuid := current_company();
    sees_all CONSTANT boolean := everything AND EXISTS (SELECT FROM company c WHERE c.company_id = own AND c.is_operator);
BEGIN
    RETURN QUERY
    SELECT c.* FROM company c
     WHERE (sees_all OR c.company_id = own)
       AND (after IS NULL OR c.company_id < after)
       AND (wanted_suspended IS NULL OR c.suspended = wanted_suspended)
       AND (name_part = '' OR position(lower(name_part) IN lower(c.name)) > 0)
       AND (wanted_external_id = '' OR c.external_id = wanted_external_id AND c.external_id <> '')
     ORDER BY c.company_id DESC LIMIT max_rows;
END
$$;
COMMENT ON FUNCTION company_list(boolean, uuid, boolean, text, text, bigint) IS
    'Companies, newest first, after the id `after` (NULL = from the start); filters that are NULL or empty do not '
    'count. `everything`: all that there are, if the company that is set is the operator''s; else that company '
    'alone.';
GRANT EXECUTE ON FUNCTION company_list(boolean, uuid, boolean, text, text, bigint) TO latchkey_app;
