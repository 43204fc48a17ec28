// What a member leaves behind: its access tokens that have not been deactivated, and its log-ins that still
// live. Every function is one round trip within the call's transaction. A failure of the database itself
// leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_TOKENS_STORE_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_TOKENS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define MEMBER_TOKENS_NAMED_MAX 1000

// In the call's arena.
struct member_tokens {
    int64_t token_count;
    struct uuid *token_ids; // the first MEMBER_TOKENS_NAMED_MAX, newest first
    size_t token_id_count;
    struct bytes *grants; // everything that any of the access tokens was granted, each once
    size_t grant_count;
    int64_t login_count;
};

// Nobody makes another one before the transaction ends.
MUST_CHECK enum status member_tokens_store_lock(struct app_call *call, struct uuid member_id,
                                                struct member_tokens *ret_tokens);

// Access tokens and log-ins, for good.
MUST_CHECK enum status member_tokens_store_end(struct app_call *call, struct uuid member_id);

// Access tokens to another owner (zero = the company); log-ins end.
MUST_CHECK enum status member_tokens_store_hand_over(struct app_call *call, struct uuid member_id,
                                                     struct uuid to);

#endif
