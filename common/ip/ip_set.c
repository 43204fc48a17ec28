// One block of memory: the header, then the arrays of both families (ip_tree.h). Two runs of the same layout,
// one that counts and one that fills, so that nothing grows while it is built.
#include "common/ip/ip_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/ip/ip_tree.h"

struct ip_set {
    struct ip_tree v4, v6;
    size_t size_bytes;
};

struct sorted_records {
    struct ip_record *records; // owned
    uint32_t count, v4_count;
};

static struct ip_record get_record(const struct ip_set_entry *entry) {
    assert(entry->prefix.address.family != IP_FAMILY_NONE);
    assert(entry->prefix.bits <= ip_address_get_width_bits(&entry->prefix.address));
    return (struct ip_record){
        .key = ip_key_of_prefix(&entry->prefix.address, entry->prefix.bits),
        .ends_at_ms = entry->ends_at_ms,
        .id = entry->id,
        .bits = entry->prefix.bits,
        .family = entry->prefix.address.family,
    };
}

static int compare_prefixes(const struct ip_record *a, const struct ip_record *b) {
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int order = ip_key_compare(a->key, b->key);
    return order != 0 ? order : a->bits - b->bits;
}

// Of one prefix the record to keep comes first: it ends last, then has the lowest id.
static int compare_records(const void *left, const void *right) {
    const struct ip_record *a = left, *b = right;
    int order = compare_prefixes(a, b);
    if (order != 0)
        return order;
    if (a->ends_at_ms != b->ends_at_ms)
        return a->ends_at_ms > b->ends_at_ms ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static bool is_sorted(const struct ip_record *records, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (compare_records(&records[i - 1], &records[i]) > 0)
            return false;
    return true;
}

static uint32_t drop_duplicates(struct ip_record *records, size_t count) {
    uint32_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_prefixes(&records[kept - 1], &records[i]) != 0)
            records[kept++] = records[i];
    return kept;
}

static bool sort_entries(const struct ip_set_entry *entries, size_t count,
                         struct sorted_records *ret_sorted) {
    struct ip_record *records = malloc((count + 1) * sizeof(*records)); // one more: never of size 0
    if (!records)
        return false;
    for (size_t i = 0; i < count; i++)
        records[i] = get_record(&entries[i]);
    if (!is_sorted(records, count))
        qsort(records, count, sizeof(*records), compare_records);
    uint32_t kept = drop_duplicates(records, count);
    uint32_t v4_count = 0;
    while (v4_count < kept && records[v4_count].family == IP_FAMILY_V4)
        v4_count++;
    *ret_sorted = (struct sorted_records){.records = records, .count = kept, .v4_count = v4_count};
    return true;
}

static size_t build_trees(const struct sorted_records *sorted, void *block, struct ip_set *ret_set) {
    struct ip_carver carver = {.block = block, .used_bytes = sizeof(struct ip_set)};
    ip_tree_build(&ret_set->v4, sorted->records, sorted->v4_count, &carver);
    ip_tree_build(&ret_set->v6, sorted->records + sorted->v4_count, sorted->count - sorted->v4_count,
                  &carver);
    return carver.used_bytes;
}

// In the arena, or on the heap where that is NULL.
static struct ip_set *new_set(struct arena *arena, const struct ip_set_entry *entries, size_t count) {
    assert(count <= IP_SET_MAX_ENTRIES);
    struct sorted_records sorted;
    if (!sort_entries(entries, count, &sorted))
        return NULL;
    struct ip_set measured;
    size_t size_bytes = build_trees(&sorted, NULL, &measured);
    struct ip_set *set = arena ? arena_allocate(arena, size_bytes) : malloc(size_bytes);
    if (set) {
        build_trees(&sorted, set, set);
        set->size_bytes = size_bytes;
    }
    free(sorted.records);
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
    free(set);
}

static const struct ip_tree *find_tree(const struct ip_set *set, const struct ip_address *address) {
    if (!set || address->family == IP_FAMILY_NONE)
        return NULL;
    return address->family == IP_FAMILY_V4 ? &set->v4 : &set->v6;
}

bool ip_set_contains(const struct ip_set *set, const struct ip_address *address, int64_t now_ms) {
    const struct ip_tree *tree = find_tree(set, address);
    if (!tree)
        return false;
    uint32_t i = ip_tree_find(tree, ip_key_of(address));
    return i != IP_TREE_NONE && ip_tree_is_any_live(tree, i, now_ms);
}

static struct ip_set_entry get_entry(const struct ip_tree *tree, uint32_t i) {
    return (struct ip_set_entry){
        .prefix = {.address = ip_key_get_address(ip_tree_get_key(tree, i), tree->family),
                   .bits = tree->bits[i]},
        .ends_at_ms = tree->ends ? tree->ends[i] : CLOCK_NEVER_MS,
        .id = tree->ids[i],
    };
}

bool ip_set_find(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                 struct ip_set_entry *ret) {
    const struct ip_tree *tree = find_tree(set, address);
    if (!tree)
        return false;
    uint32_t i = ip_tree_find(tree, ip_key_of(address));
    while (i != IP_TREE_NONE && !ip_tree_is_live(tree, i, now_ms))
        i = ip_tree_get_parent(tree, i);
    if (i == IP_TREE_NONE)
        return false;
    *ret = get_entry(tree, i);
    return true;
}

// The live prefix with the most leading bits in common, of those that do not contain the address. In sorted
// order those in common only become fewer with the distance: it is the first live one below or the first live
// one above.
static uint32_t find_neighbour(const struct ip_tree *tree, struct ip_key key, int64_t now_ms) {
    uint32_t above = ip_tree_count_up_to(tree, key);
    uint32_t below = above; // one more than its number
    while (below > 0 && !ip_tree_is_live(tree, below - 1, now_ms))
        below--;
    while (above < tree->count && !ip_tree_is_live(tree, above, now_ms))
        above++;
    if (below == 0)
        return above < tree->count ? above : IP_TREE_NONE;
    if (above == tree->count)
        return below - 1;
    unsigned common_below = ip_key_get_common_bits(key, ip_tree_get_key(tree, below - 1));
    unsigned common_above = ip_key_get_common_bits(key, ip_tree_get_key(tree, above));
    return common_above > common_below ? above : below - 1;
}

bool ip_set_find_nearest(const struct ip_set *set, const struct ip_address *address, int64_t now_ms,
                         struct ip_set_entry *ret) {
    const struct ip_tree *tree = find_tree(set, address);
    if (!tree)
        return false;
    struct ip_key key = ip_key_of(address);
    uint32_t i = ip_tree_find(tree, key);
    if (i != IP_TREE_NONE && ip_tree_is_any_live(tree, i, now_ms))
        return false;
    if (i == IP_TREE_NONE)
        i = find_neighbour(tree, key, now_ms);
    if (i == IP_TREE_NONE)
        return false;
    *ret = get_entry(tree, i);
    return true;
}

size_t ip_set_get_count(const struct ip_set *set) {
    return set ? (size_t)set->v4.count + set->v6.count : 0;
}

size_t ip_set_get_size_bytes(const struct ip_set *set) {
    return set ? set->size_bytes : 0;
}

const char *ip_set_check(const struct ip_set *set) {
    if (!set)
        return NULL;
    const char *broken = ip_tree_check(&set->v4);
    return broken ? broken : ip_tree_check(&set->v6);
}
