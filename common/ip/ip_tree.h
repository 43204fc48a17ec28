// The prefixes of one family in a set: sorted arrays side by side, and above them, when they are many, a
// radix trie. A prefix is known by its number in sorted order; its parent is the longest prefix around it.
// Inside common/ip only.
//
// Few prefixes (IP_TREE_FLAT_MAX) are compared one after the other without a branch: keys and bits of eight
// IPv4 prefixes are 40 bytes. Of the prefixes that contain an address the last in sorted order is the
// longest.
#ifndef LATCHKEY_COMMON_IP_IP_TREE_H
#define LATCHKEY_COMMON_IP_IP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip/key.h"
#include "common/ip/radix.h"

#define IP_TREE_FLAT_MAX 8
#define IP_TREE_NONE RADIX_NONE

// Zeroed memory is an empty tree. What is pointed to belongs to the set.
struct ip_tree {
    uint32_t count;
    uint8_t family;
    struct radix_size radix_size;
    struct radix_node *nodes; // NULL = flat
    uint32_t *leaves;
    uint32_t *narrow_keys;    // IPv4
    struct ip_key *wide_keys; // IPv6
    uint8_t *bits;
    uint32_t *parents; // NULL = no prefix is inside another
    int64_t *reaches;  // the latest end of a prefix and all around it; NULL = nothing ends
    int64_t *ends;     // NULL = nothing ends
    uint32_t *ids;
};

// Hands out one block piece by piece; without a block it only adds up what is needed.
struct ip_carver {
    uint8_t *block;
    size_t used_bytes;
};

// Lays a tree out for `records`: sorted, different, one family. Fills it if the carver has a block.
void ip_tree_build(struct ip_tree *tree, const struct ip_record *records, uint32_t count,
                   struct ip_carver *carver);

// The longest prefix that contains the address, live or not; IP_TREE_NONE.
uint32_t ip_tree_find(const struct ip_tree *tree, struct ip_key key);

// How many prefixes have a key not above `key`.
uint32_t ip_tree_count_up_to(const struct ip_tree *tree, struct ip_key key);

// The sentence for the first invariant broken, or NULL. Slow.
const char *ip_tree_check(const struct ip_tree *tree);

static inline struct ip_key ip_tree_get_key(const struct ip_tree *tree, uint32_t i) {
    return tree->wide_keys ? tree->wide_keys[i] : (struct ip_key){(uint64_t)tree->narrow_keys[i] << 32, 0};
}

static inline bool ip_tree_covers(const struct ip_tree *tree, uint32_t i, struct ip_key key) {
    return ip_key_is_within(key, ip_tree_get_key(tree, i), tree->bits[i]);
}

static inline uint32_t ip_tree_get_parent(const struct ip_tree *tree, uint32_t i) {
    return tree->parents ? tree->parents[i] : IP_TREE_NONE;
}

static inline bool ip_tree_is_live(const struct ip_tree *tree, uint32_t i, int64_t now_ms) {
    return !tree->ends || tree->ends[i] > now_ms;
}

// Whether the prefix or one around it is live.
static inline bool ip_tree_is_any_live(const struct ip_tree *tree, uint32_t i, int64_t now_ms) {
    return !tree->reaches || tree->reaches[i] > now_ms;
}

#endif
