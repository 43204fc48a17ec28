// Bits in 64-bit words. Words that one set lacks count as zero, so that sets of different limits compare.
#include "common/access/permission_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"

enum { WORD_BITS = 64 };

static size_t count_words(size_t limit) {
    return (limit + WORD_BITS - 1) / WORD_BITS;
}

static size_t get_size_bytes(size_t word_count) {
    return sizeof(struct permission_set) + word_count * sizeof(uint64_t);
}

static uint64_t get_word(const struct permission_set *set, size_t i) {
    return set && i < set->word_count ? set->words[i] : 0;
}

static size_t get_word_count(const struct permission_set *set) {
    return set ? set->word_count : 0;
}

static struct permission_set *make_empty(void *memory, size_t limit) {
    struct permission_set *set = memory;
    if (!set)
        return NULL;
    size_t word_count = count_words(limit);
    memset(set, 0, get_size_bytes(word_count));
    set->word_count = (uint32_t)word_count;
    return set;
}

struct permission_set *permission_set_new(size_t limit) {
    assert(limit <= PERMISSION_SET_LIMIT_MAX);
    return make_empty(malloc(get_size_bytes(count_words(limit))), limit);
}

struct permission_set *permission_set_new_in_arena(struct arena *arena, size_t limit) {
    assert(limit <= PERMISSION_SET_LIMIT_MAX);
    return make_empty(arena_allocate(arena, get_size_bytes(count_words(limit))), limit);
}

void permission_set_free(struct permission_set *set) {
    if (set)
        free(set->tail);
    free(set);
}

bool permission_set_keep_tail(struct permission_set *set, struct bytes tail) {
    assert(!set->tail && tail.len <= UINT32_MAX);
    set->tail = malloc(tail.len > 0 ? tail.len : 1);
    if (!set->tail)
        return false;
    if (tail.len > 0)
        memcpy(set->tail, tail.data, tail.len);
    set->tail_len = (uint32_t)tail.len;
    return true;
}

void permission_set_add(struct permission_set *set, uint32_t id) {
    assert(id / WORD_BITS < set->word_count);
    set->words[id / WORD_BITS] |= UINT64_C(1) << (id % WORD_BITS);
}

bool permission_set_contains_all(const struct permission_set *set, const struct permission_set *others) {
    for (size_t i = 0; i < get_word_count(others); i++)
        if ((others->words[i] & ~get_word(set, i)) != 0)
            return false;
    return true;
}

bool permission_set_contains_any(const struct permission_set *set, const struct permission_set *others) {
    for (size_t i = 0; i < get_word_count(others); i++)
        if ((others->words[i] & get_word(set, i)) != 0)
            return true;
    return false;
}

bool permission_set_is_equal(const struct permission_set *a, const struct permission_set *b) {
    return permission_set_contains_all(a, b) && permission_set_contains_all(b, a);
}

uint64_t permission_set_get_hash(const struct permission_set *set, const uint64_t keys[2]) {
    size_t word_count = get_word_count(set);
    while (word_count > 0 && set->words[word_count - 1] == 0)
        word_count--;
    uint64_t hash = keys[0];
    for (size_t i = 0; i < word_count; i++)
        hash = multiply_fold(hash ^ set->words[i], keys[1]);
    return hash;
}

size_t permission_set_get_count(const struct permission_set *set) {
    size_t count = 0;
    for (size_t i = 0; i < get_word_count(set); i++)
        count += (size_t)__builtin_popcountll(set->words[i]);
    return count;
}

size_t permission_set_get_size_bytes(const struct permission_set *set) {
    return set ? get_size_bytes(set->word_count) + set->tail_len : 0;
}

void permission_set_intersect(struct permission_set *set, const struct permission_set *others) {
    for (size_t i = 0; i < set->word_count; i++)
        set->words[i] &= get_word(others, i);
}

void permission_set_unite(struct permission_set *set, const struct permission_set *others) {
    assert(get_word_count(others) <= set->word_count);
    for (size_t i = 0; i < get_word_count(others); i++)
        set->words[i] |= others->words[i];
}
