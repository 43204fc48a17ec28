-- A whitelist that is switched on, or comes to cover more, may wait for its confirmation as a published list does: unless it is
-- confirmed, the settings before come back. The list stays the same meanwhile, so previous_list_id is the live one.
--
-- Breaks no program: the constraint is on columns that programs before do not write, and triggers keep it where those write the others.

SET LOCAL ROLE latchkey_owner;
SET LOCAL search_path = latchkey, pg_catalog;

ALTER TABLE whitelist
    ADD COLUMN previous_enabled boolean,
    ADD COLUMN previous_scope smallint,
    ADD CONSTRAINT whitelist_previous_settings
        CHECK ((previous_enabled IS NULL) = (previous_scope IS NULL) AND (previous_enabled IS NULL OR confirm_by IS NOT NULL));
COMMENT ON COLUMN whitelist.confirm_by IS
    'Set while a published list or changed settings wait for their confirmation: previous_list_id, previous_enabled and '
    'previous_scope come back at this time.';
COMMENT ON COLUMN whitelist.previous_enabled IS
    'The settings that come back; NULL: a list was published, and they stay. Both are taken back by triggers, so that programs '
    'that do not know them revert and confirm rightly.';

CREATE FUNCTION whitelist_revert_settings() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    NEW.enabled := OLD.previous_enabled;
    NEW.scope := OLD.previous_scope;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION whitelist_revert_settings() IS
    'Who reverts says which list is live again; who confirms does not name it.';

CREATE FUNCTION whitelist_end_trial() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, latchkey, pg_temp
AS $$
BEGIN
    NEW.previous_list_id := NULL;
    NEW.confirm_by := NULL;
    NEW.previous_enabled := NULL;
    NEW.previous_scope := NULL;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION whitelist_end_trial() IS
    'Settings that were confirmed or reverted wait no more; nor does a list that was switched off meanwhile, which nothing '
    'may switch on again by itself.';

-- In the order of their names.
CREATE TRIGGER whitelist_trial_1_reverts BEFORE UPDATE OF live_list_id ON whitelist FOR EACH ROW
    WHEN (OLD.previous_enabled IS NOT NULL AND NEW.confirm_by IS NULL) EXECUTE FUNCTION whitelist_revert_settings();
CREATE TRIGGER whitelist_trial_2_ends BEFORE UPDATE ON whitelist FOR EACH ROW
    WHEN (OLD.previous_enabled IS NOT NULL AND (NEW.confirm_by IS NULL OR NOT NEW.enabled))
    EXECUTE FUNCTION whitelist_end_trial();
