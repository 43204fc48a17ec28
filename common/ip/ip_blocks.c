#include "common/ip/ip_blocks.h"

#include <stdlib.h>
#include <string.h>

// ---- drafts ----

static bool has_room(struct ip_blocks_draft *draft, uint32_t block_count) {
    draft->fences = malloc((block_count + 1) * sizeof(draft->fences[0]));
    draft->blocks = malloc((block_count + 1) * sizeof(draft->blocks[0]));
    return draft->fences && draft->blocks;
}

static void release(struct ip_block *block) {
    if (--block->references == 0)
        free(block);
}

// why not for arenas: their blocks go with them, and so does a draft that failed.
static void release_blocks(struct ip_block **blocks, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        release(blocks[i]);
}

void ip_blocks_draft_fini(struct ip_blocks_draft *draft) {
    if (!draft->arena)
        release_blocks(draft->blocks, draft->block_count);
    free(draft->fences);
    free(draft->blocks);
    *draft = (struct ip_blocks_draft){0};
}

static bool add_block(struct ip_blocks_draft *draft, struct ip_key fence, struct ip_block *block) {
    if (!block)
        return false;
    draft->fences[draft->block_count] = fence;
    draft->blocks[draft->block_count++] = block;
    return true;
}

// ---- cutting records into blocks ----

// What a block begins with: the prefixes before its fence that reach beyond it. At most one of each length.
struct overlap {
    struct ip_record records[129];
    size_t count;
};

// `records` are those before the fence and behind the one before.
static void move_overlap(struct overlap *overlap, struct ip_records records, struct ip_key fence) {
    size_t kept = 0;
    for (size_t i = 0; i < overlap->count; i++)
        if (ip_key_is_within(fence, overlap->records[i].key, overlap->records[i].bits))
            overlap->records[kept++] = overlap->records[i];
    for (size_t i = 0; i < records.count; i++)
        if (ip_key_is_within(fence, records.records[i].key, records.records[i].bits))
            overlap->records[kept++] = records.records[i];
    overlap->count = kept;
}

static struct ip_block *make_block(struct arena *arena, const struct overlap *overlap,
                                   struct ip_records own) {
    if (overlap->count == 0)
        return ip_block_new(arena, own);
    struct ip_record *records = malloc((overlap->count + own.count) * sizeof(records[0]));
    if (!records)
        return NULL;
    memcpy(records, overlap->records, overlap->count * sizeof(records[0]));
    memcpy(records + overlap->count, own.records, own.count * sizeof(records[0]));
    struct ip_block *block =
        ip_block_new(arena, (struct ip_records){records, overlap->count + own.count, own.family});
    free(records);
    return block;
}

// The fewest own entries of a block but the last: so that fences can be numbered, however many there are.
static size_t get_entries_min(size_t record_count) {
    size_t needed = record_count / (IP_RANK_MAX / 2);
    return needed > IP_BLOCKS_ENTRIES_MIN ? needed : IP_BLOCKS_ENTRIES_MIN;
}

// Wider than all that the block has so far: if it went on, that would lie in few of its slots.
static bool is_gap(struct ip_records records, size_t first, size_t at) {
    uint64_t before = records.records[at - 1].key.high;
    return records.records[at].key.high - before > before - records.records[first].key.high;
}

// Prefixes that begin at one address stay together: a fence is an address.
static size_t find_cut(struct ip_records records, size_t first) {
    size_t end = first + get_entries_min(records.count);
    while (end < records.count && end < first + IP_BLOCKS_ENTRIES && !is_gap(records, first, end))
        end++;
    while (end < records.count && ip_key_is_equal(records.records[end].key, records.records[end - 1].key))
        end++;
    return end < records.count ? end : records.count;
}

bool ip_blocks_draft_init(struct ip_blocks_draft *draft, struct arena *arena, struct ip_records records) {
    *draft = (struct ip_blocks_draft){.arena = arena, .family = records.family, .entry_count = records.count};
    struct overlap overlap = {.count = 0};
    bool is_made = has_room(draft, (uint32_t)(records.count / get_entries_min(records.count) + 1));
    for (size_t first = 0, end; is_made && first < records.count; first = end) {
        end = find_cut(records, first);
        struct ip_records own = {records.records + first, end - first, records.family};
        struct ip_key fence = first == 0 ? (struct ip_key){0, 0} : own.records[0].key;
        is_made = add_block(draft, fence, make_block(arena, &overlap, own));
        if (end < records.count)
            move_overlap(&overlap, own, records.records[end].key);
    }
    if (!is_made)
        ip_blocks_draft_fini(draft);
    return is_made;
}

// ---- changing some ----

// The changes that meet the span of a block. Returns how many.
static size_t select_changes(const struct ip_blocks *blocks, uint32_t number, struct ip_records changes,
                             struct ip_record *ret) {
    size_t count = 0;
    for (size_t i = 0; i < changes.count; i++) {
        const struct ip_record *change = &changes.records[i];
        if (ip_blocks_get_number(blocks, change->key) <= number &&
            ip_blocks_get_number(blocks, ip_key_get_last(change->key, change->bits)) >= number)
            ret[count++] = *change;
    }
    return count;
}

