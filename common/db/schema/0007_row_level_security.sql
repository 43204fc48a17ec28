-- Who may see and touch what. Row-level security stands behind the application's own checks: forced, so
-- that it binds the owner of the tables too, and no role of ours may bypass it.
--
--   latchkey_app        the rows of the company set in latchkey.company; with none set, nothing
--   latchkey_validator  reads what decisions rest on, across companies; writes only through functions
--   latchkey_auditor    reads the audit log, across companies
--   latchkey_owner      everything; used by migrations, bootstrap and SECURITY DEFINER functions only

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

DO $$
DECLARE
    -- The tables that validators load and follow, and the others that belong to a company.
    followed CONSTANT name[] := ARRAY['company', 'member', 'role', 'member_role', 'token', 'token_secret',
                                      'whitelist', 'whitelist_list', 'whitelist_entry'];
    others   CONSTANT name[] := ARRAY['token_use', 'whitelist_entry_use', 'request', 'audit_head', 'audit_event'];
    tenant   name;
BEGIN
    FOREACH tenant IN ARRAY followed || others LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format('CREATE POLICY owner ON %I TO latchkey_owner USING (true)', tenant);
        -- why the sub-select: it is worked out once per statement instead of once per row.
        EXECUTE format('CREATE POLICY company ON %I TO latchkey_app '
                    || 'USING (company_id = (SELECT current_company()))', tenant);
    END LOOP;
    FOREACH tenant IN ARRAY followed LOOP
        EXECUTE format('CREATE POLICY validator ON %I FOR SELECT TO latchkey_validator USING (true)', tenant);
        EXECUTE format('GRANT SELECT ON %I TO latchkey_validator', tenant);
    END LOOP;
    FOREACH tenant IN ARRAY ARRAY['company', 'audit_head', 'audit_event'] LOOP
        EXECUTE format('CREATE POLICY auditor ON %I FOR SELECT TO latchkey_auditor USING (true)', tenant);
        EXECUTE format('GRANT SELECT ON %I TO latchkey_auditor', tenant);
    END LOOP;
END
$$;

-- The application. It makes companies but neither operators nor demonstrations, ends tokens but never deletes
-- them, and appends to the audit log.
GRANT SELECT,
      INSERT (company_id, name, external_id, max_token_lifetime_ms, require_expiry, deactivate_unused_ms,
              leak_action, reuse_action, login_lifetime_ms, created_by),
      UPDATE (name, external_id, suspended, max_token_lifetime_ms, require_expiry, deactivate_unused_ms,
              leak_action, reuse_action, login_lifetime_ms)
   ON company TO latchkey_app;
GRANT SELECT, INSERT, UPDATE ON member, token, whitelist, audit_head TO latchkey_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON role, member_role, token_secret, whitelist_entry, request TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON whitelist_list TO latchkey_app;
GRANT SELECT, INSERT ON audit_event TO latchkey_app;
GRANT SELECT ON token_use, whitelist_entry_use TO latchkey_app;

-- What belongs to the deployment.
GRANT SELECT ON permission, change_lane, validator, accepted_timeline TO latchkey_app, latchkey_validator;
GRANT SELECT ON change TO latchkey_validator;

DO $$
BEGIN
    IF to_regclass('latchkey.migration') IS NOT NULL THEN
        GRANT SELECT ON migration TO latchkey_app, latchkey_validator, latchkey_auditor;
    END IF;
END
$$;
