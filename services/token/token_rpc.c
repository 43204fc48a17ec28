#include "services/token/token_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/crypto/secret.h"
#include "common/grpc/timestamp.h"
#include "services/token/token_grant.h"
#include "services/token/token_message_rpc.h"
#include "services/token/token_store.h"

#define TIME_WANTED "type a time from the year 1 to 9999"

static struct uuid read_token_id(const char *text, struct fault *fault) {
    struct uuid token_id = {{0}};
    if (!typeid_parse(bytes_of_text(text), TYPEID_TOKEN, &token_id))
        fault_add_field(fault, "token_id", "type a token's id, such as tok_01h455vb4pex5vsknk084sn02q");
    return token_id;
}

// ---- CreateAccessToken ----

static void read_times(const Latchkey__V1__CreateAccessTokenRequest *request, struct fault *fault,
                       struct token_wish *wish) {
    if (!timestamp_get_ms(request->not_before, CLOCK_ALWAYS_MS, &wish->not_before_ms))
        fault_add_field(fault, "not_before", TIME_WANTED);
    else
        wish->has_not_before = request->not_before != NULL;
    if (!timestamp_get_ms(request->expires_at, CLOCK_NEVER_MS, &wish->expires_at_ms))
        fault_add_field(fault, "expires_at", TIME_WANTED);
    else
        wish->has_expires_at = request->expires_at != NULL;
    if (!duration_get_ms(request->expire_in, &wish->expire_in_ms))
        fault_add_field(fault, "expire_in", "type a duration, such as 86400s");
    else
        wish->has_expire_in = request->expire_in != NULL;
}

static bool read_metadata(const Latchkey__V1__CreateAccessTokenRequest *request, struct arena *arena,
                          struct token_wish *wish) {
    struct token_pair *pairs = ARENA_NEW_ARRAY(arena, struct token_pair, request->n_metadata);
    if (!pairs)
        return false;
    for (size_t i = 0; i < request->n_metadata; i++)
        pairs[i] = (struct token_pair){bytes_of_text(request->metadata[i]->key),
                                       bytes_of_text(request->metadata[i]->value)};
    wish->metadata = pairs;
    wish->metadata_count = request->n_metadata;
    return true;
}

static bool read_wish(const Latchkey__V1__CreateAccessTokenRequest *request, struct app_call *call,
                      struct token_wish *ret_wish) {
    *ret_wish = (struct token_wish){
        .label = request->label,
        .description = request->description,
        .external_id = request->external_id,
        .channels = (const int *)request->channels,
        .channel_count = request->n_channels,
        .permissions = {request->permissions, request->n_permissions},
        .domains = {request->allowed_domains, request->n_allowed_domains},
        .ips = {request->allowed_ips, request->n_allowed_ips},
    };
    read_times(request, call->fault, ret_wish);
    return read_metadata(request, call->arena, ret_wish);
}

// A token of a company's member dies with the member; only who is one can make one.
static struct uuid choose_owner(const Latchkey__V1__CreateAccessTokenRequest *request,
                                struct app_call *call) {
    const struct caller *caller = call->caller;
    if (request->company_owned)
        return (struct uuid){{0}};
    if (caller->is_acting)
        fault_add_field(
            call->fault, "company_owned",
            "type true: you act for the company and are none of its members, so it must own the token");
    else if (uuid_is_zero(caller->member_id))
        fault_add_field(call->fault, "company_owned",
                        "type true: the company owns the calling token, so it must own this one too");
    return caller->member_id;
}

static bool describe_maker(struct app_call *call, struct token_maker *ret_maker) {
    const struct caller *caller = call->caller;
    *ret_maker = (struct token_maker){
        .catalogue = caller->catalogue,
        .permissions = caller_get_permissions(caller, call->arena),
        .ips = caller->allowed_ips,
        .ip_count = caller->allowed_ip_count,
        .domains = caller->allowed_domains,
        .domain_count = caller->allowed_domain_count,
        .expires_at_ms =
            caller->subject.kind == TOKEN_KIND_LOGIN ? CLOCK_NEVER_MS : caller->subject.expires_at_ms,
    };
    return ret_maker->permissions != NULL;
}

