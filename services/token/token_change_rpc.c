// Changes of one access token that is there already.
#include "common/app/audit.h"
#include "common/base/clock.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "common/protobuf/update_mask.h"
#include "services/token/token_change_rules.h"
#include "services/token/token_change_store.h"
#include "services/token/token_message_rpc.h"
#include "services/token/token_rpc.h"
#include "services/token/token_wish_rpc.h"

enum status token_rpc_tell_change(struct app_call *call, const char *action,
                                  const struct token_change *change,
                                  Latchkey__V1__AccessToken **ret_message) {
    Latchkey__V1__AccessToken *before = token_message_new(change->before, call->now_ms, call->arena);
    Latchkey__V1__AccessToken *after = token_message_new(change->after, call->now_ms, call->arena);
    if (!before || !after)
        return fault_set_no_memory(call->fault);
    *ret_message = after;
    if (!change->has_changed)
        return STATUS_OK;
    return audit_note(call, action, after->token_id, &before->base, &after->base);
}

// ---- UpdateAccessToken ----

static const char *const update_fields[TOKEN_FIELD_COUNT] = {
    [TOKEN_FIELD_LABEL] = "label",       [TOKEN_FIELD_DESCRIPTION] = "description",
    [TOKEN_FIELD_METADATA] = "metadata", [TOKEN_FIELD_DOMAINS] = "allowed_domains",
    [TOKEN_FIELD_IPS] = "allowed_ips",   [TOKEN_FIELD_PERMISSIONS] = "permissions",
    [TOKEN_FIELD_EXPIRY] = "expires_at",
};

struct token_update {
    struct uuid token_id;
    uint32_t fields; // TOKEN_FIELD_BIT()s
    struct token_wish wish;
    const char *etag;
    bool forces;
};

static enum status read_update(const Latchkey__V1__UpdateAccessTokenRequest *request, struct app_call *call,
                               struct token_update *ret_update) {
    static const Latchkey__V1__AccessToken nothing = LATCHKEY__V1__ACCESS_TOKEN__INIT;
    const Latchkey__V1__AccessToken *token = request->access_token ? request->access_token : &nothing;
    ret_update->token_id = token_read_id(token->token_id, "access_token.token_id", call->fault);
    ret_update->fields =
        update_mask_parse(request->update_mask, update_fields, TOKEN_FIELD_COUNT, call->fault);
    ret_update->etag = token->etag;
    ret_update->forces = request->force;
    if (!token_read_updated(token, call, &ret_update->wish))
        return fault_set_no_memory(call->fault);
    return call->fault->status;
}

static enum status check_values(struct app_call *call, const struct token_update *update,
                                const struct token *token, struct token_draft *ret_draft) {
    struct token_terms terms = {&token_limits, call->caller->catalogue, call->now_ms};
    enum status status =
        token_check_change(&update->wish, update->fields, token, &terms, call->arena, call->fault, ret_draft);
    fault_prefix_fields(call->fault, "access_token.");
    return status;
}

// The company's policy is about how long a token lives from its making, whenever that is decided.
static enum status check_policy(struct app_call *call, const struct token_update *update,
                                const struct token_standing *standing, const struct token_draft *draft) {
    struct token_terms terms = {&token_limits, call->caller->catalogue, standing->token->created_at_ms};
    if (!(update->fields & TOKEN_FIELD_BIT(TOKEN_FIELD_EXPIRY)))
        return STATUS_OK;
    return token_check_policy(draft, &standing->policy, &terms, call->fault);
}

static enum status check_reach(struct app_call *call, const struct token_update *update,
                               const struct token *token, const struct token_draft *draft) {
    struct token_maker caller;
    if (!token_describe_caller(call, &caller))
        return fault_set_no_memory(call->fault);
    enum status status = token_check_widening(token, draft, &caller, call->arena, call->fault);
    if (status == STATUS_OK && !update->forces && uuid_is_equal(token->token_id, call->caller->token_id))
        status = token_check_lock_out(draft, &call->address, call->fault);
    return status;
}

