// A company's whitelist as its service knows it: the settings of the live list, its entries, and the drafts
// of other lists. Texts live in the arena of the call.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

// What waits for its confirmation, and comes to what without.
enum whitelist_unconfirmed {
    WHITELIST_UNCONFIRMED_NOTHING,
    WHITELIST_UNCONFIRMED_LIST,   // a published list: the one before comes back
    WHITELIST_UNCONFIRMED_SWITCH, // the list is on: it goes off
    WHITELIST_UNCONFIRMED_SCOPE,  // the list covers every token: it covers log-ins alone
};

struct whitelist {
    struct uuid company_id;
    bool is_enabled;
    enum whitelist_scope scope;
    int64_t entry_count;   // disabled and expired ones included
    int64_t confirm_by_ms; // CLOCK_NEVER_MS = nothing waits
    enum whitelist_unconfirmed unconfirmed;
    int64_t version;
};

// A list in the making.
struct whitelist_draft {
    struct uuid draft_id;
    int64_t entry_count;
    int64_t created_at_ms;
    const char *created_by; // a TypeID
    bool is_outdated;       // the live list has changed since it was begun
};

// Fields of an entry that an update may name, in the order of the contract.
enum whitelist_field {
    WHITELIST_FIELD_ADDRESS,
    WHITELIST_FIELD_BITS,
    WHITELIST_FIELD_NOTE,
    WHITELIST_FIELD_OWNER,
    WHITELIST_FIELD_DISABLED,
    WHITELIST_FIELD_EXPIRES_AT,
    WHITELIST_FIELD_COUNT
};
#define WHITELIST_FIELD_BIT(field) (UINT32_C(1) << (field))

struct whitelist_entry {
    struct uuid entry_id;
    const char *address; // as typed
    struct ip_prefix prefix;
    const char *note, *owner;
    bool is_disabled;
    int64_t expires_at_ms; // CLOCK_NEVER_MS = does not end
    int64_t created_at_ms;
    const char *created_by; // a TypeID
    int64_t last_hit_at_ms; // CLOCK_ALWAYS_MS = never
    int64_t version;
};

#endif