// The secret is made in the arena and nowhere else: the frame wipes that when the answer has left.
static enum status give_birth(struct app_call *call, const struct token_draft *draft, struct uuid owner,
                              const struct token_terms *terms,
                              Latchkey__V1__CreateAccessTokenResponse *response) {
    struct secret *secret = ARENA_NEW(call->arena, struct secret);
    if (!secret)
        return fault_set_no_memory(call->fault);
    secret_new(app_get_settings(call->app)->brand, SECRET_ACCESS, call->lane, secret);
    char hint[SECRET_HINT_LENGTH + 1];
    secret_get_hint(bytes_of(secret->text, SECRET_LENGTH), hint);
    struct typeid maker = caller_get_author(call->caller);
    struct token_birth birth = {.token_id = uuid_new(app_get_clock(call->app)),
                                .member_id = owner,
                                .hint = hint,
                                .created_by = maker.text,
                                .company_tokens_max = terms->limits->company_tokens};
    digest_sha256(bytes_of(secret->text, SECRET_LENGTH), &birth.digest);

    struct token_policy policy;
    struct token *token;
    enum status status = token_store_create(call, draft, &birth, &policy, &token);
    if (status == STATUS_OK)
        status = token_check_policy(draft, &policy, terms, call->fault);
    if (status != STATUS_OK)
        return status;
    response->access_token = token_message_new(token, call->now_ms, call->arena);
    response->secret = secret->text;
    if (!response->access_token)
        return fault_set_no_memory(call->fault);
    return audit_note(call, "token.created", response->access_token->token_id, NULL,
                      &response->access_token->base);
}

enum status token_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    const Latchkey__V1__CreateAccessTokenRequest *request =
        (const Latchkey__V1__CreateAccessTokenRequest *)message;
    Latchkey__V1__CreateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateAccessTokenResponse);
    struct token_terms terms = {&token_limits, call->caller->catalogue, call->now_ms};
    struct token_wish wish;
    struct token_maker maker;
    struct token_draft draft;
    if (!response || !read_wish(request, call, &wish) || !describe_maker(call, &maker))
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_access_token_response__init(response);

    struct uuid owner = choose_owner(request, call);
    enum status status = token_check_wish(&wish, &terms, call->arena, call->fault, &draft);
    if (status == STATUS_OK)
        status = token_check_grant(&draft, &maker, call->arena, call->fault);
    if (status == STATUS_OK)
        status = give_birth(call, &draft, owner, &terms, response);
    *ret_response = &response->base;
    return status;
}

// ---- GetAccessToken ----

// The calling token needs no permission where it is itself the object.
static enum status require_unless_itself(const struct app_call *call, struct uuid token_id,
                                         const char *permission) {
    if (uuid_is_equal(token_id, call->caller->token_id))
        return STATUS_OK;
    return caller_require(call->caller, permission, call->fault);
}

enum status token_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                          ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetAccessTokenRequest *request = (const Latchkey__V1__GetAccessTokenRequest *)message;
    Latchkey__V1__GetAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__GetAccessTokenResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_access_token_response__init(response);

    struct uuid token_id = read_token_id(request->token_id, call->fault);
    struct token *token;
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = require_unless_itself(call, token_id, "latchkey.tokens.read");
    if (status == STATUS_OK)
        status = token_store_find(call, token_id, &token);
    if (status != STATUS_OK)
        return status;
    response->access_token = token_message_new(token, call->now_ms, call->arena);
    *ret_response = &response->base;
    return response->access_token ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- ListAccessTokens ----

