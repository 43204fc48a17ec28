// One secret of a token as decisions see it: immutable once published, replaced as a whole when anything
// about the token changes. What many tokens share it only points to: the company and the member by their
// cells, whose contents change under it, and the policy, which is interned.
#ifndef LATCHKEY_SERVICES_VALIDATOR_TOKEN_RECORD_H
#define LATCHKEY_SERVICES_VALIDATOR_TOKEN_RECORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/uuid.h"
#include "common/crypto/digest.h"

struct company;
struct member;
struct policy;

// What few tokens have; owned by the record.
struct token_extra {
    int64_t not_before_ms;      // CLOCK_ALWAYS_MS = none
    int64_t suspended_until_ms; // CLOCK_NEVER_MS = until resumed
    uint16_t external_id_len;
    char external_id[];
};

struct token_record {
    struct digest digest; // the table's key
    struct uuid token_id;
    struct company *company;
    struct member *member; // NULL = the company's own

    const struct policy *policy;
    const struct token_extra *extra; // NULL = nothing of it
    int64_t expires_at_ms;           // the earlier of token and secret; CLOCK_NEVER_MS = none
    uint32_t generation;             // the writer's: the pass that put it here
    uint8_t kind;                    // enum token_kind
    uint8_t channels;                // CHANNEL_BIT()s
    bool is_deactivated;
    bool is_suspended;
};

// A million of them: no byte without a purpose, and what a look-up compares in the first half.
static_assert(sizeof(struct token_record) == 96, "three half cache lines");

#endif
