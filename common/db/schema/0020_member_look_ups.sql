-- Members found by the id that their company knows them by, removed ones too: what provisioning asks before each
-- change, in companies of any size.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

CREATE INDEX member_external_id_idx ON member (company_id, external_id) WHERE external_id <> '';
