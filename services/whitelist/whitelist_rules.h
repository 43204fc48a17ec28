// What may be typed into a whitelist, and how much. Pure: every bad field of a request is named in the fault
// at once, with a sentence that says what to type instead.
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
// How long a published list may wait to be confirmed.
#define WHITELIST_CONFIRM_MIN_MS INT64_C(60000)
#define WHITELIST_CONFIRM_MAX_MS INT64_C(604800000)

// Settings.
struct whitelist_limits {
    int64_t call_entries;
    int64_t company_entries;
    int64_t draft_entries;
    int64_t drafts;
    int64_t draft_lifetime_ms;
    int64_t guard_horizon_ms;
    int64_t confirm_check_ms; // how often the jobs look
    int64_t sweep_ms;
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

// What an update of an entry names, and what it says there.
struct whitelist_amendment {
    uint32_t fields; // WHITELIST_FIELD_BIT()s
    struct whitelist_wish wish;
};

// What the update leaves. A new address without bits means the whole of it, or what it says after its slash;
// new bits alone count on the address as typed. INVALID with every bad field, as fields of `entry`.
MUST_CHECK enum status whitelist_amend(const struct whitelist_entry *present,
                                       const struct whitelist_amendment *amendment,
                                       const struct whitelist_terms *terms, struct arena *arena,
                                       struct fault *fault, struct whitelist_entry *ret_entry);

// Whether the two say the same, whatever their versions.
bool whitelist_is_same(const struct whitelist_entry *a, const struct whitelist_entry *b);

// Names `field` unless it has 1 element to as many as a call may have.
bool whitelist_check_count(size_t count, const struct whitelist_limits *limits, const char *field,
                           struct fault *fault);

// RESOURCE_EXHAUSTED if `added` entries more would be too many: COMPANY_ENTRIES_LIMIT for the live list,
// DRAFT_ENTRIES_LIMIT for a draft.
MUST_CHECK enum status whitelist_check_room(int64_t present, int64_t added,
                                            const struct whitelist_limits *limits, struct fault *fault);
MUST_CHECK enum status whitelist_check_draft_room(int64_t present, int64_t added,
                                                  const struct whitelist_limits *limits, struct fault *fault);

// RESOURCE_EXHAUSTED (TOO_MANY_DRAFTS), which names those that there are.
MUST_CHECK enum status whitelist_check_draft_count(const struct whitelist_draft *drafts, size_t count,
                                                   const struct whitelist_limits *limits,
                                                   struct fault *fault);

// The same of drafts and of lists that are not swept yet, together: else who begins and discards all the time
// would fill the database. Five times as many as drafts. RESOURCE_EXHAUSTED (TOO_MANY_UNSWEPT_LISTS), until
// the sweeper has looked again.
MUST_CHECK enum status whitelist_check_unswept(int64_t count, const struct whitelist_limits *limits,
                                               struct fault *fault);

// ABORTED (DRAFT_BEING_BEGUN), with the time after which to try again.
MUST_CHECK enum status whitelist_refuse_second_beginning(struct fault *fault);

#endif
