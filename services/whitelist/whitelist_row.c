#include "services/whitelist/whitelist_row.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"

enum {
    ENTRY_ID,
    ADDRESS,
    CIDR,
    NOTE,
    OWNER,
    DISABLED,
    EXPIRES_AT,
    CREATED_AT,
    CREATED_BY,
    LAST_HIT_AT,
    VERSION,
};
static_assert(VERSION == WHITELIST_ENTRY_COLUMN_COUNT - 1, "the last column");

enum { COMPANY_ID, ENABLED, SCOPE, ENTRY_COUNT, CONFIRM_BY, WHITELIST_VERSION, PREVIOUS_ENABLED };

bool whitelist_row_read_entry(const struct db_result *rows, int row, struct arena *arena,
                              struct whitelist_entry *ret_entry) {
    *ret_entry = (struct whitelist_entry){
        .entry_id = db_result_get_uuid(rows, row, ENTRY_ID),
        .address = db_result_copy_text(rows, row, ADDRESS, arena),
        .prefix = db_result_get_prefix(rows, row, CIDR),
        .note = db_result_copy_text(rows, row, NOTE, arena),
        .owner = db_result_copy_text(rows, row, OWNER, arena),
        .is_disabled = db_result_get_bool(rows, row, DISABLED),
        .expires_at_ms = db_result_get_time_ms_or(rows, row, EXPIRES_AT, CLOCK_NEVER_MS),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .created_by = db_result_copy_text(rows, row, CREATED_BY, arena),
        .last_hit_at_ms = db_result_get_time_ms_or(rows, row, LAST_HIT_AT, CLOCK_ALWAYS_MS),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    return ret_entry->address && ret_entry->note && ret_entry->owner && ret_entry->created_by;
}

enum status whitelist_row_refuse_draft(struct app_call *call, struct uuid draft_id) {
    return fault_set(call->fault, STATUS_NOT_FOUND, "DRAFT_NOT_FOUND",
                     "there is no draft %s: it was published or discarded, or never was",
                     typeid_of(TYPEID_DRAFT, draft_id).text);
}

static enum whitelist_unconfirmed read_unconfirmed(const struct db_result *rows) {
    if (db_result_is_null(rows, 0, CONFIRM_BY))
        return WHITELIST_UNCONFIRMED_NOTHING;
    if (db_result_is_null(rows, 0, PREVIOUS_ENABLED))
        return WHITELIST_UNCONFIRMED_LIST;
    return db_result_get_bool(rows, 0, PREVIOUS_ENABLED) ? WHITELIST_UNCONFIRMED_SCOPE
                                                         : WHITELIST_UNCONFIRMED_SWITCH;
}

enum status whitelist_row_read(struct app_call *call, const struct db_result *rows, struct uuid draft_id,
                               struct whitelist *ret_whitelist) {
    if (db_result_get_row_count(rows) == 0 && !uuid_is_zero(draft_id))
        return whitelist_row_refuse_draft(call, draft_id);
    // Every company is made with one.
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_INTERNAL, "WHITELIST_MISSING", "the company has no whitelist");
    *ret_whitelist = (struct whitelist){
        .company_id = db_result_get_uuid(rows, 0, COMPANY_ID),
        .is_enabled = db_result_get_bool(rows, 0, ENABLED),
        .scope = (enum whitelist_scope)db_result_get_int16(rows, 0, SCOPE),
        .entry_count = db_result_get_int64(rows, 0, ENTRY_COUNT),
        .confirm_by_ms = db_result_get_time_ms_or(rows, 0, CONFIRM_BY, CLOCK_NEVER_MS),
        .unconfirmed = read_unconfirmed(rows),
        .version = db_result_get_int64(rows, 0, WHITELIST_VERSION),
    };
    return STATUS_OK;
}

void whitelist_row_init_params(struct db_params *params, const struct app_call *call, struct uuid draft_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid_or_null(params, draft_id);
}
