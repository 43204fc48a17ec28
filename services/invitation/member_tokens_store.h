// What a member leaves behind: its access tokens that have not been deactivated, and its log-ins that still
// live. Statements for the batches of others.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_TOKENS_STORE_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_TOKENS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"

#define MEMBER_TOKENS_NAMED_MAX 1000
// Fixed by the contract: addresses in a token's list.
#define MEMBER_TOKENS_IPS_MAX 10000

// In the call's arena.
struct member_tokens {
    int64_t token_count;
    struct uuid *token_ids; // the first MEMBER_TOKENS_NAMED_MAX, newest first
    size_t token_id_count;
    struct bytes *grants; // everything that any of the access tokens was granted, each once
    size_t grant_count;
    int64_t login_count;
    // Handed over, by the own list of addresses of whoever owns them:
    int64_t narrowed_count;    // they get a narrower list
    int64_t unreachable_count; // they end: no address is in both lists
    int64_t too_long_count;    // they can't be: both lists share more prefixes than a list may have
    struct uuid too_long_id;   // the newest of these
};

// Two looks (membership_lock()): from the first on nobody makes another one before the transaction ends, the
// second is what there is.
struct db_command member_tokens_look_locking(const struct app_call *call, struct uuid member_id,
                                             struct db_params *params);
struct db_command member_tokens_look(const struct app_call *call, struct uuid member_id,
                                     struct db_params *params);
MUST_CHECK enum status member_tokens_read(struct app_call *call, const struct db_command *look,
                                          struct member_tokens *ret_tokens);

// A third look, at what handing them over does to their lists; fills these counts alone.
struct db_command member_tokens_look_for_bound(const struct app_call *call, struct uuid member_id,
                                               struct db_params *params);
void member_tokens_read_bound(const struct db_command *look, struct member_tokens *tokens);

struct db_command member_tokens_end_access(const struct app_call *call, struct uuid member_id,
                                           struct db_params *params);
// To the member `heir_id`, or to the company where that is zero: first those that no address is left for,
// which end, then the others.
struct db_command member_tokens_end_unreachable(const struct app_call *call, struct uuid member_id,
                                                struct uuid heir_id, struct db_params *params);
struct db_command member_tokens_move_access(const struct app_call *call, struct uuid member_id,
                                            struct uuid heir_id, struct db_params *params);
struct db_command member_tokens_end_logins(const struct app_call *call, struct uuid member_id,
                                           struct db_params *params);

#endif
