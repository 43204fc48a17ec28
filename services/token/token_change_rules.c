#include "services/token/token_change_rules.h"

#include <inttypes.h>

#include "common/access/lock_out.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"

enum status token_check_not_deactivated(const struct token *token, struct fault *fault) {
    if (token->deactivated_at_ms == CLOCK_NEVER_MS)
        return STATUS_OK;
    return fault_set(fault, STATUS_FAILED_PRECONDITION, "TOKEN_DEACTIVATED",
                     "the token was deactivated, which is for good; create another one");
}

enum status token_check_not_ended(const struct token *token, int64_t now_ms, struct fault *fault) {
    enum status status = token_check_not_deactivated(token, fault);
    if (status != STATUS_OK || token->expires_at_ms > now_ms)
        return status;
    return fault_set(fault, STATUS_FAILED_PRECONDITION, "TOKEN_EXPIRED",
                     "the token has expired; give it a later expires_at first, or create another one");
}

// ---- never more than the caller ----

static bool describe_token(const struct token *token, const struct permission_catalogue *catalogue,
                           struct arena *arena, struct token_maker *ret_maker) {
    struct permission_set *set =
        permission_set_new_in_arena(arena, permission_catalogue_get_limit(catalogue));
    struct group_list groups;
    const struct prefix_list listed = {token->allowed_ips, token->allowed_ip_count};
    struct prefix_list ips;
    if (!set || !group_list_pick(token->permissions, token->permission_count, arena, &groups) ||
        prefix_list_reduce(&listed, arena, &ips) != STATUS_OK)
        return false;
    for (size_t i = 0; i < token->permission_count; i++) {
        bool covers_any = permission_catalogue_expand(catalogue, token->permissions[i], set);
        (void)covers_any; // what the catalogue has lost grants nothing
    }
    *ret_maker = (struct token_maker){.catalogue = catalogue,
                                      .permissions = set,
                                      .groups = groups,
                                      .ips = ips,
                                      .domains = token->allowed_domains,
                                      .domain_count = token->allowed_domain_count,
                                      .expires_at_ms = token->expires_at_ms};
    return true;
}

enum status token_check_widening(const struct token *before, const struct token_draft *after,
                                 const struct token_maker *caller, struct arena *arena, struct fault *fault) {
    struct token_maker itself;
    struct fault beyond_itself;
    fault_init(&beyond_itself, arena);
    if (!describe_token(before, caller->catalogue, arena, &itself))
        return fault_set_no_memory(fault);
    if (token_check_grant(after, before->member_id, &itself, arena, &beyond_itself) == STATUS_OK)
        return STATUS_OK;
    return token_check_grant(after, before->member_id, caller, arena, fault);
}

// ---- lock-out ----

static bool lists(const struct token_draft *draft, const struct ip_address *address) {
    for (size_t i = 0; i < draft->ip_count; i++)
        if (ip_prefix_contains_address(&draft->ips[i], address))
            return true;
    return draft->ip_count == 0;
}

enum status token_check_lock_out(const struct token_draft *after, const struct ip_address *address,
                                 struct fault *fault) {
    struct lock_out change = {.address = *address,
                              .let_in_until_ms = CLOCK_NEVER_MS,
                              .would_until_ms = lists(after, address) ? CLOCK_NEVER_MS : CLOCK_ALWAYS_MS};
    return lock_out_check(&change, fault);
}

// ---- rotation ----

enum status token_check_owner(const struct token *token, struct uuid member_id, struct fault *fault) {
    if (uuid_is_zero(token->member_id) || uuid_is_equal(token->member_id, member_id))
        return STATUS_OK;
    return fault_set(fault, STATUS_PERMISSION_DENIED, "ROTATE_OTHERS_TOKEN",
                     "the token is another member's, and whoever rotates it holds a secret that acts as that "
                     "member; have %s rotate it, or deactivate it and make one of your own",
                     typeid_of(TYPEID_MEMBER, token->member_id).text);
}

enum status token_check_rotation(const struct token *token, bool supersedes, struct fault *fault) {
    bool is_in_grace = token->secret_count > 1;
    if (!is_in_grace || supersedes)
        return STATUS_OK;
    fault_add_detail(fault, "graceEndsAtMs", "%" PRId64, token->secrets[1].expires_at_ms);
    return fault_set(
        fault, STATUS_FAILED_PRECONDITION, "ROTATION_IN_GRACE",
        "the grace of the rotation before still runs, and a third secret would be good; wait for its "
        "end, or set supersede to give up the newer secret");
}
