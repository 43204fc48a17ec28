-- The audit log as it is written: one function appends, nobody else may. common/app/audit_event.h says what
-- is hashed; the application computes the content of an event, the function below its place in the chain.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

-- ---------------------------------------------------------------------------------------------------
-- The head of a chain

-- Rewritten with every event: room for the versions within the page, and a vacuum that comes soon.
ALTER TABLE audit_head SET (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE audit_head
    ADD COLUMN at       timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN writer   xid8 NOT NULL DEFAULT '0',
    ADD COLUMN minute   timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN refusals integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN audit_head.at IS 'Of the newest event. Time never runs backwards in a chain.';
COMMENT ON COLUMN audit_head.writer IS 'The transaction that appended last: how the export finds what has moved.';
COMMENT ON COLUMN audit_head.minute IS 'The minute in which `refusals` events of refusals were appended.';

-- ---------------------------------------------------------------------------------------------------
-- Events

DROP INDEX audit_event_object_idx;
ALTER TABLE audit_event
    DROP CONSTRAINT audit_event_pkey,
    DROP CONSTRAINT audit_event_company_id_number_key,
    DROP CONSTRAINT audit_event_company_id_fkey, -- nothing comes here past audit_head, which has one
    DROP COLUMN actor_company,
    DROP COLUMN object_kind,
    DROP COLUMN address,
    ALTER COLUMN before TYPE json USING before::json,
    ALTER COLUMN after TYPE json USING after::json,
    ALTER COLUMN action TYPE text COLLATE "C",
    ADD COLUMN actor_operator uuid,
    ADD COLUMN actor_system text NOT NULL DEFAULT '',
    ADD COLUMN kind text COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(action, '.', 1)) STORED,
    ADD COLUMN count bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    ADD COLUMN person bytea CHECK (octet_length(person) = 32),
    ADD PRIMARY KEY (company_id, number);
COMMENT ON TABLE audit_event IS
    'Who did what, appended in the transaction that did it by audit_append(). number counts from 1 in each '
    'company, without gaps. Rows are only ever added.';
COMMENT ON COLUMN audit_event.actor_operator IS 'The operator''s company, where an operator acted for this one.';
COMMENT ON COLUMN audit_event.actor_system IS 'What did it where no caller did: sweeper, bootstrap.';
COMMENT ON COLUMN audit_event.action IS 'object.verb: token.created.';
COMMENT ON COLUMN audit_event.kind IS 'The object of the action.';
COMMENT ON COLUMN audit_event.object_id IS 'A TypeID.';
COMMENT ON COLUMN audit_event.before IS
    'With after: the fields that changed, without secrets. json, not jsonb: what was hashed, byte for byte.';
COMMENT ON COLUMN audit_event.count IS 'How many alike it stands for: refusals, when a minute has many.';
COMMENT ON COLUMN audit_event.person IS 'Digest of the row of audit_person that belongs to it; NULL = none does.';

-- Every filter of the list has the number last, so that a page costs the same wherever it begins.
CREATE INDEX audit_event_member_idx ON audit_event (company_id, actor_member, number) WHERE actor_member IS NOT NULL;
CREATE INDEX audit_event_token_idx ON audit_event (company_id, actor_token, number) WHERE actor_token IS NOT NULL;
CREATE INDEX audit_event_action_idx ON audit_event (company_id, action, number);
CREATE INDEX audit_event_kind_idx ON audit_event (company_id, kind, number);
CREATE INDEX audit_event_object_idx ON audit_event (company_id, object_id, number) WHERE object_id <> '';
CREATE INDEX audit_event_at_idx ON audit_event (company_id, at, number);

CREATE TABLE audit_person (
    company_id uuid NOT NULL,
    number     bigint NOT NULL,
    salt       bytea NOT NULL CHECK (octet_length(salt) = 32),
    email      text NOT NULL,
    user_agent text NOT NULL,
    client_ip  inet,
    before     json,
    after      json,
    PRIMARY KEY (company_id, number)
);
COMMENT ON TABLE audit_person IS
    'What an event says about a person, beside the chain: it can be erased (audit_erase) and the chain, which '
    'holds a digest with this salt, stays as it is.';
COMMENT ON COLUMN audit_person.before IS
    'With after: the personal ones of the fields that changed; the others stand in the event.';

CREATE FUNCTION audit_person_kept() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'what an event says about a person is erased whole, never changed'
        USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION audit_person_kept() IS 'Stands also before the owner.';
CREATE TRIGGER audit_person_kept BEFORE UPDATE OR TRUNCATE ON audit_person
    FOR EACH STATEMENT EXECUTE FUNCTION audit_person_kept();
