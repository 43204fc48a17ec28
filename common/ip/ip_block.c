#include "common/ip/ip_block.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CACHE_LINE = 64,
    FEW_EDGES = 4 * IP_LINES_ROOM,
    BYTES_MAX = 10, // of edges for each prefix
};

// ---- the step function ----

struct steps {
    struct ip_key *edges; // owned; two for each record
    int64_t *reaches;     // owned
    uint32_t count;
    bool has_end;
};

// The prefixes around the one that is being looked at, the innermost last. At most one of each length.
struct nest {
    struct {
        struct ip_key last; // address
        int64_t reach;
    } around[129];
    unsigned depth;
};

static int64_t get_reach(const struct nest *nest) {
    return nest->depth > 0 ? nest->around[nest->depth - 1].reach : CLOCK_ALWAYS_MS;
}

// From here on the value is `reach`: what an earlier step said of the same address is void, and a step to
// the same value is none.
static void add_step(struct steps *steps, struct ip_key edge, int64_t reach) {
    if (steps->count > 0 && ip_key_is_equal(steps->edges[steps->count - 1], edge))
        steps->count--;
    int64_t before = steps->count > 0 ? steps->reaches[steps->count - 1] : CLOCK_ALWAYS_MS;
    if (before == reach)
        return;
    steps->edges[steps->count] = edge;
    steps->reaches[steps->count++] = reach;
}

// The bits below an IPv4 address are ones in a last one, so that the sum carries into its own. No address
// follows the last of all.
static void leave_innermost(struct steps *steps, struct nest *nest) {
    struct ip_key last = nest->around[--nest->depth].last;
    struct ip_key next = {last.high + (last.low == UINT64_MAX), last.low + 1};
    if (next.high != 0 || next.low != 0)
        add_step(steps, next, get_reach(nest));
}

static void enter(struct steps *steps, struct nest *nest, const struct ip_record *record) {
    int64_t outer = get_reach(nest);
    int64_t reach = record->ends_at_ms > outer ? record->ends_at_ms : outer;
    nest->around[nest->depth].last = ip_key_get_last(record->key, record->bits);
    nest->around[nest->depth++].reach = reach;
    add_step(steps, record->key, reach);
    steps->has_end |= record->ends_at_ms != CLOCK_NEVER_MS;
}

static void find_steps(struct ip_records records, struct steps *steps) {
    struct nest nest = {.depth = 0};
    for (size_t i = 0; i < records.count; i++) {
        const struct ip_record *record = &records.records[i];
        while (nest.depth > 0 && ip_key_compare(nest.around[nest.depth - 1].last, record->key) < 0)
            leave_innermost(steps, &nest);
        enter(steps, &nest, record);
    }
    while (nest.depth > 0)
        leave_innermost(steps, &nest);
}

// ---- layout ----

static void lay_out_entries(struct ip_block *block, struct ip_records records, bool has_end,
                            struct carver *carver) {
    uint32_t *narrow_keys = NULL;
    struct ip_key *wide_keys = NULL;
    int64_t *ends = NULL;
    uint8_t *bits;
    if (has_end)
        block->ends = CARVE(carver, ends, records.count);
    if (block->family == IP_FAMILY_V4)
        block->narrow_keys = CARVE(carver, narrow_keys, records.count);
    else
        block->wide_keys = CARVE(carver, wide_keys, records.count);
    block->bits = CARVE(carver, bits, records.count);
    for (size_t i = 0; carver->block && i < records.count; i++) {
        const struct ip_record *record = &records.records[i];
        bits[i] = record->bits;
        if (narrow_keys)
            narrow_keys[i] = (uint32_t)(record->key.high >> 32);
        else
            wide_keys[i] = record->key;
        if (ends)
            ends[i] = record->ends_at_ms;
    }
}

static void lay_out_edges(struct ip_block *block, const struct steps *steps, uint8_t shift,
                          struct carver *carver) {
    block->has_lines = shift != IP_LINES_UNFIT;
    if (block->has_lines)
        ip_lines_build(&block->edges.lines, shift, steps->edges, steps->count, carver);
    else
        ip_rank_build(&block->edges.rank, block->family, steps->edges, steps->count, carver);
}

