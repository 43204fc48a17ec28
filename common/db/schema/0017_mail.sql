-- E-mail on its way.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE mail_outbox (
    mail_id    uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES company,
    kind       text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
    object_id  uuid NOT NULL,
    recipient  text COLLATE "C" NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    detail     text NOT NULL DEFAULT '' CHECK (length(detail) <= 255),
    sender     cidr,
    state      "char" NOT NULL DEFAULT 'q' CHECK (state IN ('q', 's', 'f', 'd')),
    outcome    text NOT NULL DEFAULT '' CHECK (length(outcome) <= 500),
    attempts   integer NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CHECK ((state = 'q') = (ended_at IS NULL))
);
COMMENT ON TABLE mail_outbox IS
    'Mails to send, put here by the transaction that wants them sent, and what became of them. Never a secret: '
    'what a mail says is made at each attempt, and a link''s digest is committed before its mail is sent.';
COMMENT ON COLUMN mail_outbox.kind IS 'Which service''s renderer makes the content.';
COMMENT ON COLUMN mail_outbox.detail IS 'What the renderer needs beside the object.';
COMMENT ON COLUMN mail_outbox.sender IS
    'The address (IPv6: the /64) from which the mail was asked for; NULL = by the system. Counted for the limit.';
COMMENT ON COLUMN mail_outbox.state IS
    'q queued, s sent, f failed for good, d dropped: when its turn came there was nothing to say any more.';
COMMENT ON COLUMN mail_outbox.outcome IS 'What the mail server said last, or why there was no try.';
COMMENT ON COLUMN mail_outbox.attempts IS
    'Counted up by whoever takes the mail, and the mark of that attempt: only its own may settle it.';
COMMENT ON COLUMN mail_outbox.next_at IS
    'When the next attempt is due. Taking a mail moves it on by the lease: a mailer that dies loses nothing.';

CREATE INDEX mail_outbox_due_idx ON mail_outbox (next_at) WHERE state = 'q';
CREATE INDEX mail_outbox_object_idx ON mail_outbox (object_id, mail_id);
CREATE INDEX mail_outbox_company_idx ON mail_outbox (company_id, created_at);
CREATE INDEX mail_outbox_recipient_idx ON mail_outbox (company_id, lower(recipient), created_at);
CREATE INDEX mail_outbox_sender_idx ON mail_outbox (company_id, sender, created_at) WHERE sender IS NOT NULL;
CREATE INDEX mail_outbox_ended_idx ON mail_outbox (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE mail_outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON mail_outbox TO latchkey_owner USING (true);
CREATE POLICY company ON mail_outbox TO latchkey_app USING (company_id = (SELECT current_company()));
GRANT SELECT,
      INSERT (mail_id, company_id, kind, object_id, recipient, detail, sender),
      UPDATE (state, outcome, next_at, ended_at)
   ON mail_outbox TO latchkey_app;

CREATE FUNCTION mail_take(
        kinds text[], lease_ms bigint,
        OUT mail_id uuid, OUT company_id uuid, OUT kind text, OUT object_id uuid, OUT recipient text, OUT detail text,
        OUT attempts integer, OUT created_at timestamptz)
    RETURNS SETOF record
    LANGUAGE plpgsql ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    UPDATE mail_outbox m
       SET attempts = m.attempts + 1, next_at = clock_timestamp() + lease_ms * interval '1 millisecond'
     WHERE m.mail_id = (SELECT due.mail_id FROM mail_outbox due
                         WHERE due.state = 'q' AND due.next_at <= clock_timestamp() AND due.kind = ANY (kinds)
                         ORDER BY due.next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING m.mail_id, m.company_id, m.kind, m.object_id, m.recipient, m.detail, m.attempts, m.created_at;
END
$$;
COMMENT ON FUNCTION mail_take(text[], bigint) IS
    'Takes the mail that is longest due, of any company, for as long as the lease; no row if none is due.';
GRANT EXECUTE ON FUNCTION mail_take(text[], bigint) TO latchkey_app;

CREATE FUNCTION mail_survey(OUT queued bigint, OUT oldest_ms bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)) * 1000, 0)::bigint
      FROM (SELECT created_at FROM mail_outbox WHERE state = 'q' ORDER BY next_at LIMIT 10000) AS waiting
$$;
COMMENT ON FUNCTION mail_survey() IS 'How many mails of all companies wait, at most 10000, and the oldest how long.';
GRANT EXECUTE ON FUNCTION mail_survey() TO latchkey_app;

CREATE FUNCTION mail_prune(max_rows integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH old AS (
        SELECT mail_id FROM mail_outbox WHERE ended_at < clock_timestamp() - interval '90 days'
         ORDER BY ended_at LIMIT max_rows FOR UPDATE SKIP LOCKED),
    pruned AS (DELETE FROM mail_outbox m USING old WHERE m.mail_id = old.mail_id RETURNING 1)
    SELECT count(*) FROM pruned
$$;
COMMENT ON FUNCTION mail_prune(integer) IS 'Forgets a batch of mails that ended more than 90 days ago.';
GRANT EXECUTE ON FUNCTION mail_prune(integer) TO latchkey_app;
