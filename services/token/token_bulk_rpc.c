// DeactivateAccessTokens: every token that the filters name, or none.
#include "common/app/audit.h"
#include "common/base/buffer.h"
#include "common/base/hex.h"
#include "common/base/time_text.h"
#include "common/base/typeid.h"
#include "common/protobuf/field.h"
#include "services/token/token_bulk_store.h"
#include "services/token/token_rpc.h"
#include "services/token/token_wish_rpc.h"

// How many of a crowd the audit log names, as many as it has of any list; of all it has the number and a
// digest.
#define AUDITED_IDS_MAX 10

// What is asked, read and checked.
struct bulk {
    const Latchkey__V1__DeactivateAccessTokensRequest *request;
    struct token_filter filter;
    int reason;
};

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

// ---- what the audit log says ----

static void append_name(struct buffer *json, const char *name) {
    bool is_first = json->len > 0 && json->data[json->len - 1] == '{';
    buffer_append_format(json, "%s\"%s\":", is_first ? "" : ",", name);
}

static void append_text(struct buffer *json, const char *name, const char *text) {
    append_name(json, name);
    buffer_append_json(json, bytes_of_text(text));
}

static void append_time(struct buffer *json, const char *name, int64_t at_ms) {
    char text[TIME_TEXT_MAX + 1];
    time_text_format(at_ms, text);
    append_text(json, name, text);
}

// The filters that were set, by their names and as they were typed.
static void append_filter(struct buffer *json, const struct bulk *bulk) {
    static const char *const texts[] = {"member_id", "label_contains", "permission", "external_id"};
    const Latchkey__V1__DeactivateAccessTokensRequest *request = bulk->request;
    append_name(json, "filter");
    buffer_append_byte(json, '{');
    if (bulk->filter.state != TOKEN_STATE_ANY)
        append_text(json, "state", field_get_enum_name(&request->base, "state"));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (*field_get_text(&request->base, texts[i]))
            append_text(json, texts[i], field_get_text(&request->base, texts[i]));
    if (request->expires_before)
        append_time(json, "expires_before", bulk->filter.expires_before_ms);
    if (request->unused_since)
        append_time(json, "unused_since", bulk->filter.unused_since_ms);
    buffer_append_byte(json, '}');
}

static void append_ids(struct buffer *json, const Latchkey__V1__DeactivateAccessTokensResponse *response,
                       const struct digest *digest) {
    char hex[2 * DIGEST_LENGTH + 1];
    append_name(json, "token_ids");
    buffer_append_byte(json, '[');
    for (size_t i = 0; i < response->n_token_ids && i < AUDITED_IDS_MAX; i++)
        buffer_append_format(json, "%s\"%s\"", i > 0 ? "," : "", response->token_ids[i]);
    buffer_append_byte(json, ']');
    hex_format(bytes_of(digest->bytes, DIGEST_LENGTH), hex);
    append_text(json, "token_ids_sha256", hex);
}

static enum status note(struct app_call *call, const struct bulk *bulk, const struct digest *digest,
                        const Latchkey__V1__DeactivateAccessTokensResponse *response) {
    struct buffer json = {0};
    const ProtobufCEnumValue *word =
        protobuf_c_enum_descriptor_get_value(&latchkey__v1__deactivate_reason__descriptor, bulk->reason);
    buffer_append_byte(&json, '{');
    append_filter(&json, bulk);
    append_text(&json, "deactivate_reason", word ? word->name : "");
    if (*bulk->request->note)
        append_text(&json, "deactivate_note", bulk->request->note);
    append_time(&json, "deactivated_at", call->now_ms);
    append_ids(&json, response, digest);
    buffer_append_text(&json, "}");
    buffer_append_byte(&json, '\0');
    enum status status = json.failed ? fault_set_no_memory(call->fault)
                                     : audit_note_many(call, "token.deactivated",
                                                       typeid_of(TYPEID_COMPANY, call->company_id).text,
                                                       (const char *)json.data, (int64_t)response->count);
    buffer_fini(&json);
    return status;
}

// ---- the method ----

static enum status deactivate(struct app_call *call, const struct bulk *bulk,
                              Latchkey__V1__DeactivateAccessTokensResponse *response) {
    const bool is_dry = bulk->request->dry_run;
    struct token_crowd crowd;
    enum status status =
        is_dry ? token_store_count_many(call, &bulk->filter, &crowd)
               : token_store_deactivate_many(call, &bulk->filter, bulk->reason, bulk->request->note, &crowd);
    if (status != STATUS_OK)
        return status;
    if (!fill(response, &crowd, call->arena))
        return fault_set_no_memory(call->fault);
    return is_dry || crowd.count == 0 ? STATUS_OK : note(call, bulk, &crowd.ids_digest, response);
}

enum status token_rpc_deactivate_many(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response) {
    struct bulk bulk = {.request = (const Latchkey__V1__DeactivateAccessTokensRequest *)message};
    Latchkey__V1__DeactivateAccessTokensResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateAccessTokensResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_access_tokens_response__init(response);

    bulk.reason = token_read_reason(bulk.request->reason, call->fault);
    token_check_text(bulk.request->note, TOKEN_NOTE_MAX, "note", call->fault);
    enum status status = token_read_filter(message, call, &bulk.filter);
    if (status == STATUS_OK && token_filter_is_empty(&bulk.filter))
        status =
            fault_set(call->fault, STATUS_INVALID, "INVALID_ARGUMENT",
                      "set at least one filter, such as member_id or unused_since: nobody means to end all "
                      "tokens of a company");
    if (status == STATUS_OK)
        status = deactivate(call, &bulk, response);
    *ret_response = &response->base;
    return status;
}
