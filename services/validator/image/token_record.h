// One secret of a token as decisions see it: immutable once published, replaced as a whole when anything
// about the token changes. What many tokens share it only points to, by numbers of half a pointer: the owner
// by its cell, whose contents change under it, and the policy, which is interned (image.h).
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_RECORD_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_RECORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/crypto/fingerprint.h"

struct policy;

// What few tokens have.
struct token_extra {
    const struct policy *policy;
    int64_t not_before_ms;      // CLOCK_ALWAYS_MS = none
    int64_t suspended_until_ms; // CLOCK_NEVER_MS = until resumed
    uint16_t external_id_len;
    char external_id[];
};

// The writer's: what a pass (image.h) knows of a record.
enum token_state {
    TOKEN_FREE = 0, // not in the table
    TOKEN_OLD,      // put by an earlier pass
    TOKEN_FRESH,    // put by this one
};

struct token_record {
    struct fingerprint fingerprint; // the table's key
    struct uuid token_id;
    uint32_t owner;        // number of a member, or of a company
    uint32_t terms;        // number of a policy, or of an extra, which names it
    uint8_t expires_at[6]; // token_record_get_expires_at_ms()
    uint8_t kind : 2;      // enum token_kind
    uint8_t channels : 2;  // CHANNEL_BIT()s
    uint8_t is_deactivated : 1;
    uint8_t is_suspended : 1;
    uint8_t has_member : 1; // `owner` is one
    uint8_t has_extra : 1;  // `terms` is one
    uint8_t state;          // enum token_state; readers never look at it
};

// Ten million of them: no byte without a purpose.
static_assert(sizeof(struct token_record) == 48, "three quarters of a cache line");

// 48 bits of milliseconds, which reach to the year 10889.
#define TOKEN_RECORD_NEVER ((INT64_C(1) << 48) - 1)

// The earlier of token and secret; CLOCK_NEVER_MS = none.
static inline int64_t token_record_get_expires_at_ms(const struct token_record *record) {
    int64_t ms = 0;
    memcpy(&ms, record->expires_at, sizeof(record->expires_at));
    return ms == TOKEN_RECORD_NEVER ? CLOCK_NEVER_MS : ms;
}

// What does not fit is made the nearest that does, and later never becomes never.
static inline void token_record_set_expires_at_ms(struct token_record *record, int64_t ms) {
    int64_t last = ms == CLOCK_NEVER_MS ? TOKEN_RECORD_NEVER : TOKEN_RECORD_NEVER - 1;
    int64_t fitting = ms < 0 ? 0 : ms > last ? last : ms;
    memcpy(record->expires_at, &fitting, sizeof(record->expires_at));
}

#endif
