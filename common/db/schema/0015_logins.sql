-- Log-ins that were refused, notices that were sent, and what sweeps away that of which nobody needs to know any more.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- ---------------------------------------------------------------------------------------------------
-- Refused log-ins

CREATE TABLE login_refusal (
    refusal_id uuid PRIMARY KEY,
    company_id uuid NOT NULL,
    member_id  uuid NOT NULL,
    minute     timestamptz NOT NULL,
    client_ip  text COLLATE "C" NOT NULL DEFAULT '',
    reason     smallint NOT NULL CHECK (reason > 0),
    user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 500),
    refused_at timestamptz NOT NULL,
    count      bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    UNIQUE (company_id, member_id, minute, client_ip, reason),
    FOREIGN KEY (company_id, member_id) REFERENCES member (company_id, member_id)
);
COMMENT ON TABLE login_refusal IS
    'Log-ins with the right password that an address list, or the state of company or member, refused. Those of one '
    'minute, member, address and reason are one row, and a minute has so many addresses of a member at most: a flood '
    'grows it no further.';
COMMENT ON COLUMN login_refusal.client_ip IS 'Canonical; '''' = none was given, or one of too many in this minute.';
COMMENT ON COLUMN login_refusal.reason IS 'The number of Reason in decision.proto.';
COMMENT ON COLUMN login_refusal.refused_at IS 'The first of them, as refusal_id and user_agent are.';
CREATE INDEX login_refusal_list_idx ON login_refusal (company_id, refusal_id);
CREATE INDEX login_refusal_member_list_idx ON login_refusal (company_id, member_id, refusal_id);
CREATE INDEX login_refusal_at_idx ON login_refusal (refused_at);

ALTER TABLE login_refusal ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_refusal FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON login_refusal TO latchkey_owner USING (true);
CREATE POLICY company ON login_refusal TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT, INSERT, UPDATE (count) ON login_refusal TO latchkey_app;

-- A log-in reads the entries around its address by itself.
GRANT EXECUTE ON FUNCTION counts_now(boolean, timestamptz) TO latchkey_app;
