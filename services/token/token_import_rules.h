// What a token that another system handed out must be like, beside what every token must. Pure.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_IMPORT_RULES_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_IMPORT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "services/token/token_rules.h"

#define TOKEN_IMPORT_MAX 1000 // in a call
#define TOKEN_IMPORT_HINT_MAX 16

// As it was typed; times that were unreadable have been named in the fault.
struct token_history_wish {
    struct bytes secret_sha256;
    const char *hint;
    bool has_created_at, has_last_used_at;
    int64_t created_at_ms, last_used_at_ms;
};

struct token_history {
    struct digest digest; // of its secret
    const char *hint;     // borrows from the wish
    int64_t created_at_ms;
    int64_t last_used_at_ms; // CLOCK_ALWAYS_MS = never, or unknown
};

// One of the tokens of a call.
struct token_import {
    struct fault fault; // its own: the others don't mind
    struct uuid token_id, member_id;
    struct token_draft draft;
    struct token_history history;
};

// INVALID with every bad field.
MUST_CHECK enum status token_check_history(const struct token_history_wish *wish, int64_t now_ms,
                                           struct fault *fault, struct token_history *ret_history);

// Gives every token whose secret or external_id another one of the list has before it ALREADY_EXISTS. Tokens
// that have failed already don't count.
void token_check_twins(struct token_import *imports, size_t count);

// The faults of a secret or an external_id that is in use.
enum status token_refuse_secret(struct fault *fault);
enum status token_refuse_external_id(struct bytes external_id, struct fault *fault);

#endif
