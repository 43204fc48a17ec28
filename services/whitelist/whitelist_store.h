// The live list in the database. Every function is one round trip within the call's transaction, and copies
// what it returns to the arena. A failure of the database itself leaves the fault filled.
//
// Who changes a list holds its whitelist row locked from the beginning, so that changes of one company take
// turns: two that are harmless alone can't lock somebody out together.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/method.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"
#include "services/whitelist/whitelist_overlap.h"
#include "services/whitelist/whitelist_rules.h"

MUST_CHECK enum status whitelist_store_get(struct app_call *call, struct whitelist *ret_whitelist);

// What the live list says about the caller's address, with the settings as they are.
struct whitelist_standing {
    struct whitelist whitelist;
    bool lists_caller;
    bool lists_anybody;
};

// Locks.
MUST_CHECK enum status whitelist_store_lock(struct app_call *call, struct whitelist_standing *ret_standing);

// After whitelist_store_lock().
MUST_CHECK enum status whitelist_store_update(struct app_call *call, bool is_enabled,
                                              enum whitelist_scope scope, struct whitelist *ret_whitelist);

struct whitelist_addition {
    const struct whitelist_wish *wishes;
    const struct ip_prefix *prefixes;
    const struct uuid *entry_ids;
    size_t count;
    const char *created_by;
};

struct whitelist_added {
    int64_t entry_count_before;
    int64_t created_at_ms;
    // The entries that were there before and are the longest that hold one of the new; in no order.
    struct whitelist_holder *holders;
    size_t holder_count;
};

// Locks and inserts.
MUST_CHECK enum status whitelist_store_add(struct app_call *call, const struct whitelist_addition *addition,
                                           struct whitelist_added *ret_added);

// Locks and deletes; what is not there is passed over. `ret_standing` is that of the list without them: to
// refuse it is to fail, which undoes the deletion.
MUST_CHECK enum status whitelist_store_remove(struct app_call *call, const struct uuid *entry_ids,
                                              size_t count, int64_t *ret_removed,
                                              struct whitelist_standing *ret_standing);

// Filters that are set must all hold.
struct whitelist_filter {
    struct ip_address contains; // family 0 = all
    struct ip_prefix within;    // family 0 = all
    int64_t expires_before_ms;  // CLOCK_NEVER_MS = all
    struct bytes note_contains;
    bool is_never_hit;
};

struct whitelist_page {
    struct whitelist_entry *entries;
    size_t count;
    bool has_more;
};

// The entries after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status whitelist_store_list(struct app_call *call, const struct whitelist_filter *filter,
                                            struct uuid after, int32_t limit,
                                            struct whitelist_page *ret_page);

struct whitelist_match {
    bool is_enabled;
    bool has_entry; // one holds the address, or comes nearest
    bool is_listed; // it holds it
    struct whitelist_entry entry;
    uint32_t common_bits;
};

MUST_CHECK enum status whitelist_store_match(struct app_call *call, const struct ip_address *address,
                                             struct whitelist_match *ret_match);

#endif