static void copy_records(const struct ip_block *block, struct ip_record *ret) {
    for (uint32_t i = 0; i < block->entry_count; i++)
        ret[i] = ip_block_get_record(block, i);
}

// Entries that no block before has.
static size_t count_own(const struct ip_block *block, struct ip_key fence) {
    uint32_t first = 0;
    while (first < block->entry_count && ip_key_compare(ip_block_get_record(block, first).key, fence) < 0)
        first++;
    return block->entry_count - first;
}

static struct ip_block *change_block(const struct ip_block *old, struct ip_records changes) {
    struct ip_record *records = malloc((old->entry_count * 2 + changes.count) * sizeof(records[0]));
    if (!records)
        return NULL;
    struct ip_record *merged = records + old->entry_count;
    copy_records(old, records);
    size_t count =
        ip_record_merge((struct ip_records){records, old->entry_count, old->family}, changes, merged);
    struct ip_block *block = ip_block_new(NULL, (struct ip_records){merged, count, old->family});
    free(records);
    return block;
}

// The old block with one more reference where no change meets it.
static bool add_changed(struct ip_blocks_draft *draft, const struct ip_blocks *old, uint32_t number,
                        struct ip_records changes) {
    struct ip_block *block = old->blocks[number];
    struct ip_key fence = ip_blocks_get_fence(old, number);
    if (changes.count == 0) {
        block->references++;
        return add_block(draft, fence, block);
    }
    if (!add_block(draft, fence, change_block(block, changes)))
        return false;
    draft->entry_count += count_own(draft->blocks[number], fence);
    draft->entry_count -= count_own(block, fence);
    return true;
}

static bool change_all(struct ip_blocks_draft *draft, const struct ip_blocks *old, struct ip_records changes,
                       struct ip_record *few) {
    for (uint32_t number = 0; number < old->block_count; number++) {
        size_t count = select_changes(old, number, changes, few);
        if (!add_changed(draft, old, number, (struct ip_records){few, count, changes.family}))
            return false;
    }
    return true;
}

// A block that a run of additions may overfill, or blocks of which little is left.
static bool is_unfit(const struct ip_blocks *blocks, size_t change_count) {
    for (uint32_t i = 0; i < blocks->block_count; i++)
        if (blocks->blocks[i]->entry_count + change_count > 3 * IP_BLOCKS_ENTRIES)
            return true;
    return blocks->entry_count < (size_t)blocks->block_count * (IP_BLOCKS_ENTRIES_MIN / 8);
}

bool ip_blocks_draft_change(struct ip_blocks_draft *draft, const struct ip_blocks *old,
                            struct ip_records changes, bool *ret_is_unfit) {
    *draft = (struct ip_blocks_draft){.family = changes.family, .entry_count = old->entry_count};
    if (changes.count > 0 && (old->block_count == 0 || is_unfit(old, changes.count))) {
        *ret_is_unfit = true;
        return true;
    }
    struct ip_record *few = malloc((changes.count + 1) * sizeof(few[0])); // one more: never of size 0
    bool is_made = few && has_room(draft, old->block_count) && change_all(draft, old, changes, few);
    free(few);
    if (!is_made)
        ip_blocks_draft_fini(draft);
    return is_made;
}

// ---- in a set ----

void ip_blocks_build(struct ip_blocks *blocks, struct ip_blocks_draft *draft, struct carver *carver) {
    *blocks = (struct ip_blocks){.block_count = draft->block_count, .entry_count = draft->entry_count};
    if (draft->block_count == 0)
        return;
    ip_rank_build(&blocks->fences, draft->family, draft->fences + 1, draft->block_count - 1, carver);
    CARVE(carver, blocks->blocks, draft->block_count);
    if (!carver->block)
        return;
    memcpy(blocks->blocks, draft->blocks, draft->block_count * sizeof(draft->blocks[0]));
    draft->block_count = 0;
}

void ip_blocks_fini(struct ip_blocks *blocks) {
    release_blocks(blocks->blocks, blocks->block_count);
}

size_t ip_blocks_count_own(const struct ip_blocks *blocks, uint32_t number) {
    return count_own(blocks->blocks[number], ip_blocks_get_fence(blocks, number));
}

size_t ip_blocks_get_size_bytes(const struct ip_blocks *blocks) {
    size_t size_bytes = 0;
    for (uint32_t i = 0; i < blocks->block_count; i++)
        size_bytes += blocks->blocks[i]->size_bytes;
    return size_bytes;
}

size_t ip_blocks_get_hot_size_bytes(const struct ip_blocks *blocks) {
    size_t size_bytes = 0;
    for (uint32_t i = 0; i < blocks->block_count; i++)
        size_bytes += blocks->blocks[i]->hot_size_bytes;
    return size_bytes;
}
