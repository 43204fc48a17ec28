// Notices that access tokens will expire: which are due, which have been given, and what one says.
#ifndef LATCHKEY_SERVICES_TOKEN_NOTICE_STORE_H
#define LATCHKEY_SERVICES_TOKEN_NOTICE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/app/due.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

// One of the notices that a token gets.
struct notice_kind {
    int64_t before_ms; // its expiry
    int64_t later_ms;  // the notice after it, which takes its place when that is due as well; 0 = none
};

// What may have come due since the last time.
struct notice_span {
    int64_t since_ms, until_ms;
};

// Each a transaction of its own, across companies.
MUST_CHECK enum status notice_store_begin(const struct due_work *work, const struct notice_kind *kind,
                                          struct notice_span *ret_span);
MUST_CHECK enum status notice_store_list_due(const struct due_work *work, const struct notice_kind *kind,
                                             const struct notice_span *span, int32_t max,
                                             struct due_list *ret_list);
// All of the span have been given.
MUST_CHECK enum status notice_store_end(const struct due_work *work, const struct notice_kind *kind,
                                        const struct notice_span *span);

// A notice and one of those whom it is for.
struct notice_letter {
    struct uuid notice_id;
    const char *recipient;
};

// Marks the notice as given for those of the tokens that have not had it, in the call's transaction: one
// notice for each owner, to the member, or to the administrators where the company is the owner.
MUST_CHECK enum status notice_store_claim(struct app_call *call, const struct due_batch *batch,
                                          int64_t before_ms, struct notice_letter **ret_letters,
                                          size_t *ret_count);

#define NOTICE_TOKENS_MAX 50 // named in one mail; the others are counted

struct notice_token {
    struct uuid token_id;
    const char *label;
    int64_t expires_at_ms;
    int64_t last_used_at_ms; // CLOCK_ALWAYS_MS = never
};

struct notice {
    const char *company;
    struct notice_token *tokens; // the first to expire first
    size_t token_count;
    int64_t total; // tokens with those that are not named
};

// What is still true of it: tokens that end as they did when it was given, have not ended yet, and a
// recipient who is a member. `total` 0 = nothing is left to say.
MUST_CHECK enum status notice_store_read(struct app_call *call, struct uuid notice_id, const char *recipient,
                                         struct notice *ret_notice);

#endif
