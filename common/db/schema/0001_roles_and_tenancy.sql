-- Roles of the database, and who exists: companies, members, roles, the permission catalogue.
--
-- How these files are run. Each is one transaction, in the order of its number, by the user of the
-- connection string under an advisory lock; the runner records it in latchkey.migration. After the
-- first block below everything happens as latchkey_owner, which no server process ever becomes.
--
-- Conventions of the whole schema:
--   * ids are UUIDv7 made by the application, so descending id is newest first;
--   * unset text is '' and an unset list is '{}' (as in proto3); an unset time or id is NULL;
--   * `version` is the etag: 1 when made, raised by a trigger on every UPDATE, whoever types it;
--   * `created_by` is the TypeID of the maker (mbr_..., or tok_... of a company-owned token);
--   * indexed text collates "C": the order does not change under a new libc;
--   * locks are taken in this order everywhere: request, objects (company, member, role, token,
--     whitelist, list), audit head, lane. The lane is taken by the commit itself (0004).

-- Roles are the cluster's, not the database's: another database may have made them already, or may
-- be making them this instant (advisory locks do not reach across databases), hence the retries.
DO $roles$
DECLARE
    wanted CONSTANT text[] := ARRAY['latchkey_owner', 'latchkey_app', 'latchkey_validator', 'latchkey_auditor'];
    -- Before 16 every membership may SET ROLE; from 16 that is a right of its own.
    may_become CONSTANT text := CASE WHEN current_setting('server_version_num')::integer >= 160000
                                     THEN 'SET' ELSE 'MEMBER' END;
    may_create CONSTANT boolean := (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user);
    remedy text := '';
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY wanted LOOP
        FOR attempt IN 1..5 LOOP
            BEGIN
                IF to_regrole(role_name) IS NULL THEN
                    EXIT WHEN NOT may_create;
                    EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', role_name);
                END IF;
                EXIT WHEN pg_has_role(current_user, role_name, may_become);
                EXECUTE format('GRANT %I TO %I', role_name, current_user);
                EXIT;
            EXCEPTION
                WHEN duplicate_object OR unique_violation OR internal_error THEN NULL; -- made elsewhere this instant
                WHEN insufficient_privilege THEN EXIT;                                 -- told below
            END;
        END LOOP;

        IF to_regrole(role_name) IS NULL THEN
            remedy := remedy || format('CREATE ROLE %I NOLOGIN; GRANT %1$I TO %I; ', role_name, current_user);
        ELSIF NOT pg_has_role(current_user, role_name, may_become) THEN
            remedy := remedy || format('GRANT %I TO %I; ', role_name, current_user);
        END IF;
    END LOOP;

    IF NOT has_database_privilege(current_user, current_database(), 'CREATE') THEN
        remedy := remedy || format('GRANT CREATE ON DATABASE %I TO %I; ', current_database(), current_user);
    END IF;
    IF to_regrole('latchkey_owner') IS NULL
       OR NOT has_database_privilege('latchkey_owner', current_database(), 'CREATE') THEN
        IF (SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database
             WHERE datname = current_database()) THEN
            IF remedy = '' THEN
                EXECUTE format('GRANT CREATE ON DATABASE %I TO latchkey_owner', current_database());
            END IF;
        ELSE
            remedy := remedy || format('GRANT CREATE ON DATABASE %I TO latchkey_owner; ', current_database());
        END IF;
    END IF;

    IF remedy <> '' THEN
        RAISE EXCEPTION 'the database user "%" may not set up Latchkey''s database roles', current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Let an administrator run: ' || rtrim(remedy) || ' Then migrate again.';
    END IF;

    SELECT r.rolname INTO role_name FROM pg_roles r
     WHERE r.rolname = ANY (wanted) AND (r.rolsuper OR r.rolbypassrls) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the database role "%" bypasses row-level security', role_name
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Let an administrator run: ALTER ROLE %I NOSUPERUSER NOBYPASSRLS; Then migrate again.',
                                role_name);
    END IF;
END
$roles$;

SET LOCAL client_min_messages = warning; -- the runner has made the schema already, and needs no notice of it
CREATE SCHEMA IF NOT EXISTS latchkey;
ALTER SCHEMA latchkey OWNER TO latchkey_owner;
ALTER TABLE IF EXISTS latchkey.migration OWNER TO latchkey_owner;

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA latchkey TO latchkey_app, latchkey_validator, latchkey_auditor;

COMMENT ON SCHEMA latchkey IS
    'Latchkey: companies, their tokens and address lists, and the one ordered log of every change to them.';

-- ---------------------------------------------------------------------------------------------------
-- Small functions that tables and policies below lean on

CREATE FUNCTION company_lane(company uuid) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (get_byte(uuid_send(company), 15) & 63)::smallint;
COMMENT ON FUNCTION company_lane(uuid) IS
    'The lane 0..63 of a company: the low six bits of its id, which in a UUIDv7 are random. Never to change: '
    'secrets name it.';
