// RemoveMember: the member, and what becomes of its access tokens, log-ins and invitations, in one
// transaction.
#include <inttypes.h>

#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "services/invitation/invitation_store.h"
#include "services/invitation/member_message_rpc.h"
#include "services/invitation/member_rpc.h"
#include "services/invitation/member_store.h"
#include "services/invitation/member_tokens_store.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_store.h"

struct removal {
    struct uuid member_id;
    bool is_transfer, is_to_company;
    struct uuid to; // a member, else zero
    const char *to_text;
    bool is_dry_run;
};

static enum status read_removal(struct app_call *call, const Latchkey__V1__RemoveMemberRequest *request,
                                struct removal *ret_removal) {
    const char *to = request->transfer_tokens_to;
    struct removal removal = {.member_id = member_rpc_read_id(request->member_id, "member_id", call),
                              .is_transfer = *to != '\0',
                              .to_text = to,
                              .is_dry_run = request->dry_run};
    struct uuid company_id;
    removal.is_to_company = typeid_parse(bytes_of_text(to), TYPEID_COMPANY, &company_id) &&
                            uuid_is_equal(company_id, call->company_id);
    bool is_member = typeid_parse(bytes_of_text(to), TYPEID_MEMBER, &removal.to);
    if (removal.is_transfer && !removal.is_to_company && !is_member)
        fault_add_field(call->fault, "transfer_tokens_to",
                        "type a member's id or the company's own, %s; or leave it empty to end the tokens",
                        typeid_of(TYPEID_COMPANY, call->company_id).text);
    if (is_member && uuid_is_equal(removal.to, removal.member_id))
        fault_add_field(call->fault, "transfer_tokens_to", "type another member than the one to remove");
    *ret_removal = removal;
    return call->fault->status;
}

// What is looked at behind the lock: from BOUND on only where somebody gets the tokens, from HEIR on only
// where that is a member.
enum { MEMBER, ROLES, ADMINISTRATOR, TOKENS_LOCK, TOKENS, BOUND, HEIR, HEIR_ROLES, LOOK_COUNT };

// ---- handing tokens over ----

// Of what the tokens were granted, leaves what the new owner lets them do: everything, where that is the
// company.
static enum status bound_by_heir(struct app_call *call, const struct removal *removal,
                                 const struct db_command *looks, struct reach *reach) {
    struct member *heir;
    struct role_list roles;
    struct reach bound;
    if (removal->is_to_company)
        return STATUS_OK;
    enum status status = member_store_read(call, &looks[HEIR], removal->to, &heir);
    if (status == STATUS_OK && member_is_removed(heir))
        status = fault_set(call->fault, STATUS_FAILED_PRECONDITION, "MEMBER_REMOVED",
                           "%s was removed and can't own tokens", removal->to_text);
    if (status == STATUS_OK)
        status = role_store_read_list(call, &looks[HEIR_ROLES], &roles);
    if (status != STATUS_OK)
        return status;
    bool is_bound = role_list_get_reach(&roles, call->caller->catalogue, call->arena, &bound) &&
                    reach_intersect(reach, &bound, call->arena);
    return is_bound ? STATUS_OK : fault_set_no_memory(call->fault);
}

static enum status check_lists(const struct app_call *call, const struct member_tokens *tokens) {
    if (tokens->too_long_count == 0)
        return STATUS_OK;
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "TOKEN_LIST_TOO_LONG",
                     "%" PRId64 " of the tokens can't be handed over, such as %s: its list of addresses and "
                     "the member's own share more than %d; shorten either, or deactivate the token first",
                     tokens->too_long_count, typeid_of(TYPEID_TOKEN, tokens->too_long_id).text,
                     MEMBER_TOKENS_IPS_MAX);
}

// Whoever has their secrets could do, with another owner, what he can't do with this one: then that is a
// grant like any other.
static enum status check_transfer(struct app_call *call, const struct removal *removal,
                                  const struct db_command *looks, const struct role_list *roles_before,
                                  const struct member_tokens *tokens) {
    struct reach wanted, before;
    const struct permission_catalogue *catalogue = call->caller->catalogue;
    if (!reach_of_grants(tokens->grants, tokens->grant_count, catalogue, call->arena, &wanted) ||
        !role_list_get_reach(roles_before, catalogue, call->arena, &before))
        return fault_set_no_memory(call->fault);
    enum status status = bound_by_heir(call, removal, looks, &wanted);
    if (status != STATUS_OK)
        return status;
    return role_check_reach(&wanted, &before, call->caller, "you can't hand over the tokens", call->arena,
                            call->fault);
}

// ---- the removal ----

static bool has_administrator(const struct role_list *roles) {
    for (size_t i = 0; i < roles->count; i++)
        if (roles->roles[i].is_built_in)
            return true;
    return false;
}

static enum status check_removal(struct app_call *call, const struct removal *removal,
                                 const struct db_command *looks, struct member_tokens *ret_tokens) {
    struct role_list roles;
    enum status status = role_store_read_list(call, &looks[ROLES], &roles);
    if (status == STATUS_OK && has_administrator(&roles))
        status = membership_check_administrator(call, &looks[ADMINISTRATOR]);
    if (status == STATUS_OK)
        status = member_tokens_read(call, &looks[TOKENS], ret_tokens);
    if (status != STATUS_OK || !removal->is_transfer)
        return status;
    member_tokens_read_bound(&looks[BOUND], ret_tokens);
    status = check_lists(call, ret_tokens);
    if (status != STATUS_OK)
        return status;
    return check_transfer(call, removal, looks, &roles, ret_tokens);
}

