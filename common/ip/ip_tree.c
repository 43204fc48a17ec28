// Layout and look-up of one family's prefixes.
#include "common/ip/ip_tree.h"

#include "common/base/clock.h"

static bool has_nesting(const struct ip_record *records, uint32_t count) {
    // Sorted: the first prefix inside another comes right behind it.
    for (uint32_t i = 1; i < count; i++)
        if (ip_key_is_within(records[i].key, records[i - 1].key, records[i - 1].bits))
            return true;
    return false;
}

static bool has_end(const struct ip_record *records, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (records[i].ends_at_ms != CLOCK_NEVER_MS)
            return true;
    return false;
}

// Aligned to the size of an element. Without a block the padding is taken at its most.
static void *carve(struct ip_carver *carver, size_t count, size_t element_size) {
    if (!carver->block) {
        carver->used_bytes += element_size - 1 + count * element_size;
        return NULL;
    }
    uintptr_t address = (uintptr_t)(carver->block + carver->used_bytes);
    carver->used_bytes += (element_size - address % element_size) % element_size;
    void *piece = carver->block + carver->used_bytes;
    carver->used_bytes += count * element_size;
    return piece;
}

#define CARVE(carver, array, count) ((array) = carve((carver), (count), sizeof(*(array))))

// What a flat look-up reads comes first, together.
static void lay_out(struct ip_tree *tree, const struct ip_record *records, struct ip_carver *carver) {
    uint32_t count = tree->count;
    if (tree->family == IP_FAMILY_V4)
        CARVE(carver, tree->narrow_keys, count);
    else
        CARVE(carver, tree->wide_keys, count);
    CARVE(carver, tree->bits, count);
    if (has_end(records, count)) {
        CARVE(carver, tree->reaches, count);
        CARVE(carver, tree->ends, count);
    }
    if (has_nesting(records, count))
        CARVE(carver, tree->parents, count);
    CARVE(carver, tree->ids, count);
    if (count > IP_TREE_FLAT_MAX) {
        tree->radix_size = radix_measure(records, count);
        CARVE(carver, tree->nodes, tree->radix_size.node_count);
        CARVE(carver, tree->leaves, tree->radix_size.leaf_count);
    }
}

// The parent is the prefix before, or one around that. Each is left behind once: linear over all.
static uint32_t find_parent(const struct ip_tree *tree, uint32_t i) {
    uint32_t parent = i == 0 ? IP_TREE_NONE : i - 1;
    while (parent != IP_TREE_NONE && !ip_tree_covers(tree, parent, ip_tree_get_key(tree, i)))
        parent = tree->parents[parent];
    return parent;
}

// Parents come before their children, so that their reach is known.
static int64_t get_reach(const struct ip_tree *tree, uint32_t i) {
    uint32_t parent = ip_tree_get_parent(tree, i);
    bool is_outlived = parent != IP_TREE_NONE && tree->reaches[parent] > tree->ends[i];
    return is_outlived ? tree->reaches[parent] : tree->ends[i];
}

static void fill(struct ip_tree *tree, const struct ip_record *records) {
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->wide_keys)
            tree->wide_keys[i] = records[i].key;
        else
            tree->narrow_keys[i] = (uint32_t)(records[i].key.high >> 32);
        tree->bits[i] = records[i].bits;
        tree->ids[i] = records[i].id;
        if (tree->parents)
            tree->parents[i] = find_parent(tree, i);
        if (tree->ends) {
            tree->ends[i] = records[i].ends_at_ms;
            tree->reaches[i] = get_reach(tree, i);
        }
    }
    if (tree->nodes)
        radix_build(records, tree->count, tree->nodes, tree->leaves);
}

void ip_tree_build(struct ip_tree *tree, const struct ip_record *records, uint32_t count,
                   struct ip_carver *carver) {
    *tree = (struct ip_tree){.count = count};
    if (count == 0)
        return;
    tree->family = records[0].family;
    lay_out(tree, records, carver);
    if (carver->block)
        fill(tree, records);
}

static uint32_t find_flat_narrow(const struct ip_tree *tree, uint32_t address) {
    uint32_t found = IP_TREE_NONE;
    for (uint32_t i = 0; i < tree->count; i++) {
        uint64_t difference = address ^ tree->narrow_keys[i];
        found = difference >> (32 - tree->bits[i]) == 0 ? i : found;
    }
    return found;
}

static uint32_t find_flat_wide(const struct ip_tree *tree, struct ip_key key) {
    uint32_t found = IP_TREE_NONE;
    for (uint32_t i = 0; i < tree->count; i++)
        found = ip_key_is_within(key, tree->wide_keys[i], tree->bits[i]) ? i : found;
    return found;
}

static uint32_t find_in_radix(const struct ip_tree *tree, struct ip_key key) {
    uint32_t leaf = radix_find(tree->nodes, tree->leaves, key);
    if (!(leaf & RADIX_UNSEEN))
        return leaf;
    uint32_t i = leaf & ~RADIX_UNSEEN;
    while (i != IP_TREE_NONE && !ip_tree_covers(tree, i, key))
        i = ip_tree_get_parent(tree, i);
    return i;
}

uint32_t ip_tree_find(const struct ip_tree *tree, struct ip_key key) {
    if (tree->nodes)
        return find_in_radix(tree, key);
    return tree->wide_keys ? find_flat_wide(tree, key) : find_flat_narrow(tree, (uint32_t)(key.high >> 32));
}

uint32_t ip_tree_count_up_to(const struct ip_tree *tree, struct ip_key key) {
    uint32_t low = 0, high = tree->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ip_key_compare(ip_tree_get_key(tree, middle), key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
