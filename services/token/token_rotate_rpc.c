// RotateAccessToken: another secret for the same token.
//
// A token may rotate itself, with the secret that it is to give up. Whoever rotates another token holds its
// secret afterwards and can act as its owner, so must be that owner or an operator where a member owns it,
// and hold everything that the token may do. To take a rotation back (supersede) is for managers alone: with
// the older secret in its grace a thief could else throw the owner out.
#include "common/base/clock.h"
#include "common/protobuf/timestamp.h"
#include "services/token/token_change_rules.h"
#include "services/token/token_change_store.h"
#include "services/token/token_rpc.h"
#include "services/token/token_wish_rpc.h"

static int64_t read_grace(const Latchkey__V1__RotateAccessTokenRequest *request, struct fault *fault) {
    int64_t grace_ms = 0;
    if (!duration_get_ms(request->grace, &grace_ms) || grace_ms < 0 || grace_ms > TOKEN_GRACE_MAX_MS ||
        (request->grace && request->grace->nanos < 0))
        fault_add_field(fault, "grace", "type a duration from 0 to 30 days, such as 86400s");
    return grace_ms;
}

static enum status check_right(struct app_call *call, struct uuid token_id, bool supersedes) {
    if (supersedes)
        return caller_require(call->caller, "latchkey.tokens.manage", call->fault);
    return token_require_unless_itself(call, token_id, "latchkey.tokens.manage");
}

static enum status check_reach(struct app_call *call, const struct token *token) {
    struct token_draft draft = token_draft_of(token);
    struct token_maker caller;
    if (uuid_is_equal(token->token_id, call->caller->token_id))
        return STATUS_OK;
    if (!caller_has_permission(call->caller, "latchkey.operate") &&
        token_check_owner(token, call->caller->member_id, call->fault) != STATUS_OK)
        return call->fault->status;
    if (!token_describe_caller(call, &caller))
        return fault_set_no_memory(call->fault);
    return token_check_grant(&draft, token->member_id, &caller, call->arena, call->fault);
}

static enum status rotate(struct app_call *call, const Latchkey__V1__RotateAccessTokenRequest *request,
                          const struct token_minted *minted, struct token_change *ret_change) {
    struct uuid token_id = token_read_id(request->token_id, "token_id", call->fault);
    int64_t grace_ms = read_grace(request, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = check_right(call, token_id, request->supersede);
    if (status == STATUS_OK)
        status = token_store_rotate(call, token_id, grace_ms, minted, ret_change);
    if (status == STATUS_OK)
        status = token_check_not_ended(ret_change->before, call->now_ms, call->fault);
    if (status == STATUS_OK)
        status = check_reach(call, ret_change->before);
    if (status == STATUS_OK)
        status = token_check_rotation(ret_change->before, request->supersede, call->fault);
    return status;
}

enum status token_rpc_rotate(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    Latchkey__V1__RotateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__RotateAccessTokenResponse);
    struct token_minted minted;
    struct token_change change;
    if (!response || !token_mint(call, SECRET_ACCESS, &minted))
        return fault_set_no_memory(call->fault);
    latchkey__v1__rotate_access_token_response__init(response);
    enum status status =
        rotate(call, (const Latchkey__V1__RotateAccessTokenRequest *)message, &minted, &change);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.rotated", &change, &response->access_token);
    response->secret = minted.secret->text;
    *ret_response = &response->base;
    return status;
}
