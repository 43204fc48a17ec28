#include "services/token/token_wish_rpc.h"

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/protobuf/field.h"
#include "common/protobuf/timestamp.h"

struct uuid token_read_id(const char *text, const char *field, struct fault *fault) {
    struct uuid token_id = {{0}};
    if (!typeid_parse(bytes_of_text(text), TYPEID_TOKEN, &token_id))
        fault_add_field(fault, field, "type a token's id, such as tok_01h455vb4pex5vsknk084sn02q");
    return token_id;
}

// ---- what a token is to be like ----

static bool read_time(const Google__Protobuf__Timestamp *time, const char *field, struct fault *fault,
                      int64_t *ret_ms) {
    if (timestamp_get_ms(time, 0, ret_ms))
        return time != NULL;
    fault_add_field(fault, field, TOKEN_TIME_WANTED);
    return false;
}

// The messages' pairs are of a type each, alike but for its name.
static bool read_metadata(const ProtobufCMessage *message, struct arena *arena, struct token_wish *wish) {
    size_t count = field_get_count(message, "metadata");
    struct token_pair *pairs = ARENA_NEW_ARRAY(arena, struct token_pair, count);
    if (!pairs)
        return false;
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *pair = field_get_message_at(message, "metadata", i);
        pairs[i].key = bytes_of_text(field_get_text(pair, "key"));
        pairs[i].value = bytes_of_text(field_get_text(pair, "value"));
    }
    wish->metadata = pairs;
    wish->metadata_count = count;
    return true;
}

// The fields that every message about a token has.
#define WISH_OF(message)                                                                     \
    {                                                                                        \
        .label = (message)->label, .description = (message)->description,                    \
        .external_id = (message)->external_id, .channels = (const int *)(message)->channels, \
        .channel_count = (message)->n_channels,                                              \
        .permissions = {(message)->permissions, (message)->n_permissions},                   \
        .domains = {(message)->allowed_domains, (message)->n_allowed_domains},               \
        .ips = {(message)->allowed_ips, (message)->n_allowed_ips},                           \
    }

bool token_read_created(const Latchkey__V1__CreateAccessTokenRequest *request, struct app_call *call,
                        struct token_wish *ret_wish) {
    struct fault *fault = call->fault;
    struct token_wish wish = WISH_OF(request);
    wish.has_not_before = read_time(request->not_before, "not_before", fault, &wish.not_before_ms);
    wish.has_expires_at = read_time(request->expires_at, "expires_at", fault, &wish.expires_at_ms);
    if (!duration_get_ms(request->expire_in, &wish.expire_in_ms))
        fault_add_field(fault, "expire_in", "type a duration, such as 86400s");
    else
        wish.has_expire_in = request->expire_in != NULL;
    *ret_wish = wish;
    return read_metadata(&request->base, call->arena, ret_wish);
}

bool token_read_imported(const Latchkey__V1__ImportedAccessToken *token, struct arena *arena,
                         struct fault *fault, struct token_wish *ret_wish) {
    struct token_wish wish = WISH_OF(token);
    wish.has_not_before = read_time(token->not_before, "not_before", fault, &wish.not_before_ms);
    wish.has_expires_at = read_time(token->expires_at, "expires_at", fault, &wish.expires_at_ms);
    wish.may_have_expired = true;
    *ret_wish = wish;
    return read_metadata(&token->base, arena, ret_wish);
}

bool token_read_updated(const Latchkey__V1__AccessToken *token, struct app_call *call,
                        struct token_wish *ret_wish) {
    struct token_wish wish = WISH_OF(token);
    wish.has_expires_at =
        read_time(token->expires_at, "access_token.expires_at", call->fault, &wish.expires_at_ms);
    *ret_wish = wish;
    return read_metadata(&token->base, call->arena, ret_wish);
}

int token_read_reason(Latchkey__V1__DeactivateReason reason, struct fault *fault) {
    int number = (int)reason; // an open enum: a peer may send any number
    if (number < DEACTIVATE_REASON_NONE || number > DEACTIVATE_REASON_LAST)
        fault_add_field(fault, "reason", "type one of the reasons of a deactivation, or leave it unset");
    return number == DEACTIVATE_REASON_NONE ? DEACTIVATE_REASON_OTHER : number;
}

// ---- which tokens ----

