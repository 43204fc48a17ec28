#include "common/app/call.h"

// company_lane() of the schema: the low six bits of the id.
enum { LANE_MASK = 63 };

void app_call_enter_company(struct app_call *call, struct uuid company_id) {
    call->company_id = company_id;
    call->lane = company_id.bytes[15] & LANE_MASK;
    db_set_company(call->transaction, company_id);
}

const char *app_call_get_author(const struct app_call *call) {
    if (call->caller)
        return arena_copy_text(call->arena, caller_get_author(call->caller).text);
    return call->system ? call->system : "";
}
