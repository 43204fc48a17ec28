-- What authenticates the page tokens of all replicas.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE TABLE page_token_key (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    key     bytea NOT NULL CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE page_token_key IS
    'One row: the key of the MAC under which servers hand out page tokens. Whoever knows it can make up where '
    'a page begins, and sees nothing that it may not see anyhow.';
-- why three: core PostgreSQL's only strong random source is the version 4 UUID, with 122 bits of it.
INSERT INTO page_token_key (key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
GRANT SELECT ON page_token_key TO latchkey_app;