static const char *describe_ended(const struct member_tokens *tokens, struct arena *arena) {
    return arena_format(
        arena, "{\"token_count\":%" PRId64 ",\"login_count\":%" PRId64 ",\"transfer_tokens_to\":\"\"}",
        tokens->token_count, tokens->login_count);
}

static const char *describe_transfer(const struct removal *removal, const struct member_tokens *tokens,
                                     struct arena *arena) {
    return arena_format(arena,
                        "{\"token_count\":%" PRId64 ",\"narrowed_count\":%" PRId64
                        ",\"unreachable_count\":%" PRId64 ",\"login_count\":%" PRId64
                        ",\"transfer_tokens_to\":\"%s\"}",
                        tokens->token_count, tokens->narrowed_count, tokens->unreachable_count,
                        tokens->login_count, removal->to_text);
}

static enum status note_tokens(struct app_call *call, const struct removal *removal, const char *member_id,
                               const struct member_tokens *tokens) {
    if (tokens->token_count + tokens->login_count == 0)
        return STATUS_OK;
    const char *after = removal->is_transfer ? describe_transfer(removal, tokens, call->arena)
                                             : describe_ended(tokens, call->arena);
    if (!after)
        return fault_set_no_memory(call->fault);
    const char *action = removal->is_transfer ? "member.tokens_transferred" : "member.tokens_ended";
    return audit_note_text(call, action, member_id, "", after);
}

// Nobody becomes a member any more by the word of somebody who is none.
static enum status end_invitations(struct app_call *call, const char *member_id) {
    int64_t count;
    enum status status = invitation_store_deactivate_of_author(call, member_id, &count);
    if (status != STATUS_OK || count == 0)
        return status;
    const char *after = arena_format(call->arena, "{\"invitation_count\":%" PRId64 "}", count);
    if (!after)
        return fault_set_no_memory(call->fault);
    return audit_note_text(call, "member.invitations_deactivated", member_id, "", after);
}

static enum status remove_member(struct app_call *call, const struct removal *removal,
                                 const struct member_tokens *tokens, const struct member *before,
                                 struct member **ret_after) {
    const struct uuid *heir = removal->is_transfer ? &removal->to : NULL; // zero is the company
    enum status status = member_store_remove(call, removal->member_id, heir, ret_after);
    if (status != STATUS_OK)
        return status;
    Latchkey__V1__Member *was = member_message_new(before, call->arena);
    Latchkey__V1__Member *is = member_message_new(*ret_after, call->arena);
    if (!was || !is)
        return fault_set_no_memory(call->fault);
    status = audit_note(call, "member.removed", was->member_id, &was->base, &is->base);
    if (status == STATUS_OK)
        status = note_tokens(call, removal, was->member_id, tokens);
    return status == STATUS_OK ? end_invitations(call, was->member_id) : status;
}

static bool fill(Latchkey__V1__RemoveMemberResponse *response, const struct member *member,
                 const struct member_tokens *tokens, struct arena *arena) {
    response->member = member_message_new(member, arena);
    response->token_count = (uint64_t)tokens->token_count;
    response->login_count = (uint64_t)tokens->login_count;
    response->narrowed_count = (uint64_t)tokens->narrowed_count;
    response->unreachable_count = (uint64_t)tokens->unreachable_count;
    response->token_ids = typeid_list_format(TYPEID_TOKEN, tokens->token_ids, tokens->token_id_count, arena);
    response->n_token_ids = tokens->token_id_count;
    return response->member && response->token_ids;
}

// Ending what has ended changes nothing.
static enum status run_removal(struct app_call *call, const struct removal *removal,
                               struct member_tokens *ret_tokens, struct member **ret_member) {
    struct uuid member_id = removal->member_id;
    struct db_params params[LOOK_COUNT];
    struct db_command looks[] = {
        [MEMBER] = member_store_look_for(call, member_id, &params[MEMBER]),
        [ROLES] = role_store_look_of_member(call, member_id, &params[ROLES]),
        [ADMINISTRATOR] = membership_look_for_administrator(call, member_id, &params[ADMINISTRATOR]),
        [TOKENS_LOCK] = member_tokens_look_locking(call, member_id, &params[TOKENS_LOCK]),
        [TOKENS] = member_tokens_look(call, member_id, &params[TOKENS]),
        [BOUND] = member_tokens_look_for_bound(call, member_id, &params[BOUND]),
        [HEIR] = member_store_look_for(call, removal->to, &params[HEIR]),
        [HEIR_ROLES] = role_store_look_of_member(call, removal->to, &params[HEIR_ROLES])};
    size_t count = !removal->is_transfer ? BOUND : removal->is_to_company ? HEIR : LOOK_COUNT;
    struct member *before;
    enum status status = membership_lock(call, looks, count);
    if (status == STATUS_OK)
        status = member_store_read(call, &looks[MEMBER], member_id, &before);
    if (status != STATUS_OK)
        return status;
    *ret_member = before;
    if (member_is_removed(before))
        return STATUS_OK;
    status = check_removal(call, removal, looks, ret_tokens);
    if (status != STATUS_OK || removal->is_dry_run)
        return status;
    return remove_member(call, removal, ret_tokens, before, ret_member);
}

enum status member_rpc_remove(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    Latchkey__V1__RemoveMemberResponse *response = ARENA_NEW(call->arena, Latchkey__V1__RemoveMemberResponse);
    struct removal removal;
    struct member_tokens tokens = {0};
    struct member *member;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__remove_member_response__init(response);
    enum status status = read_removal(call, (const Latchkey__V1__RemoveMemberRequest *)message, &removal);
    if (status == STATUS_OK)
        status = run_removal(call, &removal, &tokens, &member);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill(response, member, &tokens, call->arena) ? STATUS_OK : fault_set_no_memory(call->fault);
}
