#include "services/validator/image/token_table_bucket.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(void *) == 8, "a partition is a pointer of 48 bits and a count of 16");

struct token_table_bucket token_table_bucket_none;

uint64_t token_table_bucket_make_partition(struct token_table_bucket *buckets, uint32_t count) {
    uint64_t pointer = (uint64_t)(uintptr_t)buckets;
    assert(pointer >> TOKEN_TABLE_BUCKET_POINTER_BITS == 0 && count > 0 && count <= TOKEN_TABLE_BUCKETS_MAX);
    return pointer | (uint64_t)count << TOKEN_TABLE_BUCKET_POINTER_BITS;
}

struct token_table_bucket *token_table_bucket_new(uint32_t count) {
    struct token_table_bucket *buckets = aligned_alloc(sizeof(*buckets), count * sizeof(*buckets));
    if (buckets)
        memset(buckets, 0, count * sizeof(*buckets));
    return buckets;
}

size_t token_table_bucket_get_slot_count(uint64_t partition) {
    return token_table_bucket_is_none(partition)
               ? 0
               : (size_t)token_table_bucket_get_count(partition) * TOKEN_TABLE_BUCKET_SLOTS;
}

uint32_t token_table_bucket_get_number(uint64_t partition, size_t slot) {
    struct token_table_bucket *bucket =
        &token_table_bucket_get_all(partition)[slot / TOKEN_TABLE_BUCKET_SLOTS];
    return atomic_load_explicit(&bucket->numbers[slot % TOKEN_TABLE_BUCKET_SLOTS], memory_order_relaxed);
}

size_t token_table_bucket_count_taken(uint64_t partition) {
    size_t count = 0;
    for (size_t i = 0; i < token_table_bucket_get_slot_count(partition); i++)
        count += token_table_bucket_get_number(partition, i) != SLAB_NONE;
    return count;
}

// --- the writer's; it alone stores, so it reads its own stores in order ---

static unsigned get_shift(unsigned slot) {
    return slot % TOKEN_TABLE_BUCKET_LANES * TOKEN_TABLE_BUCKET_LANE_BITS;
}

static void set_tag(struct token_slot slot, uint16_t tag) {
    _Atomic uint64_t *word = &slot.bucket->tags[slot.index / TOKEN_TABLE_BUCKET_LANES];
    unsigned shift = get_shift(slot.index);
    uint64_t others = atomic_load_explicit(word, memory_order_relaxed) & ~(UINT64_C(0xffff) << shift);
    atomic_store_explicit(word, others | (uint64_t)tag << shift, memory_order_release);
}

void token_table_bucket_replace(struct token_slot slot, uint32_t number) {
    atomic_store_explicit(&slot.bucket->numbers[slot.index], number, memory_order_release);
}

void token_table_bucket_clear(struct token_slot slot) {
    set_tag(slot, 0);
    token_table_bucket_replace(slot, SLAB_NONE);
}

static unsigned count_free(const struct token_table_bucket *bucket, unsigned *ret_first) {
    unsigned count = 0;
    for (unsigned i = TOKEN_TABLE_BUCKET_SLOTS; i-- > 0;)
        if (atomic_load_explicit(&bucket->numbers[i], memory_order_relaxed) == SLAB_NONE) {
            *ret_first = i;
            count++;
        }
    return count;
}

bool token_table_bucket_take(const struct token_place *place, uint32_t number) {
    unsigned first[2] = {0};
    unsigned free[] = {count_free(place->buckets[0], &first[0]), count_free(place->buckets[1], &first[1])};
    unsigned emptier = free[1] > free[0];
    if (free[emptier] == 0)
        return false;
    struct token_slot slot = {place->buckets[emptier], first[emptier]};
    token_table_bucket_replace(slot, number); // there before the tag that leads to it
    set_tag(slot, place->tag);
    return true;
}

struct token_slot token_table_bucket_find(const struct token_place *place, uint32_t number) {
    uint64_t matches, taken;
    token_table_bucket_scan(place, &matches, &taken);
    for (; matches; matches &= matches - 1)
        if (token_table_bucket_read(token_table_bucket_get_slot(place, matches)) == number)
            break;
    assert(matches);
    return token_table_bucket_get_slot(place, matches);
}

// --- checking ---

static uint16_t read_tag(const struct token_table_bucket *bucket, unsigned lane) {
    uint64_t word =
        atomic_load_explicit(&bucket->tags[lane / TOKEN_TABLE_BUCKET_LANES], memory_order_relaxed);
    return (uint16_t)(word >> get_shift(lane));
}

uint16_t token_table_bucket_get_tag(uint64_t partition, size_t slot) {
    return read_tag(&token_table_bucket_get_all(partition)[slot / TOKEN_TABLE_BUCKET_SLOTS],
                    slot % TOKEN_TABLE_BUCKET_SLOTS);
}

const char *token_table_bucket_check(const struct token_table_bucket *bucket) {
    for (unsigned i = 0; i < TOKEN_TABLE_BUCKET_WORDS * TOKEN_TABLE_BUCKET_LANES; i++) {
        bool has_number = i < TOKEN_TABLE_BUCKET_SLOTS &&
                          atomic_load_explicit(&bucket->numbers[i], memory_order_relaxed) != SLAB_NONE;
        if (has_number != (read_tag(bucket, i) != 0))
            return "a free slot has a tag, or one that is taken has none";
    }
    return NULL;
}
