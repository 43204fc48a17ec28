#include "common/ip/ip_set.h"

#include <assert.h>
#include <stdlib.h>

#include "common/ip/ip_set_internal.h"

enum { CACHE_LINE = 64 };

// --- making ---

static struct ip_set *allocate(struct arena *arena, size_t size_bytes) {
    if (arena)
        return arena_allocate(arena, size_bytes);
    // why: else most sets would lie across two lines. Larger ones are read all over anyway.
    return size_bytes <= CACHE_LINE ? aligned_alloc(CACHE_LINE, CACHE_LINE) : malloc(size_bytes);
}

static struct ip_set *new_flat(struct arena *arena, struct ip_records v4, struct ip_records v6) {
    struct ip_flat flat = ip_flat_of(v4, v6);
    size_t size_bytes = sizeof(struct ip_set) + ip_flat_get_size_bytes(&flat);
    struct ip_set *set = allocate(arena, size_bytes);
    if (!set)
        return NULL;
    *set = (struct ip_set){.size_bytes = (uint32_t)size_bytes, .flat = flat};
    ip_flat_fill(&flat, v4, v6, set->blocks);
    return set;
}

static size_t lay_out(struct ip_blocks blocks[2], struct ip_blocks_draft drafts[2], struct ip_set *set) {
    struct carver carver = {.block = (uint8_t *)set,
                            .used_bytes = sizeof(struct ip_set) + 2 * sizeof(struct ip_blocks)};
    ip_blocks_build(&blocks[0], &drafts[0], &carver);
    ip_blocks_build(&blocks[1], &drafts[1], &carver);
    return carver.used_bytes;
}

// Takes the drafts' blocks, or leaves them there when out of memory.
static struct ip_set *new_of_drafts(struct arena *arena, struct ip_blocks_draft drafts[2]) {
    struct ip_blocks measured[2];
    size_t size_bytes = lay_out(measured, drafts, NULL);
    struct ip_set *set = allocate(arena, size_bytes);
    if (!set)
        return NULL;
    *set = (struct ip_set){.size_bytes = (uint32_t)size_bytes, .has_blocks = true};
    lay_out(set->blocks, drafts, set);
    return set;
}

static struct ip_set *new_with_blocks(struct arena *arena, struct ip_records v4, struct ip_records v6) {
    struct ip_blocks_draft drafts[2] = {{0}};
    struct ip_set *set = NULL;
    if (ip_blocks_draft_init(&drafts[0], arena, v4) && ip_blocks_draft_init(&drafts[1], arena, v6))
        set = new_of_drafts(arena, drafts);
    ip_blocks_draft_fini(&drafts[0]);
    ip_blocks_draft_fini(&drafts[1]);
    return set;
}

// In the arena, or on the heap where that is NULL. The records are sorted.
static struct ip_set *new_of_records(struct arena *arena, const struct ip_record *records, size_t count) {
    struct ip_records v4 = ip_record_select(records, count, IP_FAMILY_V4);
    struct ip_records v6 = ip_record_select(records, count, IP_FAMILY_V6);
    return count <= IP_FLAT_MAX ? new_flat(arena, v4, v6) : new_with_blocks(arena, v4, v6);
}

bool ip_set_draft_init(struct ip_set_draft *draft, const struct ip_set_entry *entries, size_t count) {
    assert(count <= IP_SET_MAX_ENTRIES);
    *draft = (struct ip_set_draft){.count = count};
    draft->records = malloc((count + 1) * sizeof(draft->records[0])); // one more: never of size 0
    if (!draft->records)
        return false;
    for (size_t i = 0; i < count; i++)
        draft->records[i] = ip_record_of(&entries[i].prefix, entries[i].ends_at_ms);
    bool is_sorted = ip_record_sort(draft->records, &draft->count);
    if (!is_sorted)
        ip_set_draft_fini(draft);
    return is_sorted;
}

void ip_set_draft_fini(struct ip_set_draft *draft) {
    free(draft->records);
    *draft = (struct ip_set_draft){0};
}