// What a look-up reads comes first.
static size_t lay_out(struct ip_block *block, struct ip_records records, const struct steps *steps,
                      uint8_t shift, struct carver carver) {
    *block =
        (struct ip_block){.references = 1, .entry_count = (uint32_t)records.count, .family = records.family};
    lay_out_edges(block, steps, shift, &carver);
    if (steps->has_end) {
        int64_t *reaches;
        block->reaches = CARVE(&carver, reaches, steps->count);
        for (uint32_t i = 0; carver.block && i < steps->count; i++)
            reaches[i] = steps->reaches[i];
    }
    block->hot_size_bytes = (uint32_t)carver.used_bytes;
    lay_out_entries(block, records, steps->has_end, &carver);
    block->size_bytes = (uint32_t)carver.used_bytes;
    return carver.used_bytes;
}

// IP_LINES_UNFIT: not in lines.
static uint8_t choose_shift(struct ip_records records, const struct steps *steps) {
    bool is_few = records.family != IP_FAMILY_V4 || steps->count <= FEW_EDGES;
    return is_few ? IP_LINES_UNFIT
                  : ip_lines_choose_shift(steps->edges, steps->count, records.count * BYTES_MAX);
}

// On the heap lines of edges are cache lines.
static struct ip_block *allocate(struct arena *arena, size_t size_bytes) {
    if (arena)
        return arena_allocate(arena, size_bytes);
    return aligned_alloc(CACHE_LINE, (size_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

static struct ip_block *make(struct arena *arena, struct ip_records records, const struct steps *steps) {
    struct ip_block measured;
    struct carver carver = {.used_bytes = sizeof(measured)};
    uint8_t shift = choose_shift(records, steps);
    size_t size_bytes = lay_out(&measured, records, steps, shift, carver);
    struct ip_block *block = allocate(arena, size_bytes);
    if (!block)
        return NULL;
    carver.block = (uint8_t *)block;
    lay_out(block, records, steps, shift, carver);
    return block;
}

struct ip_block *ip_block_new(struct arena *arena, struct ip_records records) {
    assert(records.count <= IP_BLOCK_ENTRIES_MAX);
    size_t steps_max = 2 * records.count + 1; // one more: never of size 0
    struct steps steps = {.edges = malloc(steps_max * sizeof(steps.edges[0])),
                          .reaches = malloc(steps_max * sizeof(steps.reaches[0]))};
    struct ip_block *block = NULL;
    if (steps.edges && steps.reaches) {
        find_steps(records, &steps);
        block = make(arena, records, &steps);
    }
    free(steps.edges);
    free(steps.reaches);
    return block;
}

// ---- edges ----

uint32_t ip_block_get_edge_count(const struct ip_block *block) {
    return block->has_lines ? block->edges.lines.count : block->edges.rank.count;
}

struct ip_key ip_block_get_edge(const struct ip_block *block, uint32_t i) {
    return block->has_lines ? ip_lines_get_key(&block->edges.lines, i)
                            : ip_rank_get_key(&block->edges.rank, i);
}

// ---- entries ----

static struct ip_key get_key(const struct ip_block *block, uint32_t i) {
    return block->wide_keys ? block->wide_keys[i] : (struct ip_key){(uint64_t)block->narrow_keys[i] << 32, 0};
}

struct ip_record ip_block_get_record(const struct ip_block *block, uint32_t i) {
    return (struct ip_record){.key = get_key(block, i),
                              .ends_at_ms = block->ends ? block->ends[i] : CLOCK_NEVER_MS,
                              .bits = block->bits[i],
                              .family = block->family};
}

// How many entries are not behind the prefix in order.
static uint32_t count_up_to(const struct ip_block *block, struct ip_key key, unsigned bits) {
    uint32_t low = 0, high = block->entry_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = ip_key_compare(get_key(block, middle), key);
        if (order < 0 || (order == 0 && block->bits[middle] <= bits))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t ip_block_count_up_to(const struct ip_block *block, struct ip_key key) {
    return count_up_to(block, key, 128);
}

// Of the entries up to a prefix in order, the last either contains the address, or parts from it at some
// bit: then whatever contains both is no longer than that. Each turn goes back at least one entry.
uint32_t ip_block_find_entry(const struct ip_block *block, struct ip_key key, unsigned bits_max) {
    for (unsigned bits = bits_max;;) {
        uint32_t count = count_up_to(block, ip_key_mask(key, bits), bits);
        if (count == 0)
            return IP_BLOCK_NONE;
        struct ip_key last = get_key(block, count - 1);
        if (ip_key_is_within(key, last, block->bits[count - 1]))
            return count - 1;
        bits = ip_key_get_common_bits(key, last);
    }
}