GRANT EXECUTE ON FUNCTION company_lane(uuid) TO latchkey_app, latchkey_validator, latchkey_auditor;

CREATE FUNCTION current_company() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('latchkey.company', true), '')::uuid;
COMMENT ON FUNCTION current_company() IS
    'The company that this transaction acts for: SET LOCAL latchkey.company. NULL when unset, also after a '
    'spent SET LOCAL, which reads back as ''''.';
GRANT EXECUTE ON FUNCTION current_company() TO latchkey_app, latchkey_validator, latchkey_auditor;

CREATE FUNCTION raise_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION raise_version() IS 'The etag moves with every UPDATE, so that no statement can forget it.';

-- ---------------------------------------------------------------------------------------------------
-- Companies

CREATE TABLE company (
    company_id              uuid PRIMARY KEY,
    lane                    smallint NOT NULL GENERATED ALWAYS AS (company_lane(company_id)) STORED,
    name                    text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    external_id             text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(external_id) <= 255),
    is_operator             boolean NOT NULL DEFAULT false,
    is_demo                 boolean NOT NULL DEFAULT false,
    suspended               boolean NOT NULL DEFAULT false,
    max_token_lifetime_ms   bigint CHECK (max_token_lifetime_ms > 0),
    require_expiry          boolean NOT NULL DEFAULT false,
    deactivate_unused_ms    bigint CHECK (deactivate_unused_ms > 0),
    leak_action             smallint NOT NULL DEFAULT 0 CHECK (leak_action >= 0),
    reuse_action            smallint NOT NULL DEFAULT 0 CHECK (reuse_action >= 0),
    login_lifetime_ms       bigint CHECK (login_lifetime_ms > 0),
    created_at              timestamptz NOT NULL DEFAULT now(),
    created_by              text NOT NULL DEFAULT '',
    version                 bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE company IS
    'The tenant. Every other row but the catalogue, the log and the leases belongs to exactly one.';
COMMENT ON COLUMN company.lane IS 'Which of the lanes 0..63 of the change log this company''s changes go to.';
COMMENT ON COLUMN company.is_operator IS 'The deployment''s own company, made by bootstrap; at most one.';
COMMENT ON COLUMN company.is_demo IS
    'Made by bootstrap --demo, which refuses a database with companies that it did not make; at most one.';
COMMENT ON COLUMN company.max_token_lifetime_ms IS
    'Policy, like the columns down to login_lifetime_ms; NULL or 0 = the deployment''s default. Enumerations '
    'hold the numbers of company.proto.';

CREATE UNIQUE INDEX company_external_id_key ON company (external_id) WHERE external_id <> '';
CREATE UNIQUE INDEX company_one_operator_key ON company (is_operator) WHERE is_operator;
CREATE UNIQUE INDEX company_one_demo_key ON company (is_demo) WHERE is_demo;
CREATE TRIGGER company_version BEFORE UPDATE ON company FOR EACH ROW EXECUTE FUNCTION raise_version();

-- ---------------------------------------------------------------------------------------------------
-- Members and their roles

CREATE TABLE member (
    member_id    uuid PRIMARY KEY,
    company_id   uuid NOT NULL REFERENCES company,
    email        text COLLATE "C" NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 100),
    issuer       text COLLATE "C" NOT NULL DEFAULT '',
    subject      text COLLATE "C" NOT NULL DEFAULT '',
    external_id  text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(external_id) <= 255),
    allowed_ips  cidr[] NOT NULL DEFAULT '{}'
                 CHECK (cardinality(allowed_ips) <= 10000 AND array_position(allowed_ips, NULL) IS NULL),
    removed_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL DEFAULT '',
    version      bigint NOT NULL DEFAULT 1,
    -- why: a key with the company in it lets foreign keys refuse a row that would tie two companies together.
    UNIQUE (company_id, member_id),
    CHECK ((issuer = '') = (subject = ''))
);
COMMENT ON TABLE member IS
    'A person in a company. Removal keeps the row (removed_at): tokens and audit go on naming it.';
COMMENT ON COLUMN member.allowed_ips IS 'The addresses this member''s tokens may come from; {} = anywhere.';
COMMENT ON COLUMN member.issuer IS 'With subject: the person at an identity provider; both or neither.';

CREATE UNIQUE INDEX member_email_key ON member (company_id, lower(email)) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX member_subject_key ON member (company_id, issuer, subject)
    WHERE subject <> '' AND removed_at IS NULL;
CREATE UNIQUE INDEX member_external_id_key ON member (company_id, external_id)
    WHERE external_id <> '' AND removed_at IS NULL;
CREATE TRIGGER member_version BEFORE UPDATE ON member FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE TABLE role (
    role_id     uuid PRIMARY KEY,
    company_id  uuid NOT NULL REFERENCES company,
    name        text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    builtin     text NOT NULL DEFAULT '' CHECK (builtin IN ('', 'administrator')),
    permissions text[] NOT NULL DEFAULT '{}'
                CHECK (cardinality(permissions) <= 256 AND array_position(permissions, NULL) IS NULL),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT '',
    version     bigint NOT NULL DEFAULT 1,
    UNIQUE (company_id, role_id),
    CHECK (builtin = '' OR permissions = '{}')
);
COMMENT ON TABLE role IS 'A company''s named set of permissions.';
COMMENT ON COLUMN role.builtin IS
    '''administrator'' = the whole catalogue as it is now but the operator-only permissions. Its own list '
    'stays empty, so that a change of the catalogue moves lane 64 and no company.';
