// The invariants of a set, each checked another way than a look-up works: the step function of a block
// against the entries around each place where it might change.
#include "common/ip/ip_set_internal.h"

static unsigned get_width(uint8_t family) {
    return family == IP_FAMILY_V4 ? 32 : 128;
}

static const char *check_entries(const struct ip_block *block) {
    for (uint32_t i = 0; i < block->entry_count; i++) {
        struct ip_record record = ip_block_get_record(block, i);
        if (record.bits > get_width(block->family))
            return "a prefix is wider than its family";
        if (!ip_key_is_equal(record.key, ip_key_mask(record.key, record.bits)))
            return "a prefix has host bits";
        struct ip_record before = i > 0 ? ip_block_get_record(block, i - 1) : record;
        if (i > 0 && ip_record_compare(&before, &record) >= 0)
            return "prefixes are not in order";
    }
    return NULL;
}

static int64_t get_value(const struct ip_block *block, uint32_t rank) {
    if (block->reaches)
        return rank > 0 ? block->reaches[rank - 1] : CLOCK_ALWAYS_MS;
    return rank % 2 == 1 ? CLOCK_NEVER_MS : CLOCK_ALWAYS_MS;
}

static const char *check_edges(const struct ip_block *block) {
    for (uint32_t i = 0; i < ip_block_get_edge_count(block); i++) {
        struct ip_key edge = ip_block_get_edge(block, i);
        if (i > 0 && ip_key_compare(ip_block_get_edge(block, i - 1), edge) >= 0)
            return "edges are not in order";
        if (get_value(block, i) == get_value(block, i + 1))
            return "an edge separates nothing";
        if (ip_block_find_rank(block, edge) != i + 1)
            return "an edge is not found";
    }
    return NULL;
}

// The latest end of all that contains the address, from the longest outwards.
static int64_t find_reach(const struct ip_block *block, struct ip_key key) {
    int64_t reach = CLOCK_ALWAYS_MS;
    for (unsigned bits = get_width(block->family);;) {
        uint32_t i = ip_block_find_entry(block, key, bits);
        if (i == IP_BLOCK_NONE)
            return reach;
        struct ip_record record = ip_block_get_record(block, i);
        reach = record.ends_at_ms > reach ? record.ends_at_ms : reach;
        if (record.bits == 0)
            return reach;
        bits = record.bits - 1u;
    }
}

static bool is_value_right(const struct ip_block *block, struct ip_key key) {
    if (block->family == IP_FAMILY_V4)
        key = (struct ip_key){key.high & ~(uint64_t)UINT32_MAX, 0};
    return get_value(block, ip_block_find_rank(block, key)) == find_reach(block, key);
}

// The first and last address of each prefix, and those right outside.
static const char *check_values(const struct ip_block *block) {
    for (uint32_t i = 0; i < block->entry_count; i++) {
        struct ip_record record = ip_block_get_record(block, i);
        struct ip_key first = record.key, last = ip_key_get_last(first, record.bits);
        struct ip_key before = {first.high - (first.low == 0), first.low - 1};
        struct ip_key after = {last.high + (last.low == UINT64_MAX), last.low + 1};
        if (!is_value_right(block, first) || !is_value_right(block, last) || !is_value_right(block, before) ||
            !is_value_right(block, after))
            return "the steps and the prefixes disagree";
    }
    return NULL;
}

static const char *check_block(const struct ip_block *block) {
    const char *broken = check_entries(block);
    if (!broken)
        broken = check_edges(block);
    return broken ? broken : check_values(block);
}

static bool has_entry(const struct ip_block *block, const struct ip_record *record) {
    uint32_t i = ip_block_find_entry(block, record->key, record->bits);
    if (i == IP_BLOCK_NONE)
        return false;
    struct ip_record found = ip_block_get_record(block, i);
    return ip_record_compare(&found, record) == 0 && found.ends_at_ms == record->ends_at_ms;
}

// Each prefix of a block meets its span, and stands in the block before if it began there.
static const char *check_span(const struct ip_blocks *blocks, uint32_t number) {
    const struct ip_block *block = blocks->blocks[number];
    struct ip_key fence = ip_blocks_get_fence(blocks, number);
    for (uint32_t i = 0; i < block->entry_count; i++) {
        struct ip_record record = ip_block_get_record(block, i);
        if (ip_blocks_get_number(blocks, record.key) > number ||
            ip_blocks_get_number(blocks, ip_key_get_last(record.key, record.bits)) < number)
            return "a prefix stands in a block that it does not meet";
        if (ip_key_compare(record.key, fence) < 0 && !has_entry(blocks->blocks[number - 1], &record))
            return "a prefix that began before is not in the block before";
        if (number + 1 < blocks->block_count &&
            ip_blocks_get_number(blocks, ip_key_get_last(record.key, record.bits)) > number &&
            !has_entry(blocks->blocks[number + 1], &record))
            return "a prefix that goes on is not in the next block";
    }
    return NULL;
}

static const char *check_blocks(const struct ip_blocks *blocks) {
    const char *broken = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < blocks->block_count && !broken; i++) {
        broken = check_block(blocks->blocks[i]);
        if (!broken)
            broken = check_span(blocks, i);
    }
    for (uint32_t i = 0; i + 1 < blocks->block_count && !broken; i++)
        if (ip_key_compare(ip_blocks_get_fence(blocks, i), ip_blocks_get_fence(blocks, i + 1)) >= 0)
            broken = "fences are not in order";
    for (uint32_t i = 0; i < blocks->block_count; i++)
        count += ip_blocks_count_own(blocks, i);
    return !broken && count != blocks->entry_count ? "prefixes are counted wrongly" : broken;
}

static const char *check_flat(const struct ip_set *set) {
    struct ip_set_walk walk = {0};
    struct ip_record record, before = {0};
    for (; ip_set_walk_next(&walk, set, &record); before = record) {
        if (ip_record_compare(&before, &record) >= 0)
            return "prefixes are not in order";
        if (!ip_key_is_equal(record.key, ip_key_mask(record.key, record.bits)))
            return "a prefix has host bits";
    }
    return NULL;
}

const char *ip_set_check(const struct ip_set *set) {
    if (!set || !set->has_blocks)
        return set ? check_flat(set) : NULL;
    const char *broken = check_blocks(&set->blocks[0]);
    return broken ? broken : check_blocks(&set->blocks[1]);
}
