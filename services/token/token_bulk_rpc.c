// DeactivateAccessTokens: every token that the filters name, or none.
#include "common/app/audit.h"
#include "common/base/buffer.h"
#include "common/base/typeid.h"
#include "services/token/token_bulk_store.h"
#include "services/token/token_rpc.h"
#include "services/token/token_wish_rpc.h"

// How many of a crowd the audit log names; it has the number of all.
#define AUDITED_IDS_MAX 100

static bool fill(Latchkey__V1__DeactivateAccessTokensResponse *response, const struct token_crowd *crowd,
                 struct arena *arena) {
    struct typeid *ids = ARENA_NEW_ARRAY(arena, struct typeid, crowd->token_id_count);
    response->token_ids = ARENA_NEW_ARRAY(arena, char *, crowd->token_id_count);
    if (!ids || !response->token_ids)
        return false;
    for (size_t i = 0; i < crowd->token_id_count; i++) {
        ids[i] = typeid_of(TYPEID_TOKEN, crowd->token_ids[i]);
        response->token_ids[i] = ids[i].text;
    }
    response->n_token_ids = crowd->token_id_count;
    response->count = (uint64_t)crowd->count;
    return true;
}

static enum status note(struct app_call *call, const Latchkey__V1__DeactivateAccessTokensResponse *response,
                        int reason) {
    struct buffer json = {0};
    buffer_append_format(&json, "{\"deactivate_reason\":%d,\"token_ids\":[", reason);
    for (size_t i = 0; i < response->n_token_ids && i < AUDITED_IDS_MAX; i++)
        buffer_append_format(&json, "%s\"%s\"", i > 0 ? "," : "", response->token_ids[i]);
    buffer_append_text(&json, "]}");
    buffer_append_byte(&json, '\0');
    enum status status = json.failed ? fault_set_no_memory(call->fault)
                                     : audit_note_many(call, "token.deactivated",
                                                       typeid_of(TYPEID_COMPANY, call->company_id).text,
                                                       (const char *)json.data, (int64_t)response->count);
    buffer_fini(&json);
    return status;
}

static enum status deactivate(struct app_call *call,
                              const Latchkey__V1__DeactivateAccessTokensRequest *request, int reason,
                              const struct token_filter *filter,
                              Latchkey__V1__DeactivateAccessTokensResponse *response) {
    struct token_crowd crowd;
    enum status status = request->dry_run
                             ? token_store_count_many(call, filter, &crowd)
                             : token_store_deactivate_many(call, filter, reason, request->note, &crowd);
    if (status != STATUS_OK)
        return status;
    if (!fill(response, &crowd, call->arena))
        return fault_set_no_memory(call->fault);
    return request->dry_run || crowd.count == 0 ? STATUS_OK : note(call, response, reason);
}

enum status token_rpc_deactivate_many(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateAccessTokensRequest *request =
        (const Latchkey__V1__DeactivateAccessTokensRequest *)message;
    Latchkey__V1__DeactivateAccessTokensResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateAccessTokensResponse);
    struct token_filter filter;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_access_tokens_response__init(response);

    int reason = token_read_reason(request->reason, call->fault);
    token_check_text(request->note, TOKEN_NOTE_MAX, "note", call->fault);
    enum status status = token_read_filter(message, call, &filter);
    if (status == STATUS_OK && token_filter_is_empty(&filter))
        status =
            fault_set(call->fault, STATUS_INVALID, "INVALID_ARGUMENT",
                      "set at least one filter, such as member_id or unused_since: nobody means to end all "
                      "tokens of a company");
    if (status == STATUS_OK)
        status = deactivate(call, request, reason, &filter, response);
    *ret_response = &response->base;
    return status;
}
