// Builds from the sorted records, top down, in two runs of the same code: the first counts, the second writes
// into memory of exactly that size. A node is given its children side by side before any of them is filled.
#include "common/ip/radix.h"

#include <assert.h>
#include <stdbool.h>

enum { SLOT_BITS = 6, SLOTS = 1 << SLOT_BITS };

// Neighbouring records; none if `first` is `end`.
struct range {
    uint32_t first, end;
};

struct builder {
    const struct ip_record *records;
    struct radix_node *nodes; // NULL = only count
    uint32_t *leaves;
    struct radix_size size;
};

// A node in the making.
struct slots {
    uint64_t children;
    uint32_t leaves[SLOTS];     // the longest record that covers the slot; for a child what it inherits
    struct range ranges[SLOTS]; // longer records inside the slot
};

static bool is_empty(struct range range) {
    return range.first == range.end;
}

static unsigned get_common_bits(const struct builder *builder, struct range range) {
    return ip_key_get_common_bits(builder->records[range.first].key, builder->records[range.end - 1].key);
}

// Takes from the range the records that contain all of it, the last into `*leaf`. What remains parts at a
// bit.
static void take_covering(const struct builder *builder, struct range *range, uint32_t *leaf) {
    while (!is_empty(*range) && builder->records[range->first].bits <= get_common_bits(builder, *range))
        *leaf = range->first++;
}

// Sorted order does the work: a record comes before those inside it, so that the longest one is the last to
// write.
static void spread(const struct builder *builder, struct range range, unsigned offset, struct slots *slots) {
    for (uint32_t i = range.first; i < range.end; i++) {
        const struct ip_record *record = &builder->records[i];
        unsigned slot = radix_get_slot(record->key, offset);
        if (record->bits > offset + SLOT_BITS) {
            if (is_empty(slots->ranges[slot]))
                slots->ranges[slot].first = i;
            slots->ranges[slot].end = i + 1;
            continue;
        }
        unsigned end = slot + (1u << (offset + SLOT_BITS - record->bits));
        while (slot < end)
            slots->leaves[slot++] = i;
    }
}

// A slot whose records are nested in one line is a leaf too: that of the longest.
static void tell_children(const struct builder *builder, struct slots *slots) {
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        take_covering(builder, &slots->ranges[slot], &slots->leaves[slot]);
        if (!is_empty(slots->ranges[slot]))
            slots->children |= UINT64_C(1) << slot;
    }
}

static uint32_t mark_leaf(const struct builder *builder, uint32_t leaf, unsigned seen_bits) {
    bool is_unseen = leaf != RADIX_NONE && builder->records[leaf].bits > seen_bits;
    return is_unseen ? leaf | RADIX_UNSEEN : leaf;
}

// Writes the runs of equal leaves; returns where they begin.
static uint64_t write_leaves(struct builder *builder, const struct slots *slots, unsigned seen_bits) {
    uint64_t runs = 0;
    uint32_t last = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        uint64_t bit = UINT64_C(1) << slot;
        if ((slots->children & bit) || (runs != 0 && slots->leaves[slot] == last))
            continue;
        runs |= bit;
        last = slots->leaves[slot];
        if (builder->leaves)
            builder->leaves[builder->size.leaf_count] = mark_leaf(builder, last, seen_bits);
        builder->size.leaf_count++;
    }
    return runs;
}

// `range` has parted at a bit or is empty; `leaf` covers all of it. The first `seen_bits` of an address that
// comes here have been compared. Each level uses up six bits or more: the recursion is at most 22 deep.
static void build_node(struct builder *builder, uint32_t index, struct range range, uint32_t leaf,
                       unsigned seen_bits) {
    unsigned offset = 0;
    struct slots slots = {0};
    for (unsigned slot = 0; slot < SLOTS; slot++)
        slots.leaves[slot] = leaf;
    if (!is_empty(range)) {
        offset = get_common_bits(builder, range);
        spread(builder, range, offset, &slots);
        tell_children(builder, &slots);
        if (offset == seen_bits)
            seen_bits += SLOT_BITS;
    }

    struct radix_node node = {
        .children = slots.children,
        .child_base = builder->size.node_count,
        .leaf_base = builder->size.leaf_count,
        .offset = (uint8_t)offset,
    };
    builder->size.node_count += radix_count_ones(slots.children);
    node.runs = write_leaves(builder, &slots, seen_bits);
    if (builder->nodes)
        builder->nodes[index] = node;

    uint32_t child = node.child_base;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (!is_empty(slots.ranges[slot]))
            build_node(builder, child++, slots.ranges[slot], slots.leaves[slot], seen_bits);
}

static struct radix_size build(struct builder builder, uint32_t count) {
    assert(count > 0);
    struct range all = {0, count};
    uint32_t leaf = RADIX_NONE;
    take_covering(&builder, &all, &leaf);
    builder.size.node_count = 1;
    build_node(&builder, 0, all, leaf, 0);
    return builder.size;
}

struct radix_size radix_measure(const struct ip_record *records, uint32_t count) {
    return build((struct builder){.records = records}, count);
}

void radix_build(const struct ip_record *records, uint32_t count, struct radix_node *ret_nodes,
                 uint32_t *ret_leaves) {
    build((struct builder){.records = records, .nodes = ret_nodes, .leaves = ret_leaves}, count);
}
