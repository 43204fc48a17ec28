-- Invitations, and the links that lead to them.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE invitation (
    invitation_id uuid PRIMARY KEY,
    company_id    uuid NOT NULL REFERENCES company,
    email         text COLLATE "C" NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role_ids      uuid[] NOT NULL DEFAULT '{}'
                  CHECK (cardinality(role_ids) <= 100 AND array_position(role_ids, NULL) IS NULL),
    allowed_ips   cidr[] NOT NULL DEFAULT '{}'
                  CHECK (cardinality(allowed_ips) <= 10000 AND array_position(allowed_ips, NULL) IS NULL),
    state         "char" NOT NULL DEFAULT 'p' CHECK (state IN ('p', 'a', 'd')),
    holds_email   boolean NOT NULL DEFAULT true,
    generation    integer NOT NULL DEFAULT 1,
    expires_at    timestamptz NOT NULL,
    resent_count  integer NOT NULL DEFAULT 0,
    resent_at     timestamptz,
    accepted_at   timestamptz,
    accepted_by   uuid,
    member_id     uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL DEFAULT '',
    version       bigint NOT NULL DEFAULT 1,
    UNIQUE (company_id, invitation_id),
    FOREIGN KEY (company_id, member_id) REFERENCES member (company_id, member_id),
    CHECK (state = 'p' OR NOT holds_email),
    CHECK ((state = 'a') = (accepted_at IS NOT NULL) AND (state = 'a') = (member_id IS NOT NULL))
);
COMMENT ON TABLE invitation IS 'Who was asked to become a member, as what, and what came of it.';
COMMENT ON COLUMN invitation.role_ids IS
    'Roles of the member to be. Those that are gone by then are left out; a role in a pending invitation is not deleted.';
COMMENT ON COLUMN invitation.state IS
    'p pending (past expires_at: expired), a accepted, d deactivated. Only services/invitation moves it.';
COMMENT ON COLUMN invitation.holds_email IS
    'Nobody else can be invited under the address. An expired invitation gives it up to a new one.';
COMMENT ON COLUMN invitation.generation IS 'Raised by each resend: links of an earlier one are dead.';
COMMENT ON COLUMN invitation.accepted_by IS
    'request_id of the acceptance: the same person asking again after a lost answer is told the same.';

CREATE UNIQUE INDEX invitation_email_key ON invitation (company_id, lower(email)) WHERE holds_email;
CREATE TRIGGER invitation_version BEFORE UPDATE ON invitation FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE TABLE invitation_secret (
    digest        bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    company_id    uuid NOT NULL,
    invitation_id uuid NOT NULL,
    generation    integer NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (company_id, invitation_id) REFERENCES invitation (company_id, invitation_id)
);
COMMENT ON TABLE invitation_secret IS
    'SHA-256 of the secret of each link that was sent, or was about to be: every attempt to send makes one.';
CREATE INDEX invitation_secret_invitation_idx ON invitation_secret (invitation_id);

DO $$
DECLARE
    tenant name;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['invitation', 'invitation_secret'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format('CREATE POLICY owner ON %I TO latchkey_owner USING (true)', tenant);
        EXECUTE format('CREATE POLICY company ON %I TO latchkey_app '
                    || 'USING (company_id = (SELECT current_company()))', tenant);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON invitation TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON invitation_secret TO latchkey_app;

CREATE FUNCTION invitation_find(
        digest bytea, request_id uuid,
        OUT company_id uuid, OUT invitation_id uuid, OUT company_name text, OUT email text, OUT expires_at timestamptz)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT i.company_id, i.invitation_id, c.name, i.email, i.expires_at
      FROM invitation_secret s
      JOIN invitation i ON i.invitation_id = s.invitation_id AND i.generation = s.generation
      JOIN company c ON c.company_id = i.company_id
     WHERE s.digest = invitation_find.digest AND NOT c.suspended
       AND CASE i.state WHEN 'p' THEN i.expires_at > clock_timestamp()
                        WHEN 'a' THEN i.accepted_by = request_id AND i.accepted_at > clock_timestamp() - interval '24 hours'
                        ELSE false END;
END
$$;
COMMENT ON FUNCTION invitation_find(bytea, uuid) IS
    'The invitation that a link is good for: pending, or accepted by the same request (NULL = none) within 24 hours. '
    'No row for any other, in one look-up whatever is wrong with it.';
GRANT EXECUTE ON FUNCTION invitation_find(bytea, uuid) TO latchkey_app;
