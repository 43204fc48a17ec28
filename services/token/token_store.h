// Access tokens in the database. Every function is one round trip within the call's transaction, and copies
// what it returns to the arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_STORE_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "services/token/token.h"
#include "services/token/token_rules.h"

// What makes a draft a token.
struct token_birth {
    struct uuid token_id;
    struct uuid member_id; // its owner; zero = the company
    struct digest digest;  // of its secret
    const char *hint;
    const char *created_by;
    int64_t company_tokens_max;
};

// Inserts the token and its secret, and reads it back together with the company's policy, which the caller
// checks: to refuse is to fail, which undoes the insertion. ALREADY_EXISTS (EXTERNAL_ID_IN_USE).
MUST_CHECK enum status token_store_create(struct app_call *call, const struct token_draft *draft,
                                          const struct token_birth *birth, struct token_policy *ret_policy,
                                          struct token **ret_token);

// NOT_FOUND (TOKEN_NOT_FOUND) unless it is an access token of the call's company.
MUST_CHECK enum status token_store_find(struct app_call *call, struct uuid token_id,
                                        struct token **ret_token);

// Filters that are set must all hold.
struct token_filter {
    enum token_state state; // ANY = all
    struct uuid member_id;  // zero = all
    struct bytes label_contains;
    const struct bytes *grants; // any one of them; none = all
    size_t grant_count;
    int64_t expires_before_ms; // CLOCK_NEVER_MS = all
    int64_t unused_since_ms;   // CLOCK_ALWAYS_MS = all
    struct bytes external_id;
};

struct token_list {
    struct token *tokens;
    size_t count; // at most the limit; fewer where long lists would make the page too large
    bool has_more;
};

// The tokens after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status token_store_list(struct app_call *call, const struct token_filter *filter,
                                        struct uuid after, int32_t limit, struct token_list *ret_list);

// Ends it for good, unless it has ended before: then nothing changes. NOT_FOUND as token_store_find().
MUST_CHECK enum status token_store_deactivate(struct app_call *call, struct uuid token_id, int reason,
                                              const char *note, bool *ret_has_changed,
                                              struct token **ret_token);

#endif
