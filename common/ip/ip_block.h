// Some of a set's prefixes, those that meet one span of addresses, in two forms side by side. Immutable.
// Inside common/ip only.
//
// For "is it contained?": a step function from addresses to the moment up to which they are let in. It
// changes at `edges`; nested and neighbouring prefixes have been merged, and what an edge separates differs.
// Where nothing ends, the value behind an edge is "in" and "out" in turns and is not stored.
//
//     entries   10.0.0.0/8  10.1.0.0/16 (ends)  11.0.0.0/8         edges   10.0.0.0   12.0.0.0
//                                                                  value  out |   in     |  out
//
// The edges stand in lines, which are read in one step (ip_lines.h), where these fit into the 10 bytes that a
// prefix may take; else as they come (ip_rank.h).
//
// For explanations, and to make the block again with a change: the prefixes themselves, in order.
#ifndef LATCHKEY_COMMON_IP_IP_BLOCK_H
#define LATCHKEY_COMMON_IP_IP_BLOCK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/ip/ip_lines.h"
#include "common/ip/ip_rank.h"
#include "common/ip/ip_record.h"

#define IP_BLOCK_NONE UINT32_MAX

// Each entry has two edges at most.
#define IP_BLOCK_ENTRIES_MAX (IP_RANK_MAX / 2)

struct ip_block {
    union {
        struct ip_rank rank;
        struct ip_lines lines;
    } edges;
    const int64_t *reaches; // behind each edge: the latest end of what contains it; NULL = nothing ends
    bool has_lines;
    uint32_t size_bytes, hot_size_bytes; // all of it, and what look-ups read
    uint32_t entry_count;
    uint8_t family;
    const uint32_t *narrow_keys; // IPv4
    const struct ip_key *wide_keys;
    const uint8_t *bits;
    const int64_t *ends; // NULL = nothing ends

    // The maker's, while others look things up.
    size_t references; // sets that hold it
    uint64_t hash;     // of the entries that no block before has, made by these keys; zero keys = not yet
    uint64_t hash_keys[2];
};

// Look-ups read the first 57 bytes of the header; who counts references does not take that line from them.
static_assert(offsetof(struct ip_block, references) >= 64 + 32, "references stand apart");

// Sorted and different, at most IP_BLOCK_ENTRIES_MAX. On the heap where the arena is NULL, and then
// freed with free(). NULL when out of memory.
MUST_CHECK struct ip_block *ip_block_new(struct arena *arena, struct ip_records records);

struct ip_record ip_block_get_record(const struct ip_block *block, uint32_t i);

// The number of the longest entry of at most `bits_max` bits that contains the address, live or not; or NONE.
uint32_t ip_block_find_entry(const struct ip_block *block, struct ip_key key, unsigned bits_max);

// How many entries have a key not above `key`.
uint32_t ip_block_count_up_to(const struct ip_block *block, struct ip_key key);

uint32_t ip_block_get_edge_count(const struct ip_block *block);
struct ip_key ip_block_get_edge(const struct ip_block *block, uint32_t i);

// How many edges are not above `key`.
static inline uint32_t ip_block_find_rank(const struct ip_block *block, struct ip_key key) {
    return block->has_lines ? ip_lines_find(&block->edges.lines, (uint32_t)(key.high >> 32))
                            : ip_rank_find(&block->edges.rank, key);
}

static inline bool ip_block_contains(const struct ip_block *block, struct ip_key key, int64_t now_ms) {
    uint32_t rank = ip_block_find_rank(block, key);
    if (!block->reaches)
        return rank % 2 == 1;
    return rank > 0 && block->reaches[rank - 1] > now_ms;
}

#endif