static void read_filter_ids(const ProtobufCMessage *request, struct fault *fault,
                            struct token_filter *filter) {
    const char *member_id = field_get_text(request, "member_id");
    if (*member_id && !typeid_parse(bytes_of_text(member_id), TYPEID_MEMBER, &filter->member_id))
        fault_add_field(fault, "member_id", "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
    int64_t state = field_get_integer(request, "state"); // an open enum: a peer may send any number
    if (state < TOKEN_STATE_ANY || state > TOKEN_STATE_LAST)
        fault_add_field(fault, "state", "type one of the states of a token, or leave it unset for all");
    filter->state = (enum token_state)state;
}

static void read_filter_time(const ProtobufCMessage *request, const char *field, int64_t unset_ms,
                             struct fault *fault, int64_t *ret_ms) {
    const ProtobufCMessage *time = field_find_message(request, field);
    if (!timestamp_get_ms((const Google__Protobuf__Timestamp *)time, unset_ms, ret_ms))
        fault_add_field(fault, field, TOKEN_TIME_WANTED);
}

static enum status read_filter_permission(const ProtobufCMessage *request, struct app_call *call,
                                          struct token_filter *filter) {
    struct bytes permission = bytes_of_text(field_get_text(request, "permission"));
    if (permission.len == 0)
        return call->fault->status;
    if (!permission_is_valid(permission)) {
        fault_add_field(call->fault, "permission", "type a permission such as charges.create");
        return call->fault->status;
    }
    filter->grants =
        token_list_grants_of(permission, call->caller->catalogue, call->arena, &filter->grant_count);
    return filter->grants ? call->fault->status : fault_set_no_memory(call->fault);
}

enum status token_read_filter(const ProtobufCMessage *request, struct app_call *call,
                              struct token_filter *ret_filter) {
    const char *label_contains = field_get_text(request, "label_contains");
    const char *external_id = field_get_text(request, "external_id");
    *ret_filter = (struct token_filter){.label_contains = bytes_of_text(label_contains),
                                        .external_id = bytes_of_text(external_id)};
    read_filter_ids(request, call->fault, ret_filter);
    read_filter_time(request, "expires_before", CLOCK_NEVER_MS, call->fault, &ret_filter->expires_before_ms);
    read_filter_time(request, "unused_since", CLOCK_ALWAYS_MS, call->fault, &ret_filter->unused_since_ms);
    token_check_text(label_contains, TOKEN_LABEL_MAX, "label_contains", call->fault);
    token_check_text(external_id, TOKEN_EXTERNAL_ID_MAX, "external_id", call->fault);
    return read_filter_permission(request, call, ret_filter);
}

// ---- who asks ----

bool token_describe_caller(const struct app_call *call, struct token_maker *ret_maker) {
    const struct caller *caller = call->caller;
    const struct prefix_list of_token = {caller->allowed_ips, caller->allowed_ip_count};
    const struct prefix_list of_member = {caller->member_ips, caller->member_ip_count};
    struct token_maker maker = {
        .catalogue = caller->catalogue,
        .permissions = caller_get_permissions(caller, call->arena),
        .groups = caller->groups,
        .member_id = caller->member_id,
        .domains = caller->allowed_domains,
        .domain_count = caller->allowed_domain_count,
        .expires_at_ms =
            caller->subject.kind == TOKEN_KIND_LOGIN ? CLOCK_NEVER_MS : caller->subject.expires_at_ms,
    };
    bool is_read = maker.permissions && prefix_list_reduce(&of_token, call->arena, &maker.ips) == STATUS_OK &&
                   prefix_list_reduce(&of_member, call->arena, &maker.member_ips) == STATUS_OK;
    *ret_maker = maker;
    return is_read;
}

struct uuid token_choose_owner(const struct caller *caller, bool is_company_owned, struct fault *fault) {
    if (is_company_owned)
        return (struct uuid){{0}};
    if (caller->is_acting)
        fault_add_field(
            fault, "company_owned",
            "type true: you act for the company and are none of its members, so it must own the token");
    else if (uuid_is_zero(caller->member_id))
        fault_add_field(fault, "company_owned",
                        "type true: the company owns the calling token, so it must own this one too");
    return caller->member_id;
}

enum status token_require_unless_itself(const struct app_call *call, struct uuid token_id,
                                        const char *permission) {
    if (uuid_is_equal(token_id, call->caller->token_id))
        return STATUS_OK;
    return caller_require(call->caller, permission, call->fault);
}
