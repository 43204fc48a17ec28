// An immutable set of prefixes, each with the moment it ends: "does any live entry contain this address?"
//
// Built once and then only read, by any number of threads without a lock. It has one owner: who made it with
// ip_set_new() frees it when no reader can hold it any more (a validator: after a grace period); one in an
// arena goes with it.
//
// Duplicates and nesting are fine. Ends by time change nothing in the set: every question brings its own
// `now_ms`, and an entry is live while ends_at_ms > now_ms. Up to eight prefixes are compared one by one
// (ip_flat.h). More are merged into a step function from addresses to the latest end, which is a search
// among few sorted numbers (ip_block.h, ip_rank.h); the prefixes stand beside it for explanations.
//
// A set with a change made to it shares memory with the one before (ip_blocks.h): the two, and all further
// ones, are made and freed by one thread.
#ifndef LATCHKEY_COMMON_IP_IP_SET_H
#define LATCHKEY_COMMON_IP_IP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/ip/address.h"
#include "common/ip/prefix.h"

// Entries that a set may hold at most; the caller checks first.
#define IP_SET_MAX_ENTRIES (1u << 28)

struct ip_set_entry {
    struct ip_prefix prefix;
    int64_t ends_at_ms; // CLOCK_NEVER_MS = does not end
};

struct ip_set;
struct ip_record;

// Copies what it needs of `entries`, in any order. Of several entries with one prefix the one that ends last
// is kept. NULL when out of memory. No entries: a set that contains nothing.
MUST_CHECK struct ip_set *ip_set_new(const struct ip_set_entry *entries, size_t count);
void ip_set_free(struct ip_set *set);

// The same in an arena: never freed by hand.
MUST_CHECK struct ip_set *ip_set_new_in_arena(struct arena *arena, const struct ip_set_entry *entries,
                                              size_t count);

// The same in two steps, so that one can look for an equal set before making one: the entries sorted, each
// prefix once. False when out of memory.
struct ip_set_draft {
    struct ip_record *records; // owned
    size_t count;
};
MUST_CHECK bool ip_set_draft_init(struct ip_set_draft *draft, const struct ip_set_entry *entries,
                                  size_t count);
void ip_set_draft_fini(struct ip_set_draft *draft);
MUST_CHECK struct ip_set *ip_set_new_of_draft(const struct ip_set_draft *draft);
bool ip_set_draft_is_equal(const struct ip_set_draft *draft, const struct ip_set *set);
uint64_t ip_set_draft_get_hash(const struct ip_set_draft *draft, const uint64_t keys[2]); // the set's

// `set` with the entries under these prefixes replaced: those in `entries`, whose prefixes are all among
// them, are what it has of them now. The old set stays as it is. NULL when out of memory. `set` is not in an
// arena.
struct ip_set_change {
    const struct ip_prefix *prefixes;
    size_t prefix_count;
    const struct ip_set_entry *entries;
    size_t entry_count;
};
MUST_CHECK struct ip_set *ip_set_new_changed(const struct ip_set *set, const struct ip_set_change *change);

// False for NULL and for no address.
bool ip_set_contains(const struct ip_set *set, const struct ip_address *address, int64_t now_ms);

// The longest live prefix that contains the address; false, and `ret` untouched, if there is none. This and
// the next are for explanations, not for the hot path.
bool ip_set_find(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                 struct ip_set_entry *ret);

// For an address that is not contained, the entry that came nearest: the longest one that contains it but has
// ended, else a live one of the same family with the most leading bits in common. False if the address is
// contained, or no entry qualifies.
bool ip_set_find_nearest(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                         struct ip_set_entry *ret);

// Of the same prefixes with the same ends. NULL equals NULL.
bool ip_set_is_equal(const struct ip_set *a, const struct ip_set *b);

// Of the content, so that equal sets have the same hash. The keys are random: lists are chosen by customers.
// The makers' thread only: each block remembers its part, so that of a set with a change made to it only that
// is hashed which the change has met.
uint64_t ip_set_get_hash(const struct ip_set *set, const uint64_t keys[2]);

// All entries in order, into an array with room for ip_set_get_count(). `set` may be NULL.
void ip_set_copy_entries(const struct ip_set *set, struct ip_set_entry *ret_entries);

// The same without their ends, in the arena. NULL when out of memory.
MUST_CHECK const struct ip_prefix *ip_set_copy_prefixes(const struct ip_set *set, struct arena *arena);

// Different prefixes held; all memory held, and as much of that as is read by ip_set_contains(). What is
// shared with other sets counts in each.
size_t ip_set_get_count(const struct ip_set *set);
size_t ip_set_get_size_bytes(const struct ip_set *set);
size_t ip_set_get_hot_size_bytes(const struct ip_set *set);

// Walks every invariant that readers rely on, on any thread that may read the set: the sentence for the first
// one broken, NULL if all hold. For tests; slow.
const char *ip_set_check(const struct ip_set *set);

#endif
