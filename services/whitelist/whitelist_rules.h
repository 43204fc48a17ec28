// What may become of a whitelist. Pure: every bad field of a request is named in the fault at once, with a
// sentence that says what to type instead.
//
// The lock-out guard: no change goes through that would refuse the address from which it is asked for, or
// everybody, unless it is forced. It looks at what the change would leave behind, so one guard serves them
// all.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_RULES_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"

// Fixed by the contract, in characters.
#define WHITELIST_NOTE_MAX 500
#define WHITELIST_OWNER_MAX 100
// The most that an address with its checking bits and all its zeros takes.
#define WHITELIST_ADDRESS_MAX 64

// Settings.
struct whitelist_limits {
    int64_t call_entries;
    int64_t company_entries;
};

// An entry to add, as typed.
struct whitelist_wish {
    const char *address;
    uint32_t bits; // IP_PREFIX_BITS_UNSET = as the address says
    const char *note, *owner;
    bool is_disabled;
    int64_t expires_at_ms; // CLOCK_NEVER_MS = does not end
};

struct whitelist_terms {
    const struct whitelist_limits *limits;
    int64_t now_ms;
    bool is_forced; // permits a prefix of length 0
};

// The ranges that the wishes stand for, in their order. INVALID with every bad field.
MUST_CHECK enum status whitelist_check_wishes(const struct whitelist_wish *wishes, size_t count,
                                              const struct whitelist_terms *terms, struct arena *arena,
                                              struct fault *fault, struct ip_prefix **ret_prefixes);

// Names `field` unless it has 1 element to as many as a call may have.
bool whitelist_check_count(size_t count, const struct whitelist_limits *limits, const char *field,
                           struct fault *fault);

// RESOURCE_EXHAUSTED (COMPANY_ENTRIES_LIMIT) if `added` entries more would be too many.
MUST_CHECK enum status whitelist_check_room(int64_t present, size_t added,
                                            const struct whitelist_limits *limits, struct fault *fault);

#define WHITELIST_ETAG_MAX 20 // a sign and the digits of an int64_t

void whitelist_format_etag(int64_t version, char ret_etag[WHITELIST_ETAG_MAX + 1]);

// ABORTED (ETAG_STALE) unless `etag` is empty or that of `version`.
MUST_CHECK enum status whitelist_check_etag(const char *etag, int64_t version, struct fault *fault);

// What a change leaves behind, as far as the guard looks.
struct whitelist_outcome {
    bool is_enabled;
    enum whitelist_scope scope;
    bool lists_caller;  // a live entry holds the caller's address
    bool lists_anybody; // there is a live entry
};

// Who asks for it.
struct whitelist_asker {
    struct ip_address address; // family 0 = unknown, which no entry holds
    enum token_kind kind;
    bool is_acting; // an operator for a company whose list does not bind it
};

// FAILED_PRECONDITION: LOCKS_OUT_CALLER with the address and the entry it needs, or LOCKS_OUT_EVERYBODY.
MUST_CHECK enum status whitelist_check_outcome(const struct whitelist_outcome *outcome,
                                               const struct whitelist_asker *asker, struct fault *fault);

#endif
