#include "services/whitelist/whitelist_rpc.h"

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "common/protobuf/update_mask.h"
#include "services/whitelist/whitelist_draft_store.h"
#include "services/whitelist/whitelist_entry_store.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_rules.h"
#include "services/whitelist/whitelist_service.h"
#include "services/whitelist/whitelist_store.h"

// ---- what the handlers share ----

struct whitelist_asker whitelist_rpc_get_asker(const struct app_call *call) {
    return (struct whitelist_asker){.address = call->address,
                                    .kind = (enum token_kind)call->caller->subject.kind,
                                    .is_acting = call->caller->is_acting,
                                    .now_ms = call->now_ms,
                                    .horizon_ms = whitelist_limits.guard_horizon_ms};
}

static struct uuid read_draft_id(const char *draft_id, const char *wanted, struct fault *fault) {
    struct uuid id = {{0}};
    if (!typeid_parse(bytes_of_text(draft_id), TYPEID_DRAFT, &id) || uuid_is_zero(id)) {
        fault_add_field(fault, "draft_id", "%s", wanted);
        return (struct uuid){{0}};
    }
    return id;
}

struct uuid whitelist_rpc_read_draft_id(const char *draft_id, struct fault *fault) {
    if (!*draft_id)
        return (struct uuid){{0}};
    return read_draft_id(draft_id, "leave it empty for the live list, or type a draft's id", fault);
}

struct uuid whitelist_rpc_read_draft(const char *draft_id, struct fault *fault) {
    return read_draft_id(draft_id, "type a draft's id, such as dra_01h455vb4pex5vsknk084sn02q", fault);
}

uint32_t whitelist_rpc_read_bits(bool is_set, uint32_t bits) {
    // A number that a peer sent never reads as unset.
    return !is_set ? IP_PREFIX_BITS_UNSET : bits == IP_PREFIX_BITS_UNSET ? IP_PREFIX_BITS_UNSET - 1 : bits;
}

int64_t whitelist_rpc_read_confirm_by_ms(const Google__Protobuf__Duration *within, struct app_call *call) {
    if (!within || (within->seconds == 0 && within->nanos == 0))
        return CLOCK_NEVER_MS;
    int64_t within_ms = 0;
    if (!duration_get_ms(within, &within_ms) || within_ms < WHITELIST_CONFIRM_MIN_MS ||
        within_ms > WHITELIST_CONFIRM_MAX_MS)
        fault_add_field(call->fault, "confirm_within", "type 1 minute to 7 days, or 0 to change it for good");
    return call->now_ms + within_ms;
}

// ---- GetWhitelist ----

enum status whitelist_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    (void)message; // the caller's company has one
    Latchkey__V1__GetWhitelistResponse *response = ARENA_NEW(call->arena, Latchkey__V1__GetWhitelistResponse);
    struct whitelist_drafts found;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_whitelist_response__init(response);
    enum status status = whitelist_store_list_drafts(call, &found);
    if (status != STATUS_OK)
        return status;
    response->whitelist = whitelist_message_new(&found.whitelist, call->arena);
    response->drafts = whitelist_message_new_drafts(found.drafts, found.count, call->arena);
    response->n_drafts = response->drafts ? found.count : 0;
    *ret_response = &response->base;
    return response->whitelist && response->drafts ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- UpdateWhitelist ----

enum { ENABLED, SCOPE };
static const char *const update_fields[] = {[ENABLED] = "enabled", [SCOPE] = "scope"};

enum whitelist_scope whitelist_rpc_read_scope(const Latchkey__V1__Whitelist *wish, struct fault *fault) {
    int scope = wish ? (int)wish->scope : WHITELIST_SCOPE_NONE; // an open enum: a peer may send any number
    if (scope < WHITELIST_SCOPE_NONE || scope > WHITELIST_SCOPE_LOGINS)
        fault_add_field(fault, "whitelist.scope", "type WHITELIST_SCOPE_ALL or WHITELIST_SCOPE_LOGINS");
    return scope == WHITELIST_SCOPE_LOGINS ? WHITELIST_SCOPE_LOGINS : WHITELIST_SCOPE_ALL;
}

