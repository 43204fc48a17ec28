// What is odd about entries that are taken all the same: one that is there already, one inside another, one
// that only looks like an IPv4 address. Pure.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_OVERLAP_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

#define WHITELIST_WARNINGS_MAX 1000

// Numbers as latchkey.v1.WhitelistWarningKind.
enum whitelist_warning_kind {
    WHITELIST_WARNING_NONE = 0,
    WHITELIST_WARNING_DUPLICATE = 1,
    WHITELIST_WARNING_INSIDE = 2,
    WHITELIST_WARNING_TRANSLATED = 3,
};

// Another range that holds a new one.
struct whitelist_holder {
    bool is_known; // there is one
    struct ip_prefix prefix;
    struct uuid entry_id; // zero = of the same request
};

struct whitelist_warning {
    uint32_t index; // of the new entry
    enum whitelist_warning_kind kind;
    struct whitelist_holder other;
    const char *detail; // one sentence
};

// For each of the new ranges the longest other one of the same request that holds it; of equal ones the first
// has none. `ret_holders` has `count` elements, all zero. False when out of memory.
MUST_CHECK bool whitelist_find_holders(const struct ip_prefix *prefixes, size_t count, struct arena *arena,
                                       struct whitelist_holder *ret_holders);

// For each of the new ranges the longest of `listed`, in any order, that holds it. `ret_holders` as above.
MUST_CHECK bool whitelist_assign_holders(const struct ip_prefix *prefixes, size_t count,
                                         const struct whitelist_holder *listed, size_t listed_count,
                                         struct arena *arena, struct whitelist_holder *ret_holders);

// The warnings, in the order of the entries, at most WHITELIST_WARNINGS_MAX, in the arena. Of each entry the
// longer holder of the two counts, that of the list (`listed`) before one of the request (`requested`). False
// when out of memory.
MUST_CHECK bool whitelist_list_warnings(const struct ip_prefix *prefixes, size_t count,
                                        const struct whitelist_holder *listed,
                                        const struct whitelist_holder *requested, struct arena *arena,
                                        struct whitelist_warning **ret_warnings, size_t *ret_count);

#endif
