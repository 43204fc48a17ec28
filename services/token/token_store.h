// Access tokens in the database. Every function is one round trip within the call's transaction, and copies
// what it returns to the arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_STORE_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/token/token.h"
#include "services/token/token_filter.h"
#include "services/token/token_mint.h"
#include "services/token/token_rules.h"

// What makes a draft a token.
struct token_birth {
    struct uuid token_id;
    struct uuid member_id; // its owner; zero = the company
    const struct token_minted *minted;
    const char *created_by;
    int64_t company_tokens_max;
    bool counts_tokens; // whether the company's room is to be counted, which takes long where it has many
};

// Inserts the token and its secret, and reads it back together with the company's policy, which the caller
// checks: to refuse is to fail, which undoes the insertion. ALREADY_EXISTS (EXTERNAL_ID_IN_USE). ABORTED
// without a fault where the caller is not what it was before the insertion waited (caller_check_again()).
MUST_CHECK enum status token_store_create(struct app_call *call, const struct token_draft *draft,
                                          const struct token_birth *birth, struct token_policy *ret_policy,
                                          struct token **ret_token);

// NOT_FOUND (TOKEN_NOT_FOUND) unless it is an access token of the call's company.
MUST_CHECK enum status token_store_find(struct app_call *call, struct uuid token_id,
                                        struct token **ret_token);

struct token_list {
    struct token *tokens;
    size_t count; // at most the limit; fewer where long lists would make the page too large, or the filter
                  // has so much to look at that the rest is left to the next page
    bool has_more;
    struct uuid last; // after which the next page begins
};

// The tokens after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status token_store_list(struct app_call *call, const struct token_filter *filter,
                                        struct uuid after, int32_t limit, struct token_list *ret_list);

#endif
