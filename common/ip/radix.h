// A radix trie over sorted prefixes of one family: from an address to the longest prefix that contains it.
// Inside common/ip only.
//
// A node looks at six bits of the address: 64 slots, each a child node or a leaf, the number of the longest
// prefix that covers the slot (leaves were pushed down when the trie was built). Slots are not stored; two
// bit maps tell how many children, and how many runs of equal leaves, stand before a slot, and those lie in
// two arrays. Paths are compressed: a node says at which bit it looks, and what all prefixes below it have in
// common is skipped unseen.
//
//     nodes:  [root][child of slot 3][child of slot 9] ...      leaves: [none][7][none][12] ...
//              children 0..010..01000     ^child_base                     ^leaf_base
//              runs     0..1...1..001
//
// A leaf reached by a path that skipped bits is marked RADIX_UNSEEN. Then the longest prefix that contains
// the address is that leaf or one of those around it: all prefixes that contain the address cover the leaf's
// slot too, whatever bits were skipped. So whoever asks compares, and goes outwards until one fits.
#ifndef LATCHKEY_COMMON_IP_RADIX_H
#define LATCHKEY_COMMON_IP_RADIX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip/key.h"

#define RADIX_UNSEEN (1u << 31)
#define RADIX_NONE (RADIX_UNSEEN - 1)

struct radix_node {
    uint64_t children; // bit s: slot s is a child
    uint64_t runs;     // bit s: slot s is a leaf that begins a run; slots of children do not interrupt a run
    uint32_t child_base; // in nodes
    uint32_t leaf_base;  // in leaves
    uint8_t offset;      // the first of the six bits
};

// Two in a cache line.
static_assert(sizeof(struct radix_node) == 32, "a node is half a cache line");

struct radix_size {
    uint32_t node_count, leaf_count;
};

// What radix_build() will write for `records` (sorted, different, one family, at least one).
struct radix_size radix_measure(const struct ip_record *records, uint32_t count);

void radix_build(const struct ip_record *records, uint32_t count, struct radix_node *ret_nodes,
                 uint32_t *ret_leaves);

static inline unsigned radix_count_ones(uint64_t word) {
#if defined(__POPCNT__) || defined(__aarch64__)
    return (unsigned)__builtin_popcountll(word);
#else
    // why: without the instruction the compiler calls a function with a table.
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    return (unsigned)(((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
#endif
}

// The six bits of `key` from `offset`; zeros stand behind its last.
static inline unsigned radix_get_slot(struct ip_key key, unsigned offset) {
    if (offset >= 64)
        return (unsigned)(key.low << (offset - 64) >> 58);
    return (unsigned)((key.high << offset | key.low >> 1 >> (63 - offset)) >> 58);
}

// The leaf for an address: RADIX_NONE, or the number of a record, with RADIX_UNSEEN where it must be
// compared.
static inline uint32_t radix_find(const struct radix_node *nodes, const uint32_t *leaves, struct ip_key key) {
    const struct radix_node *node = nodes;
    uint64_t slot;
    while (node->children & (slot = UINT64_C(1) << radix_get_slot(key, node->offset)))
        node = &nodes[node->child_base + radix_count_ones(node->children & (slot - 1))];
    return leaves[node->leaf_base + radix_count_ones(node->runs & (slot | (slot - 1))) - 1];
}

#endif
