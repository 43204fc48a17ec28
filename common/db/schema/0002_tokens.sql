-- Tokens: access tokens, made by people for programs, and login tokens, made by the system when a
-- person has logged in. One table, since one decision covers both.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE token (
    token_id          uuid PRIMARY KEY,
    company_id        uuid NOT NULL REFERENCES company,
    member_id         uuid,
    kind              "char" NOT NULL CHECK (kind IN ('a', 'l')),
    channels          smallint NOT NULL CHECK (channels BETWEEN 1 AND 3),
    label             text NOT NULL DEFAULT '' CHECK (length(label) <= 100),
    description       text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    external_id       text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(external_id) <= 255),
    metadata          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    permissions       text[] NOT NULL DEFAULT '{}'
                      CHECK (cardinality(permissions) <= 256 AND array_position(permissions, NULL) IS NULL),
    allowed_domains   text[] NOT NULL DEFAULT '{}'
                      CHECK (cardinality(allowed_domains) <= 1000 AND array_position(allowed_domains, NULL) IS NULL),
    allowed_ips       cidr[] NOT NULL DEFAULT '{}'
                      CHECK (cardinality(allowed_ips) <= 10000 AND array_position(allowed_ips, NULL) IS NULL),
    not_before        timestamptz,
    expires_at        timestamptz,
    suspended         boolean NOT NULL DEFAULT false,
    suspended_until   timestamptz,
    deactivated_at    timestamptz,
    deactivate_reason smallint NOT NULL DEFAULT 0 CHECK (deactivate_reason >= 0),
    deactivate_note   text NOT NULL DEFAULT '' CHECK (length(deactivate_note) <= 500),
    client_ip         inet,
    user_agent        text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 500),
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        text NOT NULL DEFAULT '',
    version           bigint NOT NULL DEFAULT 1,
    UNIQUE (company_id, token_id),
    FOREIGN KEY (company_id, member_id) REFERENCES member (company_id, member_id),
    CHECK (kind = 'a' OR member_id IS NOT NULL),
    CHECK (kind = 'a' OR expires_at IS NOT NULL),
    CHECK (suspended OR suspended_until IS NULL),
    CHECK (not_before < expires_at)
);
COMMENT ON TABLE token IS
    'What a secret stands for. Ends by time (expires_at, not_before, suspended_until) change no row: whoever '
    'decides compares with the clock.';
COMMENT ON COLUMN token.kind IS 'a = access, l = login: the kind letter of its secrets.';
COMMENT ON COLUMN token.member_id IS 'The owner; NULL = owned by the company itself, outliving its members.';
COMMENT ON COLUMN token.channels IS
    'Bits: 1 = API, 2 = UI. A login token has the bit of the channel it was made on and is good on both.';
COMMENT ON COLUMN token.permissions IS
    'What an access token was granted: resource.action or resource.*. A login token has none of its own: it '
    'can do what its member can.';
COMMENT ON COLUMN token.allowed_domains IS
    'Hosts as A-labels, lower case, or *.host; {} = any. Checked on the UI channel only.';
COMMENT ON COLUMN token.allowed_ips IS 'Addresses it may come from; {} = anywhere.';
COMMENT ON COLUMN token.suspended IS 'Suspended until suspended_until, or until resumed if that is NULL.';
COMMENT ON COLUMN token.deactivated_at IS
    'Ended for good by somebody; reason is the number of DeactivateReason in token.proto.';
COMMENT ON COLUMN token.client_ip IS 'With user_agent: where a login token''s person logged in from.';

CREATE UNIQUE INDEX token_external_id_key ON token (company_id, external_id)
    WHERE external_id <> '' AND deactivated_at IS NULL;
CREATE INDEX token_list_idx ON token (company_id, kind, token_id);
CREATE INDEX token_member_list_idx ON token (company_id, member_id, kind, token_id);
CREATE INDEX token_expiry_idx ON token (company_id, kind, expires_at)
    WHERE expires_at IS NOT NULL AND deactivated_at IS NULL;
CREATE TRIGGER token_version BEFORE UPDATE ON token FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE TABLE token_secret (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    token_id   uuid NOT NULL,
    company_id uuid NOT NULL,
    hint       text NOT NULL CHECK (length(hint) <= 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    FOREIGN KEY (company_id, token_id) REFERENCES token (company_id, token_id)
);
COMMENT ON TABLE token_secret IS
    'The secrets of a token: one, or two while a rotation''s grace lasts. Never a secret itself.';
COMMENT ON COLUMN token_secret.digest IS 'SHA-256 of the whole secret as presented.';
COMMENT ON COLUMN token_secret.hint IS 'Prefix and last four characters, for people to tell secrets apart.';
COMMENT ON COLUMN token_secret.expires_at IS 'End of a rotation''s grace; NULL = as long as the token.';
CREATE INDEX token_secret_token_idx ON token_secret (token_id);

CREATE TABLE token_use (
    digest       bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    token_id     uuid NOT NULL,
    company_id   uuid NOT NULL,
    last_used_at timestamptz NOT NULL,
    last_used_ip inet,
    last_used_by text NOT NULL DEFAULT ''
) WITH (fillfactor = 70);
COMMENT ON TABLE token_use IS
    'When and from where each secret was last admitted. Has no triggers: uses are not changes, and no '
    'validator reads them. No foreign keys either: it is written in batches behind the event.';
CREATE INDEX token_use_token_idx ON token_use (token_id);

CREATE FUNCTION token_use_record(digests bytea[], used_at timestamptz[], used_ips inet[], used_by text[])
    RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH recorded AS (
        INSERT INTO token_use AS present (digest, token_id, company_id, last_used_at, last_used_ip, last_used_by)
        SELECT DISTINCT ON (used.digest)
               used.digest, secret.token_id, secret.company_id, used.at, used.ip, coalesce(used.by, '')
          FROM unnest(digests, used_at, used_ips, used_by) AS used (digest, at, ip, by)
          JOIN token_secret secret ON secret.digest = used.digest
         ORDER BY used.digest, used.at DESC  -- one order for every writer: no deadlocks
            ON CONFLICT (digest) DO UPDATE
               SET last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip,
                   last_used_by = excluded.last_used_by
             WHERE present.last_used_at < excluded.last_used_at
        RETURNING 1)
    SELECT count(*) FROM recorded
$$;
COMMENT ON FUNCTION token_use_record(bytea[], timestamptz[], inet[], text[]) IS
    'Records a batch of last uses, from any number of companies; a use older than the recorded one is '
    'dropped. Returns how many rows moved.';
GRANT EXECUTE ON FUNCTION token_use_record(bytea[], timestamptz[], inet[], text[])
    TO latchkey_app, latchkey_validator;