struct ip_set *ip_set_new_of_draft(const struct ip_set_draft *draft) {
    return new_of_records(NULL, draft->records, draft->count);
}

static struct ip_set *new_set(struct arena *arena, const struct ip_set_entry *entries, size_t count) {
    struct ip_set_draft draft;
    if (!ip_set_draft_init(&draft, entries, count))
        return NULL;
    struct ip_set *set = new_of_records(arena, draft.records, draft.count);
    ip_set_draft_fini(&draft);
    return set;
}

struct ip_set *ip_set_new(const struct ip_set_entry *entries, size_t count) {
    return new_set(NULL, entries, count);
}

struct ip_set *ip_set_new_in_arena(struct arena *arena, const struct ip_set_entry *entries, size_t count) {
    assert(arena);
    return new_set(arena, entries, count);
}

void ip_set_free(struct ip_set *set) {
    if (set && set->has_blocks) {
        ip_blocks_fini(&set->blocks[0]);
        ip_blocks_fini(&set->blocks[1]);
    }
    free(set);
}

// --- changing ---

// All of the old records and the changes, in new memory and cut anew.
static struct ip_set *new_of_all(const struct ip_set *set, struct ip_records changes) {
    size_t old_count = ip_set_get_count(set);
    struct ip_record *old = malloc((old_count + 1) * sizeof(*old));
    struct ip_record *merged = malloc((old_count + changes.count + 1) * sizeof(*merged));
    struct ip_set *changed = NULL;
    if (old && merged) {
        ip_set_copy_records(set, old);
        size_t count = ip_record_merge((struct ip_records){old, old_count, IP_FAMILY_NONE}, changes, merged);
        changed = new_of_records(NULL, merged, count);
    }
    free(old);
    free(merged);
    return changed;
}

static struct ip_set *new_of_blocks(const struct ip_set *set, struct ip_records changes) {
    struct ip_blocks_draft drafts[2] = {{0}};
    static const uint8_t families[2] = {IP_FAMILY_V4, IP_FAMILY_V6};
    bool is_made = true, is_unfit = false;
    for (unsigned i = 0; i < 2 && is_made; i++) {
        struct ip_records of_family = ip_record_select(changes.records, changes.count, families[i]);
        is_made = ip_blocks_draft_change(&drafts[i], &set->blocks[i], of_family, &is_unfit);
    }
    struct ip_set *changed = NULL;
    if (is_made)
        changed = is_unfit ? new_of_all(set, changes) : new_of_drafts(NULL, drafts);
    ip_blocks_draft_fini(&drafts[0]);
    ip_blocks_draft_fini(&drafts[1]);
    return changed;
}

struct ip_set *ip_set_new_changed(const struct ip_set *set, const struct ip_set_change *change) {
    size_t count = change->prefix_count + change->entry_count;
    struct ip_record *records = malloc((count + 1) * sizeof(*records));
    if (!records)
        return NULL;
    for (size_t i = 0; i < change->entry_count; i++)
        records[i] = ip_record_of(&change->entries[i].prefix, change->entries[i].ends_at_ms);
    for (size_t i = 0; i < change->prefix_count; i++) {
        struct ip_record *gone = &records[change->entry_count + i];
        *gone = ip_record_of(&change->prefixes[i], CLOCK_ALWAYS_MS);
        gone->is_gone = true;
    }
    struct ip_set *changed = NULL;
    if (ip_record_sort(records, &count)) {
        struct ip_records changes = {records, count, IP_FAMILY_NONE};
        changed = set->has_blocks ? new_of_blocks(set, changes) : new_of_all(set, changes);
    }
    free(records);
    return changed;
}

// --- asking ---

bool ip_set_contains(const struct ip_set *set, const struct ip_address *address, int64_t now_ms) {
    if (!set || address->family == IP_FAMILY_NONE)
        return false;
    struct ip_key key = ip_key_of(address);
    if (!set->has_blocks)
        return ip_flat_contains(&set->flat, set->blocks, address->family, key, now_ms);
    const struct ip_block *block = ip_blocks_find(ip_set_get_blocks(set, address->family), key);
    return block && ip_block_contains(block, key, now_ms);
}
