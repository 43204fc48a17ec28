// The buckets of a token table, and a partition of them in one word: 48 bits of pointer, and 16 of how many
// there are, so that readers see both change at once. A part of the table (token_table.h), whose threads and
// invariant are these functions' too.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_TABLE_BUCKET_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_TABLE_BUCKET_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/image/slab.h"

enum {
    TOKEN_TABLE_BUCKET_SLOTS = 10,
    TOKEN_TABLE_BUCKET_LANES = 4, // tags of 16 bits in a word
    TOKEN_TABLE_BUCKET_WORDS = 3, // of tags; the last two lanes have no slot
    TOKEN_TABLE_BUCKET_LANE_BITS = 16,
    TOKEN_TABLE_BUCKET_POINTER_BITS = 48,
    TOKEN_TABLE_BUCKETS_MAX = UINT16_MAX, // of a partition
};

struct token_table_bucket {
    _Atomic uint64_t tags[TOKEN_TABLE_BUCKET_WORDS]; // release stores by the writer, acquire loads by readers
    _Atomic uint32_t
        numbers[TOKEN_TABLE_BUCKET_SLOTS]; // the same; SLAB_NONE = free, and then its tag is zero
};
static_assert(sizeof(struct token_table_bucket) == 64, "one cache line");

// Where a fingerprint may stand, in one version of its partition.
struct token_place {
    struct token_table_bucket *buckets[2];
    uint16_t tag;
};

struct token_slot {
    struct token_table_bucket *bucket;
    unsigned index;
};

// ---- partitions ----

// The one of a partition without a record: nothing is ever written to it.
extern struct token_table_bucket token_table_bucket_none;

static inline struct token_table_bucket *token_table_bucket_get_all(uint64_t partition) {
    return (struct token_table_bucket *)(uintptr_t)(partition &
                                                    ((UINT64_C(1) << TOKEN_TABLE_BUCKET_POINTER_BITS) - 1));
}

static inline uint32_t token_table_bucket_get_count(uint64_t partition) {
    return (uint32_t)(partition >> TOKEN_TABLE_BUCKET_POINTER_BITS);
}

static inline bool token_table_bucket_is_none(uint64_t partition) {
    return token_table_bucket_get_all(partition) == &token_table_bucket_none;
}

uint64_t token_table_bucket_make_partition(struct token_table_bucket *buckets, uint32_t count);

// Empty ones; NULL when out of memory. Freed with free().
MUST_CHECK struct token_table_bucket *token_table_bucket_new(uint32_t count);

size_t token_table_bucket_get_slot_count(uint64_t partition); // none has none

// The number in one of all slots of a partition.
uint32_t token_table_bucket_get_number(uint64_t partition, size_t slot);

size_t token_table_bucket_count_taken(uint64_t partition);

// ---- places and slots ----

// One of `count`, by 32 bits of a hash.
static inline uint32_t token_table_bucket_scale(uint32_t hash, uint32_t count) {
    return (uint32_t)((uint64_t)hash * count >> 32);
}

static inline struct token_place token_table_bucket_find_place(uint64_t partition,
                                                               const struct fingerprint *fingerprint) {
    struct token_table_bucket *buckets = token_table_bucket_get_all(partition);
    uint32_t count = token_table_bucket_get_count(partition);
    uint32_t first = token_table_bucket_scale((uint32_t)fingerprint->words[0], count);
    uint32_t second = token_table_bucket_scale((uint32_t)fingerprint->words[1], count);
    uint32_t next = first + 1 == count ? 0 : first + 1;
    uint16_t tag = (uint16_t)(fingerprint->words[1] >> TOKEN_TABLE_BUCKET_POINTER_BITS);
    return (struct token_place){{&buckets[first], &buckets[second == first ? next : second]},
                                tag == 0 ? 1 : tag};
}

// The slots of a place as a mask: lane l of word w is bit 16 l + w, the second bucket's words being 3 to 5.
// Those with the place's tag, and those with any. Without a branch.
static inline void token_table_bucket_scan(const struct token_place *place, uint64_t *ret_matches,
                                           uint64_t *ret_taken) {
    const uint64_t ones = UINT64_C(0x0001000100010001), low_bits = ones * 0x7fff, top_bits = ones << 15;
    uint64_t matches = 0, taken = 0;
    for (unsigned i = 0; i < 2 * TOKEN_TABLE_BUCKET_WORDS; i++) {
        const _Atomic uint64_t *word =
            &place->buckets[i / TOKEN_TABLE_BUCKET_WORDS]->tags[i % TOKEN_TABLE_BUCKET_WORDS];
        uint64_t tags = atomic_load_explicit(word, memory_order_acquire), others = tags ^ place->tag * ones;
        // The top bit of each lane that is not zero, exactly.
        uint64_t differs = (((others & low_bits) + low_bits) | others) & top_bits;
        matches |= (differs ^ top_bits) >> (15 - i);
        taken |= ((((tags & low_bits) + low_bits) | tags) & top_bits) >> (15 - i);
    }
    *ret_matches = matches;
    *ret_taken = taken;
}

static inline struct token_slot token_table_bucket_get_slot_of_bit(const struct token_place *place,
                                                                   unsigned bit) {
    unsigned word = bit % TOKEN_TABLE_BUCKET_LANE_BITS;
    return (struct token_slot){place->buckets[word / TOKEN_TABLE_BUCKET_WORDS],
                               word % TOKEN_TABLE_BUCKET_WORDS * TOKEN_TABLE_BUCKET_LANES +
                                   bit / TOKEN_TABLE_BUCKET_LANE_BITS};
}

// The first of a mask, which is not empty.
static inline struct token_slot token_table_bucket_get_slot(const struct token_place *place, uint64_t mask) {
    return token_table_bucket_get_slot_of_bit(place, (unsigned)__builtin_ctzll(mask));
}

// Any of a mask, which is not empty: the first from where 16 bits of a hash begin.
static inline struct token_slot token_table_bucket_choose_slot(const struct token_place *place, uint64_t mask,
                                                               uint16_t hash) {
    unsigned lane = hash % TOKEN_TABLE_BUCKET_LANES;
    unsigned word = (unsigned)(hash >> 8) * 2 * TOKEN_TABLE_BUCKET_WORDS >> 8;
    unsigned begin = lane * TOKEN_TABLE_BUCKET_LANE_BITS + word;
    uint64_t rotated = mask >> begin | mask << (-begin % 64);
    return token_table_bucket_get_slot_of_bit(place, (begin + (unsigned)__builtin_ctzll(rotated)) % 64);
}

static inline uint32_t token_table_bucket_read(struct token_slot slot) {
    return atomic_load_explicit(&slot.bucket->numbers[slot.index], memory_order_acquire);
}

// ---- the writer's ----

// Into the emptier bucket of the place. False: both are full.
MUST_CHECK bool token_table_bucket_take(const struct token_place *place, uint32_t number);

// Where the number stands, which it must.
struct token_slot token_table_bucket_find(const struct token_place *place, uint32_t number);

void token_table_bucket_replace(struct token_slot slot, uint32_t number); // by one with the same fingerprint
void token_table_bucket_clear(struct token_slot slot);

// Whether every slot is as it should be by itself: the sentence for the first thing broken, or NULL. For
// tests.
const char *token_table_bucket_check(const struct token_table_bucket *bucket);

// The tag of one of all slots of a partition. For tests.
uint16_t token_table_bucket_get_tag(uint64_t partition, size_t slot);

#endif
