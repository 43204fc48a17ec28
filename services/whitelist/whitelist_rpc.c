#include "services/whitelist/whitelist_rpc.h"

#include "common/app/audit.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/update_mask.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_store.h"

enum status whitelist_rpc_check_outcome(struct app_call *call, const struct whitelist_outcome *outcome) {
    struct whitelist_asker asker = {.address = call->caller->address,
                                    .kind = (enum token_kind)call->caller->subject.kind,
                                    .is_acting = call->caller->is_acting};
    return whitelist_check_outcome(outcome, &asker, call->fault);
}

// ---- GetWhitelist ----

enum status whitelist_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    (void)message; // the caller's company has one
    Latchkey__V1__GetWhitelistResponse *response = ARENA_NEW(call->arena, Latchkey__V1__GetWhitelistResponse);
    struct whitelist whitelist;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_whitelist_response__init(response);
    enum status status = whitelist_store_get(call, &whitelist);
    if (status != STATUS_OK)
        return status;
    response->whitelist = whitelist_message_new(&whitelist, call->arena);
    *ret_response = &response->base;
    return response->whitelist ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- UpdateWhitelist ----

enum { ENABLED, SCOPE };
static const char *const update_fields[] = {[ENABLED] = "enabled", [SCOPE] = "scope"};

// Cleared, it is what a company begins with.
static enum whitelist_scope read_scope(const Latchkey__V1__Whitelist *wish, struct fault *fault) {
    int scope = wish ? (int)wish->scope : WHITELIST_SCOPE_NONE; // an open enum: a peer may send any number
    if (scope < WHITELIST_SCOPE_NONE || scope > WHITELIST_SCOPE_LOGINS)
        fault_add_field(fault, "whitelist.scope", "type WHITELIST_SCOPE_ALL or WHITELIST_SCOPE_LOGINS");
    return scope == WHITELIST_SCOPE_LOGINS ? WHITELIST_SCOPE_LOGINS : WHITELIST_SCOPE_ALL;
}

static enum status note_update(struct app_call *call, const struct whitelist *was,
                               const struct whitelist *is) {
    const Latchkey__V1__Whitelist *before = whitelist_message_new(was, call->arena);
    const Latchkey__V1__Whitelist *after = whitelist_message_new(is, call->arena);
    if (!before || !after)
        return fault_set_no_memory(call->fault);
    return audit_note(call, "whitelist.updated", typeid_of(TYPEID_COMPANY, call->company_id).text,
                      &before->base, &after->base);
}

static enum status update(struct app_call *call, const Latchkey__V1__UpdateWhitelistRequest *request,
                          struct whitelist *ret_whitelist) {
    const Latchkey__V1__Whitelist *wish = request->whitelist;
    uint32_t mask =
        update_mask_parse(request->update_mask, update_fields, ARRAY_LENGTH(update_fields), call->fault);
    bool is_enabled = wish && wish->enabled;
    enum whitelist_scope scope = read_scope(wish, call->fault);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;

    struct whitelist_standing standing;
    enum status status = whitelist_store_lock(call, &standing);
    if (status != STATUS_OK)
        return status;
    struct whitelist_outcome outcome = {
        .is_enabled = mask & UPDATE_MASK_BIT(ENABLED) ? is_enabled : standing.whitelist.is_enabled,
        .scope = mask & UPDATE_MASK_BIT(SCOPE) ? scope : standing.whitelist.scope,
        .lists_caller = standing.lists_caller,
        .lists_anybody = standing.lists_anybody,
    };
    status = whitelist_check_etag(wish ? wish->etag : "", standing.whitelist.version, call->fault);
    if (status == STATUS_OK && !request->force)
        status = whitelist_rpc_check_outcome(call, &outcome);
    if (status != STATUS_OK)
        return status;
    status = whitelist_store_update(call, outcome.is_enabled, outcome.scope, ret_whitelist);
    return status == STATUS_OK ? note_update(call, &standing.whitelist, ret_whitelist) : status;
}

enum status whitelist_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                 ProtobufCMessage **ret_response) {
    Latchkey__V1__UpdateWhitelistResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__UpdateWhitelistResponse);
    struct whitelist whitelist;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_whitelist_response__init(response);
    enum status status = update(call, (const Latchkey__V1__UpdateWhitelistRequest *)message, &whitelist);
    if (status != STATUS_OK)
        return status;
    response->whitelist = whitelist_message_new(&whitelist, call->arena);
    *ret_response = &response->base;
    return response->whitelist ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- CheckIp ----

static struct ip_address read_client_ip(const Latchkey__V1__CheckIpRequest *request, struct app_call *call) {
    struct ip_address address = {0};
    if (*request->client_ip) {
        enum ip_parse_result result = ip_address_parse(bytes_of_text(request->client_ip), &address);
        if (result != IP_PARSE_OK)
            fault_add_field(call->fault, "client_ip", "%s", ip_parse_result_get_text(result));
        return address;
    }
    if (call->caller->address.family == IP_FAMILY_NONE)
        fault_add_field(call->fault, "client_ip",
                        "type an address, such as 203.0.113.7: the server can't tell your own");
    return call->caller->address;
}

static bool fill_match(Latchkey__V1__CheckIpResponse *response, const struct whitelist_match *match,
                       const struct ip_address *address, struct arena *arena) {
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(address, text);
    response->client_ip = arena_copy_text(arena, text);
    response->enabled = match->is_enabled;
    response->listed = match->is_listed;
    if (!match->has_entry)
        return response->client_ip != NULL;
    Latchkey__V1__WhitelistEntry *entry = whitelist_message_new_entry(&match->entry, arena);
    if (match->is_listed) {
        response->matched_entry = entry;
    } else {
        response->nearest_miss = entry;
        response->nearest_miss_common_bits = match->common_bits;
    }
    return response->client_ip && entry;
}

enum status whitelist_rpc_check_ip(struct app_call *call, const ProtobufCMessage *message,
                                   ProtobufCMessage **ret_response) {
    Latchkey__V1__CheckIpResponse *response = ARENA_NEW(call->arena, Latchkey__V1__CheckIpResponse);
    struct whitelist_match match;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__check_ip_response__init(response);
    struct ip_address address = read_client_ip((const Latchkey__V1__CheckIpRequest *)message, call);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_match(call, &address, &match);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_match(response, &match, &address, call->arena) ? STATUS_OK : fault_set_no_memory(call->fault);
}
