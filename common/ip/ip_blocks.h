// All prefixes of one family in a set, in blocks that each answer for a span of addresses. A prefix stands in
// every block whose span it meets, so that a block knows all there is to know. Inside common/ip only.
//
//     fences             f1           f2           f3
//     blocks  [ block 0 ) [ block 1  ) [ block 2  ) [ block 3 ]
//
// Blocks are immutable and counted: a set with a change made to it shares with its predecessor all that the
// change does not meet. That costs one block and the list of them, some tenths of a millisecond in a million
// prefixes, instead of all.
#ifndef LATCHKEY_COMMON_IP_IP_BLOCKS_H
#define LATCHKEY_COMMON_IP_IP_BLOCKS_H

#include "common/ip/ip_block.h"

// So many entries of its own has a block when it is cut; where one could grow to thrice that, all are cut
// anew.
#define IP_BLOCKS_ENTRIES 4096

// Where addresses come in heaps, as hosts of one network do, blocks end with a heap, but not below that.
#define IP_BLOCKS_ENTRIES_MIN 512

// Zeroed memory has none.
struct ip_blocks {
    struct ip_rank fences; // one fewer than blocks
    struct ip_block **blocks;
    uint32_t block_count;
    size_t entry_count; // each once
};

// Made and not yet laid out: heap memory.
struct ip_blocks_draft {
    struct arena *arena;      // of the blocks; NULL = the heap
    struct ip_key *fences;    // where each block begins; the first at zero
    struct ip_block **blocks; // a reference to each
    uint32_t block_count;
    size_t entry_count;
    uint8_t family;
};

// Cuts the records into blocks. False when out of memory, and then the draft is empty; it always is good for
// ip_blocks_draft_fini().
MUST_CHECK bool ip_blocks_draft_init(struct ip_blocks_draft *draft, struct arena *arena,
                                     struct ip_records records);

// The blocks as they are with the changes made to them. True with `*ret_is_unfit`, and an empty draft: they
// no longer suit what there is, so that the caller takes all records and cuts them anew.
MUST_CHECK bool ip_blocks_draft_change(struct ip_blocks_draft *draft, const struct ip_blocks *old,
                                       struct ip_records changes, bool *ret_is_unfit);

void ip_blocks_draft_fini(struct ip_blocks_draft *draft);

// Lays out the fences and the list, and takes the references if the carver has a block.
void ip_blocks_build(struct ip_blocks *blocks, struct ip_blocks_draft *draft, struct carver *carver);

// Gives back the references: for sets on the heap.
void ip_blocks_fini(struct ip_blocks *blocks);

// Entries of a block that the ones before do not have.
size_t ip_blocks_count_own(const struct ip_blocks *blocks, uint32_t number);

// Of all blocks: everything, and what look-ups read.
size_t ip_blocks_get_size_bytes(const struct ip_blocks *blocks);
size_t ip_blocks_get_hot_size_bytes(const struct ip_blocks *blocks);

// Where the span of a block begins.
static inline struct ip_key ip_blocks_get_fence(const struct ip_blocks *blocks, uint32_t number) {
    return number == 0 ? (struct ip_key){0, 0} : ip_rank_get_key(&blocks->fences, number - 1);
}

static inline uint32_t ip_blocks_get_number(const struct ip_blocks *blocks, struct ip_key key) {
    return blocks->fences.count > 0 ? ip_rank_find(&blocks->fences, key) : 0;
}

// The block that answers for an address; NULL if the family has no prefix.
static inline const struct ip_block *ip_blocks_find(const struct ip_blocks *blocks, struct ip_key key) {
    return blocks->block_count > 0 ? blocks->blocks[ip_blocks_get_number(blocks, key)] : NULL;
}

#endif
