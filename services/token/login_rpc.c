#include "services/token/login_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/token/login_message_rpc.h"
#include "services/token/login_store.h"
#include "services/token/token_rpc.h"

#define LOGINS_MANAGE "latchkey.logins.manage"

bool login_rpc_is_own(const struct app_call *call, struct uuid member_id) {
    return !call->caller->is_acting && !uuid_is_zero(member_id) &&
           uuid_is_equal(call->caller->member_id, member_id);
}

// ---- CreateLoginToken ----

static enum status explain(struct app_call *call, const struct login_person *person,
                           const struct login_draft *draft, enum reason reason) {
    struct login_near near = {0};
    enum status status = STATUS_OK;
    if (reason == REASON_COMPANY_IP_NOT_LISTED && draft->address.family != IP_FAMILY_NONE)
        status = login_store_find_near(call, &draft->address, &near);
    else if (reason == REASON_MEMBER_IP_NOT_LISTED)
        near = login_find_near(person->member_ips, &draft->address, call->now_ms);
    return status == STATUS_OK ? login_refuse(call->fault, reason, draft, &near) : status;
}

// The refusal is committed, so that the member sees who has got the password.
static enum status refuse(struct app_call *call, const struct login_person *person,
                          const struct login_draft *draft, enum reason reason) {
    struct typeid member_id = typeid_of(TYPEID_MEMBER, person->member_id);
    const char *after = arena_format(call->arena, "{\"client_ip\":\"%s\",\"reason\":\"%s\"}",
                                     draft->client_ip, reason_get_name(reason));
    if (!after)
        return fault_set_no_memory(call->fault);
    enum status status = login_store_add_refusal(call, person->member_id, draft, reason);
    if (status == STATUS_OK)
        status = audit_note_refusal_text(call, "login.refused", member_id.text, after);
    if (status != STATUS_OK)
        return status;
    status = explain(call, person, draft, reason);
    call->keeps_refusal = status == STATUS_PERMISSION_DENIED || status == STATUS_FAILED_PRECONDITION;
    return status;
}

static enum status admit(struct app_call *call, const struct login_person *person,
                         const struct login_draft *draft, Latchkey__V1__CreateLoginTokenResponse *response) {
    struct token_minted *minted = ARENA_NEW(call->arena, struct token_minted); // until the commit
    int64_t lifetime_ms = person->lifetime_ms > 0 ? person->lifetime_ms : token_limits.logins.lifetime_ms;
    struct login login = {.token_id = uuid_new(app_get_clock(call->app)),
                          .member_id = person->member_id,
                          .channel = draft->channel,
                          .client_ip = draft->client_ip,
                          .user_agent = arena_copy_bytes(call->arena, draft->user_agent),
                          .created_at_ms = call->now_ms,
                          .expires_at_ms = call->now_ms + lifetime_ms,
                          .deactivated_at_ms = CLOCK_NEVER_MS,
                          .last_used_at_ms = CLOCK_ALWAYS_MS};
    if (!login.user_agent || !minted || !token_mint(call, SECRET_LOGIN, minted))
        return fault_set_no_memory(call->fault);
    enum status status = login_store_create(call, &login, minted);
    if (status != STATUS_OK)
        return status;
    response->secret = minted->secret->text;
    response->login_token = login_message_new(&login, call->now_ms, call->arena);
    if (!response->login_token)
        return fault_set_no_memory(call->fault);
    return audit_note(call, "login.created", response->login_token->token_id, NULL,
                      &response->login_token->base);
}

static enum status read_draft(struct app_call *call, const Latchkey__V1__CreateLoginTokenRequest *request,
                              struct login_draft *draft) {
    const struct login_wish wish = {.member_id = request->member_id,
                                    .email = request->email,
                                    .issuer = request->issuer,
                                    .subject = request->subject,
                                    .client_ip = request->client_ip,
                                    .user_agent = request->user_agent,
                                    .channel = (int)request->channel};
    return login_check_wish(&wish, call->fault, draft);
}

