// A set of permission ids: what a token or a member may do, as bits, so that "granted AND owner" is a few
// machine words. Filled by its maker, then only read, by any thread. NULL is the empty set in every question.
#ifndef LATCHKEY_COMMON_ACCESS_PERMISSION_SET_H
#define LATCHKEY_COMMON_ACCESS_PERMISSION_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

// What an unknown name is: in no set, so whoever needs it is refused.
#define PERMISSION_ID_NONE UINT32_MAX
// Ids are below this.
#define PERMISSION_SET_LIMIT_MAX 16384

// why here: a question is a few instructions, and Validate asks one for each name. Nobody else looks inside.
struct permission_set {
    uint32_t word_count;
    uint32_t tail_len;
    uint8_t *tail; // what its maker has written for answers, freed with it; NULL = nothing
    uint64_t words[];
};

// Empty, with room for ids below `limit`; NULL when out of memory. Freed with permission_set_free().
MUST_CHECK struct permission_set *permission_set_new(size_t limit);
// The same in an arena: never freed by hand.
MUST_CHECK struct permission_set *permission_set_new_in_arena(struct arena *arena, size_t limit);
void permission_set_free(struct permission_set *set);

void permission_set_add(struct permission_set *set, uint32_t id); // `id` is below its limit

static inline bool permission_set_has(const struct permission_set *set, uint32_t id) {
    return set && id / 64 < set->word_count && (set->words[id / 64] >> (id % 64) & 1) != 0;
}

bool permission_set_contains_all(const struct permission_set *set, const struct permission_set *others);
bool permission_set_contains_any(const struct permission_set *set, const struct permission_set *others);
bool permission_set_is_equal(const struct permission_set *a,
                             const struct permission_set *b); // limits do not count
// Of the content, so that equal sets have the same hash. The keys are random: grants are chosen by customers.
uint64_t permission_set_get_hash(const struct permission_set *set, const uint64_t keys[2]);
size_t permission_set_get_count(const struct permission_set *set);
// Copies: once at most, before anybody else sees the set.
MUST_CHECK bool permission_set_keep_tail(struct permission_set *set, struct bytes tail);
size_t permission_set_get_size_bytes(const struct permission_set *set);

// Keeps in `set` what `others` has too.
void permission_set_intersect(struct permission_set *set, const struct permission_set *others);
// Adds to `set` what `others` has; its limit is at least as large.
void permission_set_unite(struct permission_set *set, const struct permission_set *others);

#endif
