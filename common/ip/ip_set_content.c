// What a set holds, whatever its form: walking, comparing, counting.
#include <string.h>

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

const struct ip_prefix *ip_set_copy_prefixes(const struct ip_set *set, struct arena *arena) {
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, ip_set_get_count(set));
    struct ip_set_walk walk = {0};
    struct ip_record record;
    for (size_t i = 0; prefixes && ip_set_walk_next(&walk, set, &record); i++)
        prefixes[i] = ip_set_get_entry(record).prefix;
    return prefixes;
}

static bool is_same(const struct ip_record *a, const struct ip_record *b) {
    return ip_record_compare(a, b) == 0 && a->ends_at_ms == b->ends_at_ms;
}

static bool is_same_block(const struct ip_block *a, const struct ip_block *b) {
    if (a == b || a->entry_count != b->entry_count)
        return a == b;
    for (uint32_t i = 0; i < a->entry_count; i++) {
        struct ip_record of_a = ip_block_get_record(a, i), of_b = ip_block_get_record(b, i);
        if (!is_same(&of_a, &of_b))
            return false;
    }
    return true;
}

// At the same addresses.
static bool is_cut_alike(const struct ip_blocks *a, const struct ip_blocks *b) {
    if (a->block_count != b->block_count)
        return false;
    for (uint32_t i = 0; i < a->block_count; i++)
        if (!ip_key_is_equal(ip_blocks_get_fence(a, i), ip_blocks_get_fence(b, i)))
            return false;
    return true;
}

static bool is_same_of_blocks(const struct ip_blocks *a, const struct ip_blocks *b) {
    for (uint32_t i = 0; i < a->block_count; i++)
        if (!is_same_block(a->blocks[i], b->blocks[i]))
            return false;
    return true;
}

static bool is_same_walk(const struct ip_set *a, const struct ip_set *b) {
    struct ip_set_walk walk_a = {0}, walk_b = {0};
    struct ip_record of_a, of_b;
    while (ip_set_walk_next(&walk_a, a, &of_a))
        if (!ip_set_walk_next(&walk_b, b, &of_b) || !is_same(&of_a, &of_b))
            return false;
    return true;
}

// Block against block, where that is possible: of those that both share none is read.
bool ip_set_is_equal(const struct ip_set *a, const struct ip_set *b) {
    if (!a || !b || ip_set_get_count(a) != ip_set_get_count(b))
        return a == b;
    if (!a->has_blocks || !b->has_blocks || !is_cut_alike(&a->blocks[0], &b->blocks[0]) ||
        !is_cut_alike(&a->blocks[1], &b->blocks[1]))
        return is_same_walk(a, b);
    return is_same_of_blocks(&a->blocks[0], &b->blocks[0]) && is_same_of_blocks(&a->blocks[1], &b->blocks[1]);
}

static uint64_t hash_record(const struct ip_record *record, const uint64_t keys[2]) {
    uint64_t hash = multiply_fold(keys[0] ^ ((uint64_t)record->family << 8 | record->bits), keys[1]);
    hash = multiply_fold(hash ^ record->key.high, keys[1]);
    hash = multiply_fold(hash ^ record->key.low, keys[1]);
    return multiply_fold(hash ^ (uint64_t)record->ends_at_ms, keys[1]);
}

bool ip_set_draft_is_equal(const struct ip_set_draft *draft, const struct ip_set *set) {
    struct ip_set_walk walk = {0};
    struct ip_record record;
    if (ip_set_get_count(set) != draft->count)
        return false;
    for (size_t i = 0; i < draft->count; i++)
        if (!ip_set_walk_next(&walk, set, &record) || !is_same(&record, &draft->records[i]))
            return false;
    return true;
}

uint64_t ip_set_draft_get_hash(const struct ip_set_draft *draft, const uint64_t keys[2]) {
    uint64_t hash = 0;
    for (size_t i = 0; i < draft->count; i++)
        hash += hash_record(&draft->records[i], keys);
    return hash;
}

static uint64_t hash_block(const struct ip_blocks *blocks, uint32_t number, const uint64_t keys[2]) {
    struct ip_block *block = blocks->blocks[number];
    if (block->hash_keys[0] == keys[0] && block->hash_keys[1] == keys[1])
        return block->hash;
    struct ip_set_walk walk = {.block = number};
    struct ip_record record;
    uint64_t hash = 0;
    while (next_of_block(&walk, blocks, &record))
        hash += hash_record(&record, keys);
    block->hash = hash;
    memcpy(block->hash_keys, keys, sizeof(block->hash_keys));
    return hash;
}

static uint64_t hash_flat(const struct ip_set *set, const uint64_t keys[2]) {
    struct ip_set_walk walk = {0};
    struct ip_record record;
    uint64_t hash = 0;
    while (next_of_flat(&walk, set, &record))
        hash += hash_record(&record, keys);
    return hash;
}

// A sum, which is the same however the prefixes are cut into blocks: that depends on what the set has been.
uint64_t ip_set_get_hash(const struct ip_set *set, const uint64_t keys[2]) {
    if (!set || !set->has_blocks)
        return set ? hash_flat(set, keys) : 0;
    uint64_t hash = 0;
    for (unsigned family_number = 0; family_number < 2; family_number++)
        for (uint32_t i = 0; i < set->blocks[family_number].block_count; i++)
            hash += hash_block(&set->blocks[family_number], i, keys);
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