static enum status update_token(struct app_call *call, const struct token_update *update,
                                struct token_change *ret_change) {
    struct token_standing standing;
    struct token_draft draft;
    enum status status = token_store_lock(call, update->token_id, &standing);
    if (status == STATUS_OK)
        status = etag_check(update->etag, standing.token->version, call->fault);
    if (status == STATUS_OK)
        status = token_check_not_deactivated(standing.token, call->fault);
    if (status == STATUS_OK)
        status = check_values(call, update, standing.token, &draft);
    if (status == STATUS_OK)
        status = check_reach(call, update, standing.token, &draft);
    if (status == STATUS_OK)
        status = check_policy(call, update, &standing, &draft);
    if (status != STATUS_OK)
        return status;
    ret_change->before = standing.token;
    return token_store_update(call, update->token_id, &draft, &ret_change->has_changed, &ret_change->after);
}

enum status token_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    Latchkey__V1__UpdateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__UpdateAccessTokenResponse);
    struct token_update update;
    struct token_change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_access_token_response__init(response);
    enum status status = read_update((const Latchkey__V1__UpdateAccessTokenRequest *)message, call, &update);
    if (status == STATUS_OK)
        status = update_token(call, &update, &change);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.updated", &change, &response->access_token);
    *ret_response = &response->base;
    return status;
}

// ---- DeactivateAccessToken ----

enum status token_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                 ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateAccessTokenRequest *request =
        (const Latchkey__V1__DeactivateAccessTokenRequest *)message;
    Latchkey__V1__DeactivateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateAccessTokenResponse);
    struct token_change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_access_token_response__init(response);

    struct uuid token_id = token_read_id(request->token_id, "token_id", call->fault);
    int reason = token_read_reason(request->reason, call->fault);
    token_check_text(request->note, TOKEN_NOTE_MAX, "note", call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = token_require_unless_itself(call, token_id, "latchkey.tokens.manage");
    if (status == STATUS_OK)
        status = token_store_deactivate(call, token_id, reason, request->note, &change);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.deactivated", &change, &response->access_token);
    *ret_response = &response->base;
    return status;
}

// ---- SuspendAccessToken ----

static int64_t read_until(const Latchkey__V1__SuspendAccessTokenRequest *request, struct app_call *call) {
    int64_t until_ms;
    if (!timestamp_get_ms(request->until, CLOCK_NEVER_MS, &until_ms))
        fault_add_field(call->fault, "until", TOKEN_TIME_WANTED);
    else if (until_ms <= call->now_ms)
        fault_add_field(call->fault, "until", "type a time in the future, or none: until resumed");
    return until_ms;
}

// No change locks out its own caller unless it is forced. A suspension that ends while the token is good is
// none; from another one the caller can't come back, since a suspended token resumes nothing.
static enum status check_own_suspension(const struct app_call *call, struct uuid token_id, int64_t until_ms) {
    const struct caller *caller = call->caller;
    if (!uuid_is_equal(token_id, caller->token_id) || until_ms < caller->subject.expires_at_ms)
        return STATUS_OK;
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "LOCKS_OUT_CALLER",
                     "this would suspend the very token that you present, for longer than it could come back "
                     "by itself, and only another one could resume it; type an end, or set force");
}

enum status token_rpc_suspend(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    const Latchkey__V1__SuspendAccessTokenRequest *request =
        (const Latchkey__V1__SuspendAccessTokenRequest *)message;
    Latchkey__V1__SuspendAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__SuspendAccessTokenResponse);
    struct token_change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__suspend_access_token_response__init(response);

    struct uuid token_id = token_read_id(request->token_id, "token_id", call->fault);
    int64_t until_ms = read_until(request, call);
    token_check_text(request->note, TOKEN_NOTE_MAX, "note", call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK && !request->force)
        status = check_own_suspension(call, token_id, until_ms);
    if (status == STATUS_OK)
        status = token_store_suspend(call, token_id, until_ms, &change);
    if (status == STATUS_OK)
        status = token_check_not_ended(change.before, call->now_ms, call->fault);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.suspended", &change, &response->access_token);
    *ret_response = &response->base;
    return status;
}

// ---- ResumeAccessToken ----

enum status token_rpc_resume(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    const Latchkey__V1__ResumeAccessTokenRequest *request =
        (const Latchkey__V1__ResumeAccessTokenRequest *)message;
    Latchkey__V1__ResumeAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ResumeAccessTokenResponse);
    struct token_change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__resume_access_token_response__init(response);

    struct uuid token_id = token_read_id(request->token_id, "token_id", call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = token_store_resume(call, token_id, &change);
    if (status == STATUS_OK)
        status = token_check_not_deactivated(change.before, call->fault);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.resumed", &change, &response->access_token);
    *ret_response = &response->base;
    return status;
}
