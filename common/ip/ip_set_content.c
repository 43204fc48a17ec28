// What a set holds, whatever its form: walking, comparing, counting.
#include "common/base/multiply_fold.h"
#include "common/ip/ip_set_internal.h"

static bool next_of_flat(struct ip_set_walk *walk, const struct ip_set *set, struct ip_record *ret) {
    const struct ip_flat *flat = &set->flat;
    uint32_t i = walk->entry++;
    if (i >= ip_flat_get_count(flat))
        return false;
    unsigned number = i < flat->v4_count ? flat->v6_count + i : i - flat->v4_count;
    *ret = ip_flat_get_record(flat, set->blocks, number);
    return true;
}

// Leaves out what the block before has too. False at the end of the block.
static bool next_of_block(struct ip_set_walk *walk, const struct ip_blocks *blocks, struct ip_record *ret) {
    const struct ip_block *block = blocks->blocks[walk->block];
    struct ip_key fence = ip_blocks_get_fence(blocks, walk->block);
    while (walk->entry < block->entry_count) {
        *ret = ip_block_get_record(block, walk->entry++);
        if (ip_key_compare(ret->key, fence) >= 0)
            return true;
    }
    return false;
}

bool ip_set_walk_next(struct ip_set_walk *walk, const struct ip_set *set, struct ip_record *ret) {
    if (!set->has_blocks)
        return next_of_flat(walk, set, ret);
    for (; walk->family_number < 2; walk->family_number++, walk->block = 0)
        for (; walk->block < set->blocks[walk->family_number].block_count; walk->block++, walk->entry = 0)
            if (next_of_block(walk, &set->blocks[walk->family_number], ret))
                return true;
    return false;
}

void ip_set_copy_records(const struct ip_set *set, struct ip_record *ret) {
    struct ip_set_walk walk = {0};
    while (ip_set_walk_next(&walk, set, ret))
        ret++;
}

void ip_set_copy_entries(const struct ip_set *set, struct ip_set_entry *ret_entries) {
    struct ip_set_walk walk = {0};
    struct ip_record record;
    while (set && ip_set_walk_next(&walk, set, &record))
        *ret_entries++ = ip_set_get_entry(record);
}

static bool is_same(const struct ip_record *a, const struct ip_record *b) {
    return ip_record_compare(a, b) == 0 && a->ends_at_ms == b->ends_at_ms;
}

bool ip_set_is_equal(const struct ip_set *a, const struct ip_set *b) {
    if (!a || !b || ip_set_get_count(a) != ip_set_get_count(b))
        return a == b;
    struct ip_set_walk walk_a = {0}, walk_b = {0};
    struct ip_record of_a, of_b;
    while (ip_set_walk_next(&walk_a, a, &of_a))
        if (!ip_set_walk_next(&walk_b, b, &of_b) || !is_same(&of_a, &of_b))
            return false;
    return true;
}

uint64_t ip_set_get_hash(const struct ip_set *set, const uint64_t keys[2]) {
    uint64_t hash = keys[0];
    struct ip_set_walk walk = {0};
    struct ip_record record;
    while (ip_set_walk_next(&walk, set, &record)) {
        uint64_t kind = (uint64_t)record.family << 8 | record.bits;
        hash = multiply_fold(hash ^ record.key.high, keys[1]);
        hash = multiply_fold(hash ^ record.key.low, keys[1]);
        hash = multiply_fold(hash ^ (uint64_t)record.ends_at_ms, keys[1]);
        hash = multiply_fold(hash ^ kind, keys[1]);
    }
    return hash;
}

size_t ip_set_get_count(const struct ip_set *set) {
    if (!set)
        return 0;
    return set->has_blocks ? set->blocks[0].entry_count + set->blocks[1].entry_count
                           : ip_flat_get_count(&set->flat);
}

size_t ip_set_get_size_bytes(const struct ip_set *set) {
    if (!set || !set->has_blocks)
        return set ? set->size_bytes : 0;
    return set->size_bytes + ip_blocks_get_size_bytes(&set->blocks[0]) +
           ip_blocks_get_size_bytes(&set->blocks[1]);
}

size_t ip_set_get_hot_size_bytes(const struct ip_set *set) {
    if (!set || !set->has_blocks)
        return set ? set->size_bytes : 0;
    return set->size_bytes + ip_blocks_get_hot_size_bytes(&set->blocks[0]) +
           ip_blocks_get_hot_size_bytes(&set->blocks[1]);
}
