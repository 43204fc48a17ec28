// Explanations: which entry of a set contains an address, and which comes near it.
#include "common/ip/ip_set_internal.h"

// What explanations ask of either form, for one address.
struct question {
    struct ip_key key;
    uint8_t family;
    int64_t now_ms;
    struct ip_record found; // family NONE = nothing yet
};

static bool has_found(const struct question *question) {
    return question->found.family != IP_FAMILY_NONE;
}

static bool is_live(const struct question *question, const struct ip_record *record) {
    return record->ends_at_ms > question->now_ms;
}

// --- asking a flat set: of every entry ---

static void find_longest_flat(const struct ip_set *set, struct question *question, bool is_dead_welcome) {
    for (unsigned i = 0; i < ip_flat_get_count(&set->flat); i++) {
        struct ip_record record = ip_flat_get_record(&set->flat, set->blocks, i);
        if (record.family == question->family && ip_key_is_within(question->key, record.key, record.bits) &&
            (is_dead_welcome || is_live(question, &record)) &&
            (!has_found(question) || record.bits > question->found.bits))
            question->found = record;
    }
}

static void find_neighbour_flat(const struct ip_set *set, struct question *question) {
    unsigned common_bits = 0;
    for (unsigned i = 0; i < ip_flat_get_count(&set->flat); i++) {
        struct ip_record record = ip_flat_get_record(&set->flat, set->blocks, i);
        unsigned common = ip_key_get_common_bits(question->key, record.key);
        if (record.family != question->family || !is_live(question, &record) ||
            (has_found(question) && common <= common_bits))
            continue;
        question->found = record;
        common_bits = common;
    }
}

// --- asking blocks ---

// Outwards from the longest entry that contains the address.
static void find_longest_in_block(const struct ip_block *block, struct question *question,
                                  bool is_dead_welcome) {
    unsigned bits_max = question->family == IP_FAMILY_V4 ? 32 : 128;
    for (;;) {
        uint32_t i = ip_block_find_entry(block, question->key, bits_max);
        if (i == IP_BLOCK_NONE)
            return;
        struct ip_record record = ip_block_get_record(block, i);
        if (is_dead_welcome || is_live(question, &record)) {
            question->found = record;
            return;
        }
        if (record.bits == 0)
            return;
        bits_max = record.bits - 1u;
    }
}

static void find_live_below(const struct ip_blocks *blocks, uint32_t number, uint32_t end,
                            struct question *question) {
    for (uint32_t at = number + 1; at-- > 0;) {
        const struct ip_block *block = blocks->blocks[at];
        for (uint32_t i = at == number ? end : block->entry_count; i-- > 0;) {
            struct ip_record record = ip_block_get_record(block, i);
            if (!is_live(question, &record))
                continue;
            question->found = record;
            return;
        }
    }
}

static void find_live_above(const struct ip_blocks *blocks, uint32_t number, uint32_t first,
                            struct question *question) {
    for (uint32_t at = number; at < blocks->block_count; at++) {
        const struct ip_block *block = blocks->blocks[at];
        for (uint32_t i = at == number ? first : 0; i < block->entry_count; i++) {
            struct ip_record record = ip_block_get_record(block, i);
            if (!is_live(question, &record))
                continue;
            question->found = record;
            return;
        }
    }
}

// The live prefix with the most leading bits in common, of those that do not contain the address. In sorted
// order those in common only become fewer with the distance: it is the first live one below or the first live
// one above. That a prefix stands in several blocks changes nothing: in between stand only some inside it.
static void find_neighbour_in_blocks(const struct ip_blocks *blocks, struct question *question) {
    if (blocks->block_count == 0)
        return;
    struct question below = *question, above = *question;
    uint32_t number = ip_blocks_get_number(blocks, question->key);
    uint32_t count = ip_block_count_up_to(blocks->blocks[number], question->key);
    find_live_below(blocks, number, count, &below);
    find_live_above(blocks, number, count, &above);
    bool is_above = has_found(&above) &&
                    (!has_found(&below) || ip_key_get_common_bits(question->key, above.found.key) >
                                               ip_key_get_common_bits(question->key, below.found.key));
    *question = is_above ? above : below;
}

// --- asking either ---

static void find_longest(const struct ip_set *set, struct question *question, bool is_dead_welcome) {
    if (!set->has_blocks) {
        find_longest_flat(set, question, is_dead_welcome);
        return;
    }
    const struct ip_block *block = ip_blocks_find(ip_set_get_blocks(set, question->family), question->key);
    if (block)
        find_longest_in_block(block, question, is_dead_welcome);
}

static void find_neighbour(const struct ip_set *set, struct question *question) {
    if (set->has_blocks)
        find_neighbour_in_blocks(ip_set_get_blocks(set, question->family), question);
    else
        find_neighbour_flat(set, question);
}

bool ip_set_find(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                 struct ip_set_entry *ret) {
    if (!set || address->family == IP_FAMILY_NONE)
        return false;
    struct question question = {.key = ip_key_of(address), .family = address->family, .now_ms = now_ms};
    find_longest(set, &question, false);
    if (has_found(&question))
        *ret = ip_set_get_entry(question.found);
    return has_found(&question);
}

bool ip_set_find_nearest(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                         struct ip_set_entry *ret) {
    if (!set || address->family == IP_FAMILY_NONE || ip_set_contains(set, address, now_ms))
        return false;
    struct question question = {.key = ip_key_of(address), .family = address->family, .now_ms = now_ms};
    find_longest(set, &question, true);
    if (!has_found(&question))
        find_neighbour(set, &question);
    if (has_found(&question))
        *ret = ip_set_get_entry(question.found);
    return has_found(&question);
}
