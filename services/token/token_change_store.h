// Changes of one access token in the database. Each locks the token first and reads it before and after, in
// one round trip: a handler that does not like what it sees in `before` fails, which undoes the change.
// NOT_FOUND (TOKEN_NOT_FOUND) unless it is an access token of the call's company. ABORTED without a fault
// where the caller is not what it was before it waited for the lock (caller_check_again()).
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_CHANGE_STORE_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_CHANGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/token/token.h"
#include "services/token/token_mint.h"
#include "services/token/token_rules.h"

struct token_change {
    struct token *before, *after;
    bool has_changed;
};

// Ends it for good, unless it has ended before: then nothing changes.
MUST_CHECK enum status token_store_deactivate(struct app_call *call, struct uuid token_id, int reason,
                                              const char *note, struct token_change *ret_change);

// `until_ms` CLOCK_NEVER_MS = until resumed.
MUST_CHECK enum status token_store_suspend(struct app_call *call, struct uuid token_id, int64_t until_ms,
                                           struct token_change *ret_change);

// Nothing changes without a present suspension.
MUST_CHECK enum status token_store_resume(struct app_call *call, struct uuid token_id,
                                          struct token_change *ret_change);

// The present secret gives way to `minted` and is good for `grace_ms` more, 0 = for nobody from now on. In
// the grace of another rotation it is the older secret that gets the grace, and the present one that ends at
// once.
MUST_CHECK enum status token_store_rotate(struct app_call *call, struct uuid token_id, int64_t grace_ms,
                                          const struct token_minted *minted, struct token_change *ret_change);

struct token_standing {
    struct token *token;
    struct token_policy policy; // of the company; its room is not counted
};

// Locks and reads it, for a change that depends on what it is.
MUST_CHECK enum status token_store_lock(struct app_call *call, struct uuid token_id,
                                        struct token_standing *ret_standing);

// Makes of the token that is locked what the draft says; `*ret_has_changed` is false where it said so before.
MUST_CHECK enum status token_store_update(struct app_call *call, struct uuid token_id,
                                          const struct token_draft *draft, bool *ret_has_changed,
                                          struct token **ret_token);

#endif
