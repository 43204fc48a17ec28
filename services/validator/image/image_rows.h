// The rows that an image is made of, as the database has them. Everything borrows, and need live only as long
// as the call that takes the row.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_ROWS_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/uuid.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/image/policy.h"

struct company_row {
    struct uuid company_id;
    bool is_suspended;
    struct bytes external_id;
};

struct whitelist_row {
    struct uuid company_id;
    bool is_enabled;
    uint8_t scope; // enum whitelist_scope
    struct uuid live_list_id;
};

struct role_row {
    struct uuid role_id;
    struct uuid company_id;
    bool is_administrator;
    const struct bytes *grants;
    size_t grant_count;
};

struct member_row {
    struct uuid member_id;
    struct uuid company_id;
    bool is_removed;
    const struct ip_prefix *ips; // none = no restriction
    size_t ip_count;
    const struct uuid *role_ids;
    size_t role_count;
};

// One secret of a token.
struct token_row {
    struct fingerprint fingerprint; // of its digest, with the image's key
    struct uuid token_id;
    struct uuid company_id;
    struct uuid member_id; // zero = the company's own
    uint8_t kind;          // enum token_kind
    uint8_t channels;      // CHANNEL_BIT()s
    bool is_deactivated;
    bool is_suspended;
    int64_t suspended_until_ms; // CLOCK_NEVER_MS = until resumed
    int64_t not_before_ms;      // CLOCK_ALWAYS_MS = none
    int64_t expires_at_ms;      // the earlier of token and secret; CLOCK_NEVER_MS = none
    struct bytes external_id;
    struct policy_rule rule;
};

#endif