// Switching a list off helps whoever is locked out, whatever else is going on.
static bool only_switches_off(const struct whitelist_outcome *before, const struct whitelist_outcome *after) {
    return !after->is_enabled && after->scope == before->scope;
}

static enum status check_update(struct app_call *call, const Latchkey__V1__UpdateWhitelistRequest *request,
                                const struct whitelist_standing *standing,
                                const struct whitelist_outcome *after) {
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    const char *etag = request->whitelist ? request->whitelist->etag : "";
    enum status status = etag_check(etag, standing->whitelist.version, call->fault);
    if (status == STATUS_OK && !only_switches_off(&standing->outcome, after))
        status = whitelist_check_settled(&standing->whitelist, call->fault);
    if (status == STATUS_OK && !request->force)
        status = whitelist_check_outcome(&standing->outcome, after, &asker, call->fault);
    return status;
}

static enum status store_update(struct app_call *call, const struct whitelist_standing *standing,
                                const struct whitelist_outcome *after, int64_t confirm_by_ms,
                                struct whitelist *ret_whitelist) {
    const struct whitelist *before = &standing->whitelist;
    bool is_tightened = whitelist_is_tightened(&standing->outcome, after);
    struct whitelist_settings settings = {.is_enabled = after->is_enabled,
                                          .scope = after->scope,
                                          .confirm_by_ms = is_tightened ? confirm_by_ms : CLOCK_NEVER_MS};
    *ret_whitelist = *before;
    if (after->is_enabled == before->is_enabled && after->scope == before->scope)
        return STATUS_OK;
    enum status status = whitelist_store_update(call, &settings, ret_whitelist);
    return status == STATUS_OK ? whitelist_note(call, "whitelist.updated", before, ret_whitelist) : status;
}

static enum status update(struct app_call *call, const Latchkey__V1__UpdateWhitelistRequest *request,
                          struct whitelist *ret_whitelist) {
    const Latchkey__V1__Whitelist *wish = request->whitelist;
    uint32_t mask =
        update_mask_parse(request->update_mask, update_fields, ARRAY_LENGTH(update_fields), call->fault);
    enum whitelist_scope scope = whitelist_rpc_read_scope(wish, call->fault);
    int64_t confirm_by_ms = whitelist_rpc_read_confirm_by_ms(request->confirm_within, call);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;

    struct whitelist_standing standing;
    enum status status = whitelist_store_lock(call, &standing);
    if (status != STATUS_OK)
        return status;
    struct whitelist_outcome after = standing.outcome;
    if (mask & UPDATE_MASK_BIT(ENABLED))
        after.is_enabled = wish && wish->enabled;
    if (mask & UPDATE_MASK_BIT(SCOPE))
        after.scope = scope;
    status = check_update(call, request, &standing, &after);
    return status == STATUS_OK ? store_update(call, &standing, &after, confirm_by_ms, ret_whitelist) : status;
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
    if (call->address.family == IP_FAMILY_NONE)
        fault_add_field(call->fault, "client_ip",
                        "type an address, such as 203.0.113.7: the server can't tell your own");
    return call->address;
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
    const Latchkey__V1__CheckIpRequest *request = (const Latchkey__V1__CheckIpRequest *)message;
    Latchkey__V1__CheckIpResponse *response = ARENA_NEW(call->arena, Latchkey__V1__CheckIpResponse);
    struct whitelist_match match;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__check_ip_response__init(response);
    struct ip_address address = read_client_ip(request, call);
    struct uuid draft_id = whitelist_rpc_read_draft_id(request->draft_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_match(call, draft_id, &address, &match);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_match(response, &match, &address, call->arena) ? STATUS_OK : fault_set_no_memory(call->fault);
}