enum status login_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    Latchkey__V1__CreateLoginTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateLoginTokenResponse);
    struct login_draft *draft = ARENA_NEW(call->arena, struct login_draft); // the answer borrows from it
    const Latchkey__V1__CreateLoginTokenRequest *request =
        (const Latchkey__V1__CreateLoginTokenRequest *)message;
    struct login_person person;
    if (!response || !draft)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_login_token_response__init(response);
    *ret_response = &response->base;

    enum status status = read_draft(call, request, draft);
    if (status == STATUS_OK)
        status = login_store_find_person(call, draft, &person);
    if (status != STATUS_OK)
        return status;
    if (person.is_of_operator)
        return fault_set(call->fault, STATUS_PERMISSION_DENIED, "OPERATOR_MEMBER",
                         "nobody makes log-ins for the operator's own members");
    enum reason reason = login_decide(&person, draft, call->now_ms);
    if (request->validate_only)
        return reason == REASON_OK ? STATUS_OK : explain(call, &person, draft, reason);
    return reason == REASON_OK ? admit(call, &person, draft, response) : refuse(call, &person, draft, reason);
}

// ---- DeactivateLoginToken ----

// Who may not end it learns nothing about it, not even that it is there.
static enum status find(struct app_call *call, const char *text, struct login **ret_login) {
    struct uuid token_id;
    if (!typeid_parse(bytes_of_text(text), TYPEID_TOKEN, &token_id)) {
        fault_add_field(call->fault, "token_id", "type a token's id, such as tok_01h455vb4pex5vsknk084sn02q");
        return call->fault->status;
    }
    enum status status = login_store_find(call, token_id, ret_login);
    if (status == STATUS_OK && !(*ret_login && login_rpc_is_own(call, (*ret_login)->member_id)))
        status = caller_require(call->caller, LOGINS_MANAGE, call->fault);
    if (status != STATUS_OK || *ret_login)
        return status;
    return fault_set(call->fault, STATUS_NOT_FOUND, "TOKEN_NOT_FOUND", "there is no login token %s",
                     typeid_of(TYPEID_TOKEN, token_id).text);
}

static enum status end(struct app_call *call, struct login *login,
                       Latchkey__V1__DeactivateLoginTokenResponse *response) {
    const Latchkey__V1__LoginToken *before = login_message_new(login, call->now_ms, call->arena);
    bool has_changed;
    enum status status = login_store_deactivate(call, login->token_id, &has_changed);
    if (status != STATUS_OK)
        return status;
    if (has_changed)
        login->deactivated_at_ms = call->now_ms;
    response->login_token = login_message_new(login, call->now_ms, call->arena);
    if (!before || !response->login_token)
        return fault_set_no_memory(call->fault);
    return has_changed ? audit_note(call, "login.deactivated", response->login_token->token_id, &before->base,
                                    &response->login_token->base)
                       : STATUS_OK;
}

enum status login_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                 ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateLoginTokenRequest *request =
        (const Latchkey__V1__DeactivateLoginTokenRequest *)message;
    Latchkey__V1__DeactivateLoginTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateLoginTokenResponse);
    struct login *login;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_login_token_response__init(response);
    *ret_response = &response->base;
    enum status status = find(call, request->token_id, &login);
    return status == STATUS_OK ? end(call, login, response) : status;
}

// ---- DeactivateMemberLogins ----

enum status login_rpc_deactivate_all(struct app_call *call, const ProtobufCMessage *message,
                                     ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateMemberLoginsRequest *request =
        (const Latchkey__V1__DeactivateMemberLoginsRequest *)message;
    Latchkey__V1__DeactivateMemberLoginsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateMemberLoginsResponse);
    struct uuid member_id;
    int64_t count;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_member_logins_response__init(response);
    *ret_response = &response->base;

    if (!typeid_parse(bytes_of_text(request->member_id), TYPEID_MEMBER, &member_id)) {
        fault_add_field(call->fault, "member_id",
                        "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
        return call->fault->status;
    }
    enum status status = call->fault->status;
    if (status == STATUS_OK && !login_rpc_is_own(call, member_id))
        status = caller_require(call->caller, LOGINS_MANAGE, call->fault);
    if (status == STATUS_OK)
        status = login_store_deactivate_all(call, member_id, &count);
    if (status != STATUS_OK)
        return status;
    response->count = (uint64_t)count;
    const char *after = arena_format(call->arena, "{\"count\":%lld}", (long long)count);
    if (!after)
        return fault_set_no_memory(call->fault);
    return count > 0 ? audit_note_text(call, "member.logins_deactivated", request->member_id, "", after)
                     : STATUS_OK;
}
