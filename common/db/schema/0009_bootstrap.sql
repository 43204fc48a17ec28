-- Bootstrap: the operator's company is made once, from the machine that holds the database's password.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE FUNCTION bootstrap_begin(
        OUT operator_company uuid, OUT operator_member uuid, OUT demo_company uuid, OUT foreign_companies bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('latchkey bootstrap', 0));
    SELECT company_id INTO operator_company FROM company WHERE is_operator;
    SELECT company_id INTO demo_company FROM company WHERE is_demo;
    SELECT member_id INTO operator_member FROM member
     WHERE company_id = operator_company AND removed_at IS NULL ORDER BY member_id LIMIT 1;
    SELECT count(*) INTO foreign_companies FROM company WHERE NOT is_operator AND NOT is_demo;
END
$$;
COMMENT ON FUNCTION bootstrap_begin() IS
    'Makes bootstraps take turns until the end of the transaction, and says what an earlier one left: the '
    'operator''s company and first member (NULL = never bootstrapped), the demo company, and how many '
    'companies neither made: --demo refuses if there are any.';