COMMENT ON COLUMN role.permissions IS
    'resource.action or resource.*; a wildcard never covers an operator-only permission.';

CREATE UNIQUE INDEX role_name_key ON role (company_id, lower(name));
CREATE UNIQUE INDEX role_builtin_key ON role (company_id, builtin) WHERE builtin <> '';
CREATE TRIGGER role_version BEFORE UPDATE ON role FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE TABLE member_role (
    company_id uuid NOT NULL,
    member_id  uuid NOT NULL,
    role_id    uuid NOT NULL,
    PRIMARY KEY (member_id, role_id),
    FOREIGN KEY (company_id, member_id) REFERENCES member (company_id, member_id),
    FOREIGN KEY (company_id, role_id) REFERENCES role (company_id, role_id)
);
COMMENT ON TABLE member_role IS 'Which roles a member has.';
CREATE INDEX member_role_role_idx ON member_role (role_id);

-- ---------------------------------------------------------------------------------------------------
-- The permission catalogue

CREATE TABLE permission (
    name          text COLLATE "C" PRIMARY KEY
                  CHECK (name ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' AND length(name) <= 100),
    description   text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    operator_only boolean NOT NULL DEFAULT false,
    fixed         boolean NOT NULL DEFAULT false,
    CHECK (fixed = starts_with(name, 'latchkey.')),
    CHECK (fixed OR NOT operator_only)
);
COMMENT ON TABLE permission IS
    'Everything that may be granted: Latchkey''s own permissions (fixed) and the deployment''s. Belongs to '
    'the deployment, lane 64.';
COMMENT ON COLUMN permission.operator_only IS
    'Not part of the built-in administrator role, and not covered by a wildcard.';

INSERT INTO permission (name, description, operator_only, fixed) VALUES
    ('latchkey.operate',             'Run the deployment: companies, the catalogue, acting for a company', true, true),
    ('latchkey.logins.create',       'Make a login token for a person who has just been checked', true, true),
    ('latchkey.validate.any',        'Validate tokens of every company', true, true),
    ('latchkey.validate.watch',      'Feed a validator: read the changes of every company', true, true),
    ('latchkey.validate.detail',     'See in a denial which company and token it concerns', false, true),
    ('latchkey.validate.explain',    'Ask why a token of the own company is admitted or refused', false, true),
    ('latchkey.validate.denials',    'List recent denials of the own company', false, true),
    ('latchkey.tokens.read',         'See access tokens, never their secrets', false, true),
    ('latchkey.tokens.manage',       'Create, change, rotate and end access tokens', false, true),
    ('latchkey.logins.read',         'See recent authentications', false, true),
    ('latchkey.logins.manage',       'End login tokens', false, true),
    ('latchkey.whitelist.read',      'See the company''s address list', false, true),
    ('latchkey.whitelist.manage',    'Change the company''s address list', false, true),
    ('latchkey.members.read',        'See members and roles', false, true),
    ('latchkey.members.manage',      'Change members and roles', false, true),
    ('latchkey.invitations.read',    'See invitations', false, true),
    ('latchkey.invitations.manage',  'Invite people, resend and end invitations', false, true),
    ('latchkey.company.read',        'See the company and its policy', false, true),
    ('latchkey.company.manage',      'Change the company''s name and policy', false, true),
    ('latchkey.audit.read',          'Read and verify the audit log', false, true);

CREATE FUNCTION permission_replace(names text[], descriptions text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    IF cardinality(names) <> cardinality(descriptions) THEN
        RAISE EXCEPTION 'as many descriptions as names are needed' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE permission IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM permission WHERE NOT fixed AND name <> ALL (names);
    INSERT INTO permission AS present (name, description)
    SELECT wanted.name, wanted.description FROM unnest(names, descriptions) AS wanted (name, description)
        ON CONFLICT (name) DO UPDATE SET description = excluded.description
     WHERE NOT present.fixed AND present.description <> excluded.description;
END
$$;
COMMENT ON FUNCTION permission_replace(text[], text[]) IS
    'Makes the deployment''s own part of the catalogue exactly this. The same again changes no row and logs '
    'nothing. A fixed name keeps its own description.';
GRANT EXECUTE ON FUNCTION permission_replace(text[], text[]) TO latchkey_app;
