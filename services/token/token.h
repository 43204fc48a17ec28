// A token as the token service knows it: what is stored about it, and what it is at a given moment.
// Everything borrowed here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

// Numbers as latchkey.v1.TokenState.
enum token_state {
    TOKEN_STATE_ANY = 0, // in a filter
    TOKEN_STATE_ACTIVE = 1,
    TOKEN_STATE_SUSPENDED = 2,
    TOKEN_STATE_DEACTIVATED = 3,
    TOKEN_STATE_EXPIRED = 4,
    TOKEN_STATE_NOT_YET_VALID = 5,
};
#define TOKEN_STATE_LAST TOKEN_STATE_NOT_YET_VALID

// Numbers as latchkey.v1.DeactivateReason.
enum deactivate_reason {
    DEACTIVATE_REASON_NONE = 0,
    DEACTIVATE_REASON_LEAKED = 1,
    DEACTIVATE_REASON_POLICY = 4,
    DEACTIVATE_REASON_OTHER = 5,
};
#define DEACTIVATE_REASON_LAST DEACTIVATE_REASON_OTHER

struct token_pair {
    struct bytes key, value;
};

// A secret of a token, told apart without showing it.
struct token_secret {
    const char *hint;
    int64_t created_at_ms;
    int64_t expires_at_ms;   // CLOCK_NEVER_MS = with the token
    int64_t last_used_at_ms; // CLOCK_ALWAYS_MS = never used
    const char *last_used_ip;
};

struct token {
    struct uuid token_id;
    struct uuid company_id;
    struct uuid member_id; // zero = the company's own
    const char *external_id, *label, *description;
    uint8_t channels; // CHANNEL_BIT()s

    struct token_pair *metadata;
    size_t metadata_count;
    struct bytes *permissions; // grants
    size_t permission_count;
    struct bytes *allowed_domains;
    size_t allowed_domain_count;
    struct ip_prefix *allowed_ips;
    size_t allowed_ip_count;

    int64_t not_before_ms; // CLOCK_ALWAYS_MS = none
    int64_t expires_at_ms; // CLOCK_NEVER_MS = none
    bool is_suspended;
    int64_t suspended_until_ms; // CLOCK_NEVER_MS = until resumed
    int64_t deactivated_at_ms;  // CLOCK_NEVER_MS = not deactivated
    int deactivate_reason;      // enum deactivate_reason
    const char *deactivate_note;

    struct token_secret *secrets; // newest first
    size_t secret_count;
    int64_t last_used_at_ms; // CLOCK_ALWAYS_MS = never used
    const char *last_used_ip, *last_used_by;

    int64_t created_at_ms;
    const char *created_by; // a TypeID
    int64_t version;
};

// What it is at `now_ms`: the first in the order of a decision's checks. The store's filter says the same in
// SQL.
enum token_state token_get_state(const struct token *token, int64_t now_ms);

#endif
