-- The whitelist: a company's list of addresses. Its entries belong to a *list*, a version of the whole;
-- the whitelist points at the live one. Bulk is staged in a list of its own and published by moving
-- the pointer, so that publishing a million entries changes one row.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE whitelist_list (
    list_id     uuid PRIMARY KEY,
    company_id  uuid NOT NULL REFERENCES company,
    entry_count bigint NOT NULL DEFAULT 0 CHECK (entry_count >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT '',
    UNIQUE (company_id, list_id)
);
COMMENT ON TABLE whitelist_list IS 'One version of a company''s address list: the live one, or a draft.';
COMMENT ON COLUMN whitelist_list.entry_count IS
    'How many entries it has, disabled and expired ones included. Kept by triggers of whitelist_entry; also '
    'the lock that makes the writers of one list take turns.';

CREATE TABLE whitelist (
    company_id       uuid PRIMARY KEY REFERENCES company,
    enabled          boolean NOT NULL DEFAULT false,
    scope            smallint NOT NULL DEFAULT 1 CHECK (scope IN (1, 2)),
    live_list_id     uuid NOT NULL,
    previous_list_id uuid,
    confirm_by       timestamptz,
    version          bigint NOT NULL DEFAULT 1,
    FOREIGN KEY (company_id, live_list_id) REFERENCES whitelist_list (company_id, list_id),
    FOREIGN KEY (company_id, previous_list_id) REFERENCES whitelist_list (company_id, list_id),
    CHECK ((confirm_by IS NULL) = (previous_list_id IS NULL))
);
COMMENT ON TABLE whitelist IS
    'A company''s whitelist: made with the company, switched off. Off = no restriction; on with no live '
    'entry = nobody.';
COMMENT ON COLUMN whitelist.scope IS
    'WhitelistScope of whitelist.proto: 1 = every token, 2 = log-ins and login tokens.';
COMMENT ON COLUMN whitelist.live_list_id IS 'The list that counts.';
COMMENT ON COLUMN whitelist.confirm_by IS
    'Set while a published list waits for its confirmation: previous_list_id comes back at this time.';
CREATE TRIGGER whitelist_version BEFORE UPDATE ON whitelist FOR EACH ROW EXECUTE FUNCTION raise_version();

CREATE TABLE whitelist_entry (
    entry_id      uuid NOT NULL,
    company_id    uuid NOT NULL,
    list_id       uuid NOT NULL,
    address       text NOT NULL CHECK (length(address) BETWEEN 2 AND 64),
    cidr          cidr NOT NULL,
    checking_bits smallint NOT NULL GENERATED ALWAYS AS (masklen(cidr)::smallint) STORED,
    note          text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    owner         text NOT NULL DEFAULT '' CHECK (length(owner) <= 100),
    disabled      boolean NOT NULL DEFAULT false,
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL DEFAULT '',
    version       bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (list_id, entry_id),
    CONSTRAINT whitelist_entry_not_mapped CHECK (NOT cidr <<= '::ffff:0:0/96')
);
COMMENT ON TABLE whitelist_entry IS
    'An address or a range in a list. Copying a list keeps entry_id, so that an entry is the same one before '
    'and after publishing.';
COMMENT ON COLUMN whitelist_entry.address IS 'As its author typed it, host bits and all.';
COMMENT ON COLUMN whitelist_entry.cidr IS 'The same, canonical; IPv4-mapped IPv6 addresses are stored as IPv4.';
COMMENT ON COLUMN whitelist_entry.expires_at IS 'It counts until then; NULL = always. The row stays.';

-- Finds containing prefixes by asking for each possible length, and the nearest miss as the neighbours in
-- the order of prefixes: see 0008. Also serves `within`.
CREATE INDEX whitelist_entry_cidr_idx ON whitelist_entry (list_id, cidr);
CREATE INDEX whitelist_entry_expiry_idx ON whitelist_entry (list_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER whitelist_entry_version BEFORE UPDATE ON whitelist_entry
    FOR EACH ROW EXECUTE FUNCTION raise_version();

-- why: instead of a foreign key, which would cost a look-up per row and most of the time of a bulk load,
-- one statement per batch counts the rows by list and insists that each list is there and its company's.
CREATE FUNCTION whitelist_entry_count() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
DECLARE
    lists_named bigint;
    lists_found bigint;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE whitelist_list SET entry_count = 0 WHERE entry_count <> 0;
        RETURN NULL;
    END IF;

    IF TG_OP = 'INSERT' THEN
        WITH gained AS (SELECT company_id, list_id, count(*) AS entries FROM new_rows GROUP BY 1, 2),
             counted AS (UPDATE whitelist_list list SET entry_count = entry_count + entries FROM gained
                          WHERE list.list_id = gained.list_id AND list.company_id = gained.company_id
                      RETURNING 1)
        SELECT (SELECT count(*) FROM gained), (SELECT count(*) FROM counted) INTO lists_named, lists_found;
    ELSIF TG_OP = 'DELETE' THEN
        WITH lost AS (SELECT company_id, list_id, count(*) AS entries FROM old_rows GROUP BY 1, 2)
        UPDATE whitelist_list list SET entry_count = entry_count - entries FROM lost
         WHERE list.list_id = lost.list_id AND list.company_id = lost.company_id;
    ELSIF EXISTS (SELECT list_id, company_id, count(*) FROM old_rows GROUP BY 1, 2
                  EXCEPT SELECT list_id, company_id, count(*) FROM new_rows GROUP BY 1, 2) THEN
        RAISE EXCEPTION 'an entry stays in its list' USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    IF lists_found <> lists_named THEN
        RAISE EXCEPTION 'a whitelist entry names a list that its company does not have'
            USING ERRCODE = 'foreign_key_violation', TABLE = 'whitelist_entry', CONSTRAINT = 'whitelist_entry_list';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER whitelist_entry_count_insert AFTER INSERT ON whitelist_entry
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION whitelist_entry_count();
CREATE TRIGGER whitelist_entry_count_update AFTER UPDATE ON whitelist_entry
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION whitelist_entry_count();
CREATE TRIGGER whitelist_entry_count_delete AFTER DELETE ON whitelist_entry
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION whitelist_entry_count();
CREATE TRIGGER whitelist_entry_count_truncate AFTER TRUNCATE ON whitelist_entry
    FOR EACH STATEMENT EXECUTE FUNCTION whitelist_entry_count();
ALTER TABLE whitelist_entry ENABLE ALWAYS TRIGGER whitelist_entry_count_insert;
ALTER TABLE whitelist_entry ENABLE ALWAYS TRIGGER whitelist_entry_count_update;
ALTER TABLE whitelist_entry ENABLE ALWAYS TRIGGER whitelist_entry_count_delete;
ALTER TABLE whitelist_entry ENABLE ALWAYS TRIGGER whitelist_entry_count_truncate;

CREATE FUNCTION whitelist_list_unused() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM whitelist_entry WHERE list_id = OLD.list_id) THEN
        RAISE EXCEPTION 'the list still has entries' USING ERRCODE = 'foreign_key_violation',
            TABLE = 'whitelist_entry', CONSTRAINT = 'whitelist_entry_list';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION whitelist_list_unused() IS
    'The other half of the foreign key that whitelist_entry does without.';
CREATE TRIGGER whitelist_list_unused AFTER DELETE ON whitelist_list
    FOR EACH ROW EXECUTE FUNCTION whitelist_list_unused();

CREATE TABLE whitelist_entry_use (
    entry_id    uuid PRIMARY KEY,
    company_id  uuid NOT NULL,
    last_hit_at timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE whitelist_entry_use IS
    'When an entry last let somebody in; no row = never. Like token_use: no triggers, no keys, written '
    'behind the event.';
