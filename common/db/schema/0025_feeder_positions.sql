-- A validator that feeds others (WatchChanges) has one row for itself and all of them: it tells the lowest
-- position of all who may still serve, and asks about the history at its own.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION validator_renew(
        instance uuid, positions bigint[], told bigint[],
        OUT registered boolean, OUT heads bigint[], OUT head_marks bigint[], OUT position_marks bigint[],
        OUT floors bigint[], OUT database_now timestamptz, OUT loss_reported boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    SELECT r.registered, r.heads, r.head_marks, r.position_marks, r.floors, r.database_now,
           r.loss_reported
      INTO registered, heads, head_marks, position_marks, floors, database_now,
           loss_reported
      FROM validator_renew($1, $2) AS r;
    -- In the same transaction: nobody sees the positions that are not told.
    IF $3 IS DISTINCT FROM $2 THEN
        UPDATE validator v SET positions = $3 WHERE v.instance = $1;
    END IF;
END
$$;
COMMENT ON FUNCTION validator_renew(uuid, bigint[], bigint[]) IS
    'The same for a validator that feeds others: told are the lowest positions that anybody may still serve by '
    'who was fed by it, each at most its own.';
GRANT EXECUTE ON FUNCTION validator_renew(uuid, bigint[], bigint[]) TO latchkey_validator;