static void read_filter_ids(const Latchkey__V1__ListAccessTokensRequest *request, struct app_call *call,
                            struct token_filter *filter) {
    if (*request->member_id &&
        !typeid_parse(bytes_of_text(request->member_id), TYPEID_MEMBER, &filter->member_id))
        fault_add_field(call->fault, "member_id",
                        "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
    int state = (int)request->state; // an open enum: a peer may send any number
    if (state < TOKEN_STATE_ANY || state > TOKEN_STATE_LAST)
        fault_add_field(call->fault, "state", "type one of the states of a token, or leave it unset for all");
    filter->state = (enum token_state)state;
}

static void read_filter_times(const Latchkey__V1__ListAccessTokensRequest *request, struct fault *fault,
                              struct token_filter *filter) {
    if (!timestamp_get_ms(request->expires_before, CLOCK_NEVER_MS, &filter->expires_before_ms))
        fault_add_field(fault, "expires_before", TIME_WANTED);
    if (!timestamp_get_ms(request->unused_since, CLOCK_ALWAYS_MS, &filter->unused_since_ms))
        fault_add_field(fault, "unused_since", TIME_WANTED);
}

static enum status read_filter(const Latchkey__V1__ListAccessTokensRequest *request, struct app_call *call,
                               struct token_filter *ret_filter) {
    struct bytes permission = bytes_of_text(request->permission);
    *ret_filter = (struct token_filter){.label_contains = bytes_of_text(request->label_contains),
                                        .external_id = bytes_of_text(request->external_id)};
    read_filter_ids(request, call, ret_filter);
    read_filter_times(request, call->fault, ret_filter);
    token_check_text(request->label_contains, TOKEN_LABEL_MAX, "label_contains", call->fault);
    token_check_text(request->external_id, TOKEN_EXTERNAL_ID_MAX, "external_id", call->fault);
    if (permission.len == 0)
        return call->fault->status;
    if (!permission_is_valid(permission)) {
        fault_add_field(call->fault, "permission", "type a permission such as charges.create");
        return call->fault->status;
    }
    ret_filter->grants =
        token_list_grants_of(permission, call->caller->catalogue, call->arena, &ret_filter->grant_count);
    return ret_filter->grants ? call->fault->status : fault_set_no_memory(call->fault);
}

static bool fill_list(Latchkey__V1__ListAccessTokensResponse *response,
                      const Latchkey__V1__ListAccessTokensRequest *request, const struct token_list *list,
                      struct app_call *call) {
    response->access_tokens = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__AccessToken *, list->count);
    for (size_t i = 0; response->access_tokens && i < list->count; i++) {
        response->access_tokens[i] = token_message_new(&list->tokens[i], call->now_ms, call->arena);
        if (!response->access_tokens[i])
            return false;
    }
    response->n_access_tokens = list->count;
    if (list->has_more) {
        struct uuid last = list->tokens[list->count - 1].token_id;
        response->next_page_token =
            paging_make_token(call, &request->base, bytes_of(last.bytes, sizeof(last.bytes)));
    }
    return response->access_tokens && response->next_page_token;
}

enum status token_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    const Latchkey__V1__ListAccessTokensRequest *request =
        (const Latchkey__V1__ListAccessTokensRequest *)message;
    Latchkey__V1__ListAccessTokensResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListAccessTokensResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_access_tokens_response__init(response);

    struct page page;
    struct uuid after = {{0}};
    struct token_filter filter;
    struct token_list list;
    paging_parse(call, message, sizeof(after.bytes), &page);
    if (page.cursor.len > 0)
        memcpy(after.bytes, page.cursor.data, sizeof(after.bytes));
    enum status status = read_filter(request, call, &filter);
    if (status == STATUS_OK)
        status = token_store_list(call, &filter, after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, request, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- DeactivateAccessToken ----

static int read_reason(const Latchkey__V1__DeactivateAccessTokenRequest *request, struct fault *fault) {
    int reason = (int)request->reason; // an open enum: a peer may send any number
    if (reason < DEACTIVATE_REASON_NONE || reason > DEACTIVATE_REASON_LAST)
        fault_add_field(fault, "reason", "type one of the reasons of a deactivation, or leave it unset");
    return reason == DEACTIVATE_REASON_NONE ? DEACTIVATE_REASON_OTHER : reason;
}

// As it was a moment ago.
static enum status note_deactivation(struct app_call *call, const struct token *token,
                                     const Latchkey__V1__AccessToken *after) {
    struct token was = *token;
    was.deactivated_at_ms = CLOCK_NEVER_MS;
    was.deactivate_reason = DEACTIVATE_REASON_NONE;
    was.deactivate_note = "";
    const Latchkey__V1__AccessToken *before = token_message_new(&was, call->now_ms, call->arena);
    if (!before)
        return fault_set_no_memory(call->fault);
    return audit_note(call, "token.deactivated", after->token_id, &before->base, &after->base);
}

enum status token_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                 ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateAccessTokenRequest *request =
        (const Latchkey__V1__DeactivateAccessTokenRequest *)message;
    Latchkey__V1__DeactivateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateAccessTokenResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_access_token_response__init(response);

    struct token *token;
    bool has_changed;
    struct uuid token_id = read_token_id(request->token_id, call->fault);
    int reason = read_reason(request, call->fault);
    token_check_text(request->note, TOKEN_NOTE_MAX, "note", call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = require_unless_itself(call, token_id, "latchkey.tokens.manage");
    if (status == STATUS_OK)
        status = token_store_deactivate(call, token_id, reason, request->note, &has_changed, &token);
    if (status != STATUS_OK)
        return status;
    response->access_token = token_message_new(token, call->now_ms, call->arena);
    *ret_response = &response->base;
    if (!response->access_token)
        return fault_set_no_memory(call->fault);
    return has_changed ? note_deactivation(call, token, response->access_token) : STATUS_OK;
}
