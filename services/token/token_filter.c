#include "services/token/token_filter.h"

#include "common/base/clock.h"

// why: which index serves a filter depends on which of its parts are set, so a plan made for all of them at
// once would be made for none.
const struct db_statement token_plan_afresh_statement = {"token_plan_afresh",
                                                         "SET LOCAL plan_cache_mode = force_custom_plan"};

bool token_filter_is_empty(const struct token_filter *filter) {
    return filter->state == TOKEN_STATE_ANY && uuid_is_zero(filter->member_id) &&
           filter->external_id.len == 0 && !token_filter_looks_at_each(filter);
}

bool token_filter_looks_at_each(const struct token_filter *filter) {
    return filter->label_contains.len > 0 || filter->grant_count > 0 ||
           filter->expires_before_ms != CLOCK_NEVER_MS || filter->unused_since_ms != CLOCK_ALWAYS_MS;
}

void token_filter_add_params(const struct token_filter *filter, struct db_params *params) {
    db_params_add_uuid_or_null(params, filter->member_id);
    db_params_add_text(params, filter->label_contains);
    db_params_add_text_array(params, filter->grants, filter->grant_count);
    db_params_add_time_ms_or_null(params, filter->expires_before_ms);
    db_params_add_time_ms_or_null(params, filter->unused_since_ms);
    db_params_add_text(params, filter->external_id);
    db_params_add_int16(params, (int16_t)filter->state);
}