ALTER TABLE audit_person ENABLE ALWAYS TRIGGER audit_person_kept;

-- ---------------------------------------------------------------------------------------------------
-- Refusals beyond the few of a minute that have events of their own

CREATE TABLE audit_refusal (
    company_id uuid NOT NULL REFERENCES company,
    minute     timestamptz NOT NULL,
    action     text COLLATE "C" NOT NULL,
    object_id  text COLLATE "C" NOT NULL,
    after      text COLLATE "C" NOT NULL,
    count      bigint NOT NULL,
    PRIMARY KEY (company_id, minute, action, object_id, after)
);
COMMENT ON TABLE audit_refusal IS
    'Refusals of the present minute, counted. When the minute is over, a job appends each row as one event.';
COMMENT ON COLUMN audit_refusal.object_id IS
    'With after: as in the event; '''' once a minute has many different ones.';
CREATE INDEX audit_refusal_minute_idx ON audit_refusal (minute);

CREATE FUNCTION audit_refusal_count(company uuid, what text, object text, reason text, kinds_max integer)
    RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH now AS (SELECT date_trunc('minute', clock_timestamp()) AS minute),
    room AS (
        SELECT count(*) < kinds_max OR bool_or(r.action = what AND r.object_id = object AND r.after = reason)
               AS is_there FROM audit_refusal r, now WHERE r.company_id = company AND r.minute = now.minute)
    INSERT INTO audit_refusal AS present (company_id, minute, action, object_id, after, count)
    SELECT company, now.minute, what, CASE WHEN room.is_there THEN object ELSE '' END,
           CASE WHEN room.is_there THEN reason ELSE '' END, 1 FROM now, room
        ON CONFLICT (company_id, minute, action, object_id, after) DO UPDATE SET count = present.count + 1
$$;
COMMENT ON FUNCTION audit_refusal_count(uuid, text, text, text, integer) IS
    'One more of its kind in this minute, or, where there are kinds_max kinds, of the action alone.';

CREATE FUNCTION audit_refusal_companies(max_companies integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT DISTINCT company_id FROM audit_refusal
     WHERE minute < date_trunc('minute', clock_timestamp()) LIMIT max_companies
$$;
COMMENT ON FUNCTION audit_refusal_companies(integer) IS 'Companies with counted refusals of minutes that are over.';
GRANT EXECUTE ON FUNCTION audit_refusal_companies(integer) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Appending

CREATE FUNCTION audit_append(
        company uuid, member uuid, token uuid, operator uuid, system text, request uuid,
        email text, user_agent text, client_ip inet,
        events uuid[], actions text[], objects text[], befores text[], afters text[], counts bigint[],
        refusals_max bigint[], contents bytea[], persons bytea[], salts bytea[],
        person_befores text[], person_afters text[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    kinds_max CONSTANT integer := 20;
    head      audit_head;
    is_locked boolean := false;
    last_hash bytea;
BEGIN
    FOR i IN 1 .. cardinality(events) LOOP
        -- Without the lock: a flood of refusals does not queue where changes do.
        IF refusals_max[i] > 0 AND NOT is_locked THEN
            SELECT * INTO head FROM audit_head WHERE company_id = company;
            IF head.minute = date_trunc('minute', clock_timestamp()) AND head.refusals >= refusals_max[i] THEN
                PERFORM audit_refusal_count(company, actions[i], objects[i], afters[i], kinds_max);
                CONTINUE;
            END IF;
        END IF;
        IF NOT is_locked THEN
            SELECT * INTO head FROM audit_head WHERE company_id = company FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                INSERT INTO audit_head (company_id) VALUES (company) ON CONFLICT DO NOTHING;
                SELECT * INTO STRICT head FROM audit_head WHERE company_id = company FOR NO KEY UPDATE;
            END IF;
            is_locked := true;
        END IF;

        head.at := greatest(head.at, clock_timestamp());
        IF refusals_max[i] > 0 THEN
            IF head.minute <> date_trunc('minute', head.at) THEN
                head.minute := date_trunc('minute', head.at);
                head.refusals := 0;
            END IF;
            IF head.refusals >= refusals_max[i] THEN
                PERFORM audit_refusal_count(company, actions[i], objects[i], afters[i], kinds_max);
                CONTINUE;
            END IF;
            head.refusals := head.refusals + 1;
        END IF;

        last_hash := head.hash;
        head.number := head.number + 1;
        head.hash := sha256(last_hash || int8send(head.number)
                         || int8send((extract(epoch FROM head.at) * 1000000)::bigint) || contents[i]);
        INSERT INTO audit_event (event_id, company_id, number, at, actor_member, actor_token, actor_operator,
                                 actor_system, action, object_id, before, after, request_id, count, person,
                                 previous_hash, hash)
        VALUES (events[i], company, head.number, head.at, member, token, operator,
                system, actions[i], objects[i], nullif(befores[i], '')::json, nullif(afters[i], '')::json,
                request, counts[i], nullif(persons[i], ''), last_hash, head.hash);
        IF persons[i] <> '' THEN
            INSERT INTO audit_person (company_id, number, salt, email, user_agent, client_ip, before, after)
            VALUES (company, head.number, salts[i], email, user_agent, client_ip,
                    nullif(person_befores[i], '')::json, nullif(person_afters[i], '')::json);
        END IF;
    END LOOP;

    IF is_locked THEN
        UPDATE audit_head SET number = head.number, hash = head.hash, at = head.at, minute = head.minute,
               refusals = head.refusals, writer = pg_current_xact_id() WHERE company_id = company;
    END IF;
END
$$;
COMMENT ON FUNCTION audit_append(uuid, uuid, uuid, uuid, text, uuid, text, text, inet, uuid[], text[], text[],
                                 text[], text[], bigint[], bigint[], bytea[], bytea[], bytea[], text[], text[]) IS
    'Appends events to the company''s chain, whose head it holds from here to the commit: after the objects, '
    'before the lane. An event with refusals_max > 0 is a refusal: that many of a minute are appended, the rest '
    'are counted in audit_refusal. contents: what of the hash does not depend on the place.';
GRANT EXECUTE ON FUNCTION audit_append(uuid, uuid, uuid, uuid, text, uuid, text, text, inet, uuid[], text[], text[],
                                       text[], text[], bigint[], bigint[], bytea[], bytea[], bytea[], text[],
                                       text[]) TO latchkey_app;

-- ---------------------------------------------------------------------------------------------------
-- Exporting and erasing

CREATE FUNCTION audit_heads_moved(
        since bigint, OUT company_id uuid, OUT number bigint, OUT hash bytea, OUT next_since bigint)
    RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    SELECT h.company_id, h.number, h.hash, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      FROM audit_head h
     WHERE h.number > 0
       AND (since = 0 OR (h.writer >= since::text::xid8 AND h.writer < pg_snapshot_xmax(pg_current_snapshot())))
     ORDER BY h.company_id
$$;
COMMENT ON FUNCTION audit_heads_moved(bigint) IS
    'The heads that may have moved since an earlier call that gave next_since (0 = all). None is missed, '
    'however long its transaction took; some come twice.';
GRANT EXECUTE ON FUNCTION audit_heads_moved(bigint) TO latchkey_app;

CREATE FUNCTION audit_erase(member uuid, member_text text, max_rows integer) RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, latchkey, pg_temp
AS $$
    WITH subject AS (
        SELECT m.company_id, lower(m.email) AS email FROM member m WHERE m.member_id = audit_erase.member),
    erased AS (
        DELETE FROM audit_person WHERE (company_id, number) IN (
            SELECT p.company_id, p.number
              FROM subject, audit_person p JOIN audit_event e USING (company_id, number)
             WHERE e.actor_member = audit_erase.member
                OR (p.company_id = subject.company_id
                    AND (e.object_id = member_text
                         OR member_text IN (e.after ->> 'member_id', e.before ->> 'member_id')
                         OR lower(coalesce(p.after ->> 'email', p.before ->> 'email')) = subject.email))
             LIMIT max_rows)
        RETURNING 1)
    SELECT count(*) FROM erased
$$;
COMMENT ON FUNCTION audit_erase(uuid, text, integer) IS
    'Erases what up to max_rows events say about a member (its id, and as a TypeID): events by it in any '
    'company, and in its own those on it, its log-ins and tokens, or with its e-mail address. Returns how many; call again '
    'until 0.';

-- ---------------------------------------------------------------------------------------------------
-- Who may what: the application appends by the function alone

DO $$
DECLARE
    tenant name;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['audit_person', 'audit_refusal'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format('CREATE POLICY owner ON %I TO latchkey_owner USING (true)', tenant);
        EXECUTE format('CREATE POLICY company ON %I TO latchkey_app '
                    || 'USING (company_id = (SELECT current_company()))', tenant);
    END LOOP;
END
$$;
CREATE POLICY auditor ON audit_person FOR SELECT TO latchkey_auditor USING (true);
GRANT SELECT ON audit_person TO latchkey_app, latchkey_auditor;
GRANT SELECT, UPDATE, DELETE ON audit_refusal TO latchkey_app;
REVOKE INSERT ON audit_event FROM latchkey_app;
REVOKE INSERT, UPDATE ON audit_head FROM latchkey_app;
GRANT INSERT (company_id) ON audit_head TO latchkey_app;
