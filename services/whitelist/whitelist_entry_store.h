// The entries of a list in the database: of the live one, or of the draft that `draft_id` names (zero = the
// live one). As whitelist_store.h says; NOT_FOUND (DRAFT_NOT_FOUND) where that draft is not there.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_ENTRY_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_ENTRY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist_overlap.h"
#include "services/whitelist/whitelist_rules.h"
#include "services/whitelist/whitelist_store.h"

struct whitelist_addition {
    struct uuid draft_id;
    const struct whitelist_wish *wishes;
    const struct ip_prefix *prefixes;
    const struct uuid *entry_ids;
    size_t count;
    const char *created_by;
};

struct whitelist_added {
    struct whitelist before;
    int64_t created_at_ms;
    // The entries that were there before and are the longest that hold one of the new; in no order.
    struct whitelist_holder *holders;
    size_t holder_count;
};

// Locks and inserts.
MUST_CHECK enum status whitelist_store_add(struct app_call *call, const struct whitelist_addition *addition,
                                           struct whitelist_added *ret_added);

// What went, and what the list says before and after. To refuse what is left is to fail, which undoes it.
struct whitelist_removed {
    struct whitelist_entry *entries; // those that were there; last_hit_at_ms is not read
    size_t count;
    struct whitelist_standing before, after;
};

// Locks and deletes; what is not there is passed over.
MUST_CHECK enum status whitelist_store_remove(struct app_call *call, struct uuid draft_id,
                                              const struct uuid *entry_ids, size_t count,
                                              struct whitelist_removed *ret_removed);

// Locks. NOT_FOUND (ENTRY_NOT_FOUND).
MUST_CHECK enum status whitelist_store_lock_entry(struct app_call *call, struct uuid draft_id,
                                                  struct uuid entry_id,
                                                  struct whitelist_standing *ret_standing,
                                                  struct whitelist_entry *ret_entry);

// After whitelist_store_lock_entry(): writes what `entry` says and raises its version. `ret_standing` is what
// the list says then: to refuse it is to fail, which undoes the change. `ret_holder` is the longest other
// entry that holds its range.
MUST_CHECK enum status whitelist_store_update_entry(struct app_call *call, struct uuid draft_id,
                                                    struct whitelist_entry *entry,
                                                    struct whitelist_standing *ret_standing,
                                                    struct whitelist_holder *ret_holder);

// Filters that are set must all hold.
struct whitelist_filter {
    struct uuid draft_id;
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
    struct uuid last; // the next page begins after it; it need not be one of the page's
};

// How many entries a page looks at at most where no index picks them: it may be short then, even empty, and
// not the last.
#define WHITELIST_WALK_MAX 100000

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

MUST_CHECK enum status whitelist_store_match(struct app_call *call, struct uuid draft_id,
                                             const struct ip_address *address,
                                             struct whitelist_match *ret_match);

#endif
