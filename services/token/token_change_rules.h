// When an existing access token may be changed, and by whom. Pure.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_CHANGE_RULES_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_CHANGE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/address.h"
#include "services/token/token.h"
#include "services/token/token_grant.h"
#include "services/token/token_rules.h"

// The secrets of a token that are spent and still recognised, beside those that are good; the oldest are
// forgotten.
#define TOKEN_SPENT_SECRETS_MAX 10
#define TOKEN_GRACE_MAX_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

// FAILED_PRECONDITION (TOKEN_DEACTIVATED) for what has been ended for good.
MUST_CHECK enum status token_check_not_deactivated(const struct token *token, struct fault *fault);

// FAILED_PRECONDITION also for what has expired (TOKEN_EXPIRED).
MUST_CHECK enum status token_check_not_ended(const struct token *token, int64_t now_ms, struct fault *fault);

// An update may narrow a token whatever the caller holds. One that widens it, by a group in place of names
// too, gives away what the token then can, so the caller must hold all of that: PERMISSION_DENIED
// (GRANT_EXCEEDS_CALLER), NO_MEMORY.
MUST_CHECK enum status token_check_widening(const struct token *before, const struct token_draft *after,
                                            const struct token_maker *caller, struct arena *arena,
                                            struct fault *fault);

// FAILED_PRECONDITION (LOCKS_OUT_CALLER) when the token's list would not hold the address from which it is
// being presented.
MUST_CHECK enum status token_check_lock_out(const struct token_draft *after, const struct ip_address *address,
                                            struct fault *fault);

// Whoever rotates a token has its secret then, and with it acts as the token's owner: a member's is rotated
// by that member (`member_id`, zero = the caller is the company's token) alone. PERMISSION_DENIED
// (ROTATE_OTHERS_TOKEN).
MUST_CHECK enum status token_check_owner(const struct token *token, struct uuid member_id,
                                         struct fault *fault);

// A rotation while the grace of the one before runs. With `supersedes` the newer secret is given up in favour
// of a third one; without, it is FAILED_PRECONDITION (ROTATION_IN_GRACE).
MUST_CHECK enum status token_check_rotation(const struct token *token, bool supersedes, struct fault *fault);

#endif
