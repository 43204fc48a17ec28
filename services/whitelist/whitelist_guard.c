#include "services/whitelist/whitelist_guard.h"

#include "common/access/lock_out.h"
#include "common/base/clock.h"

// ---- lock-out ----

static int64_t get_until_ms(const struct whitelist_outcome *outcome, const struct whitelist_asker *asker) {
    bool is_covered = outcome->scope != WHITELIST_SCOPE_LOGINS || asker->kind == TOKEN_KIND_LOGIN;
    return outcome->is_enabled && is_covered && !asker->is_acting ? outcome->caller_until_ms : CLOCK_NEVER_MS;
}

bool whitelist_refuses(const struct whitelist_outcome *outcome, const struct whitelist_asker *asker) {
    return get_until_ms(outcome, asker) <= asker->now_ms;
}

bool whitelist_is_tightened(const struct whitelist_outcome *before, const struct whitelist_outcome *after) {
    bool covers_more = before->scope == WHITELIST_SCOPE_LOGINS && after->scope != WHITELIST_SCOPE_LOGINS;
    return after->is_enabled && (!before->is_enabled || covers_more);
}

enum status whitelist_check_outcome(const struct whitelist_outcome *before,
                                    const struct whitelist_outcome *after,
                                    const struct whitelist_asker *asker, struct fault *fault) {
    struct lock_out change = {.address = asker->address,
                              .now_ms = asker->now_ms,
                              .horizon_ms = asker->horizon_ms,
                              .let_in_until_ms = get_until_ms(before, asker),
                              .would_until_ms = get_until_ms(after, asker)};
    enum status status = lock_out_check(&change, fault);
    if (status != STATUS_OK || !after->is_enabled || after->lists_anybody)
        return status;
    return fault_set(
        fault, STATUS_FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY",
        "this would refuse everybody: no entry of the list is live; add one first, or set force");
}

// ---- confirmation ----

static enum status refuse_pending(enum status status, struct fault *fault) {
    return fault_set(fault, status, "CONFIRMATION_PENDING",
                     "what was changed last waits for its confirmation; confirm it first, or wait until what "
                     "was before has come back");
}

enum status whitelist_check_editable(const struct whitelist *whitelist, struct fault *fault) {
    return whitelist->unconfirmed == WHITELIST_UNCONFIRMED_LIST
               ? refuse_pending(STATUS_FAILED_PRECONDITION, fault)
               : STATUS_OK;
}

enum status whitelist_check_settled(const struct whitelist *whitelist, struct fault *fault) {
    return whitelist->unconfirmed == WHITELIST_UNCONFIRMED_NOTHING
               ? STATUS_OK
               : refuse_pending(STATUS_FAILED_PRECONDITION, fault);
}

enum status whitelist_check_publishable(const struct whitelist *whitelist, struct fault *fault) {
    return whitelist->unconfirmed == WHITELIST_UNCONFIRMED_NOTHING ? STATUS_OK
                                                                   : refuse_pending(STATUS_ABORTED, fault);
}

enum status whitelist_check_confirmable(const struct whitelist *whitelist, int64_t caller_until_ms,
                                        const struct whitelist_asker *asker, struct fault *fault) {
    if (whitelist->unconfirmed == WHITELIST_UNCONFIRMED_NOTHING)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "NOTHING_TO_CONFIRM",
                         "nothing waits for its confirmation");
    if (whitelist->confirm_by_ms <= asker->now_ms)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "CONFIRMATION_OVER",
                         "the time for it is over; what was before comes back");
    if (caller_until_ms > asker->now_ms)
        return STATUS_OK;
    char address[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&asker->address, address);
    fault_add_detail(fault, "clientIp", "%s", address);
    return fault_set(fault, STATUS_PERMISSION_DENIED, "COMPANY_IP_NOT_LISTED",
                     "confirm from an address that the list allows; it does not hold %s",
                     *address ? address : "yours, which the server can't tell");
}
