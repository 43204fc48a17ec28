// What may not be done to a list without force: lock the caller, or everybody, out
// (common/access/lock_out.h). The guard looks at what a change would leave behind beside what there is, so
// one serves them all. And what may not be done at all while a published list waits for its confirmation.
// Pure.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_GUARD_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/address.h"
#include "services/whitelist/whitelist.h"

// A list as far as the guard looks.
struct whitelist_outcome {
    bool is_enabled;
    enum whitelist_scope scope;
    int64_t caller_until_ms; // until when its live entries hold the caller's address; CLOCK_ALWAYS_MS = not
                             // at all
    bool lists_anybody;      // there is a live entry
};

// Who asks for it.
struct whitelist_asker {
    struct ip_address address; // family 0 = unknown, which no entry holds
    enum token_kind kind;
    bool is_acting; // an operator for a company whose list does not bind it
    int64_t now_ms;
    int64_t horizon_ms;
};

// FAILED_PRECONDITION: LOCKS_OUT_CALLER with the address and the entry it needs, or LOCKS_OUT_EVERYBODY.
MUST_CHECK enum status whitelist_check_outcome(const struct whitelist_outcome *before,
                                               const struct whitelist_outcome *after,
                                               const struct whitelist_asker *asker, struct fault *fault);

// Whether that list refuses whoever asks.
bool whitelist_refuses(const struct whitelist_outcome *outcome, const struct whitelist_asker *asker);

// Whether it refuses uses that it let in before, so that there is something to confirm.
bool whitelist_is_tightened(const struct whitelist_outcome *before, const struct whitelist_outcome *after);

// FAILED_PRECONDITION (CONFIRMATION_PENDING), ABORTED for a publication. While a published list may still
// give way to the one before it, a change of either would be lost or would be judged by a list that goes.
// While settings may give way, other settings and lists would; entries stay, and may be edited.
MUST_CHECK enum status whitelist_check_editable(const struct whitelist *whitelist, struct fault *fault);
MUST_CHECK enum status whitelist_check_settled(const struct whitelist *whitelist, struct fault *fault);
MUST_CHECK enum status whitelist_check_publishable(const struct whitelist *whitelist, struct fault *fault);

// FAILED_PRECONDITION: NOTHING_TO_CONFIRM or CONFIRMATION_OVER. PERMISSION_DENIED (COMPANY_IP_NOT_LISTED)
// unless the list holds the caller's address.
MUST_CHECK enum status whitelist_check_confirmable(const struct whitelist *whitelist, int64_t caller_until_ms,
                                                   const struct whitelist_asker *asker, struct fault *fault);

#endif
