// The domain patterns of a token. Immutable, in one block; one owner, any number of readers.
#ifndef LATCHKEY_COMMON_ACCESS_DOMAIN_SET_H
#define LATCHKEY_COMMON_ACCESS_DOMAIN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

struct domain_set;

// `patterns` are texts as domain_pattern_format() writes them, in any order; anything else matches nothing.
// NULL when out of memory. No patterns: a set that matches nothing.
MUST_CHECK struct domain_set *domain_set_new(const struct bytes *patterns, size_t count);
// The same in an arena: never freed by hand.
MUST_CHECK struct domain_set *domain_set_new_in_arena(struct arena *arena, const struct bytes *patterns,
                                                      size_t count);
void domain_set_free(struct domain_set *set);

// The pattern that matches `name` (canonical), the exact one before wildcards and the longer wildcard before
// the shorter; empty if none does or `set` is NULL. Borrows from the set. Allocates nothing.
struct bytes domain_set_find(const struct domain_set *set, struct bytes name);

// Of the same patterns. NULL equals NULL.
bool domain_set_is_equal(const struct domain_set *a, const struct domain_set *b);

// Of the content, so that equal sets have the same hash. The keys are random: patterns are chosen by
// customers.
uint64_t domain_set_get_hash(const struct domain_set *set, const uint64_t keys[2]);

// The pattern with the most labels from the right in common with `name`; empty if there is none with any.
struct bytes domain_set_find_nearest(const struct domain_set *set, struct bytes name);

// All patterns, sorted, into an array with room for domain_set_get_count(). They borrow from the set.
void domain_set_copy_patterns(const struct domain_set *set, struct bytes *ret_patterns);

size_t domain_set_get_count(const struct domain_set *set);
size_t domain_set_get_size_bytes(const struct domain_set *set);

#endif
