// Many access tokens ended at once.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_BULK_STORE_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_BULK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "services/token/token_filter.h"

#define TOKEN_BULK_IDS_MAX 1000

struct token_crowd {
    int64_t count;
    struct uuid *token_ids; // newest first, at most TOKEN_BULK_IDS_MAX of them
    size_t token_id_count;
    // Only of those that were ended: over the ids of all of them, as the contract writes them, in ascending
    // order and each with a newline behind it.
    struct digest ids_digest;
};

// Those of the company that the filter names and nobody has ended yet.
MUST_CHECK enum status token_store_count_many(struct app_call *call, const struct token_filter *filter,
                                              struct token_crowd *ret_crowd);

// Ends them for good, all or none. ABORTED without a fault where the caller is not what it was before it
// waited for their locks (caller_check_after_change()).
MUST_CHECK enum status token_store_deactivate_many(struct app_call *call, const struct token_filter *filter,
                                                   int reason, const char *note,
                                                   struct token_crowd *ret_crowd);

#endif
