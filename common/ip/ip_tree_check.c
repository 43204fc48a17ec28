// The invariants of a tree, each checked another way than the look-up works: by binary search and parents.
#include "common/ip/ip_tree.h"

static const char *check_order(const struct ip_tree *tree) {
    unsigned width = tree->family == IP_FAMILY_V4 ? 32 : 128;
    for (uint32_t i = 0; i < tree->count; i++) {
        struct ip_key key = ip_tree_get_key(tree, i), mask = ip_key_get_mask(tree->bits[i]);
        if (tree->bits[i] > width)
            return "a prefix is wider than its family";
        if ((key.high & ~mask.high) != 0 || (key.low & ~mask.low) != 0)
            return "a prefix has host bits";
        if (i == 0)
            continue;
        int order = ip_key_compare(ip_tree_get_key(tree, i - 1), key);
        if (order > 0 || (order == 0 && tree->bits[i - 1] >= tree->bits[i]))
            return "prefixes are not in order";
    }
    return NULL;
}

static const char *check_parents(const struct ip_tree *tree) {
    for (uint32_t i = 0; i < tree->count; i++) {
        struct ip_key key = ip_tree_get_key(tree, i);
        uint32_t parent = ip_tree_get_parent(tree, i);
        if (parent != IP_TREE_NONE && (parent >= i || !ip_tree_covers(tree, parent, key)))
            return "a parent does not contain its child";
        // Between parent and child stand only siblings, which do not contain the child.
        uint32_t before = i;
        while (before > 0 && before - 1 != parent && i - before < 64)
            if (ip_tree_covers(tree, --before, key))
                return "a prefix has a longer parent than the one it names";
    }
    return NULL;
}

static const char *check_ends(const struct ip_tree *tree) {
    for (uint32_t i = 0; tree->ends && i < tree->count; i++) {
        int64_t latest = tree->ends[i];
        for (uint32_t j = ip_tree_get_parent(tree, i); j != IP_TREE_NONE; j = ip_tree_get_parent(tree, j))
            latest = tree->ends[j] > latest ? tree->ends[j] : latest;
        if (tree->reaches[i] != latest)
            return "the reach of a prefix is not the latest end around it";
    }
    return NULL;
}

// By binary search: the last prefix that begins no later, or one around it.
static uint32_t find_by_order(const struct ip_tree *tree, struct ip_key key) {
    uint32_t i = ip_tree_count_up_to(tree, key);
    i = i == 0 ? IP_TREE_NONE : i - 1;
    while (i != IP_TREE_NONE && !ip_tree_covers(tree, i, key))
        i = ip_tree_get_parent(tree, i);
    return i;
}

// The first and last address of each prefix, and those right outside.
static const char *check_look_up(const struct ip_tree *tree) {
    for (uint32_t i = 0; i < tree->count; i++) {
        struct ip_key first = ip_tree_get_key(tree, i), mask = ip_key_get_mask(tree->bits[i]);
        struct ip_key last = {first.high | ~mask.high, first.low | ~mask.low};
        struct ip_key before = {first.high - (first.low == 0), first.low - 1};
        struct ip_key after = {last.high + (last.low == UINT64_MAX), last.low + 1};
        struct ip_key keys[] = {first, last, before, after};
        for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            if (tree->family == IP_FAMILY_V4)
                keys[k] = (struct ip_key){keys[k].high & ~(uint64_t)UINT32_MAX, 0};
            if (ip_tree_find(tree, keys[k]) != find_by_order(tree, keys[k]))
                return "the trie and the order find different prefixes";
        }
    }
    return NULL;
}

// Every node but the root is the child of one node, every run of leaves belongs to one node.
static const char *check_nodes(const struct ip_tree *tree) {
    uint32_t children = 1, leaves = 0;
    for (uint32_t i = 0; i < tree->radix_size.node_count; i++) {
        const struct radix_node *node = &tree->nodes[i];
        unsigned child_count = radix_count_ones(node->children);
        if ((node->children & node->runs) != 0)
            return "a slot is both a child and a leaf";
        if (child_count > 0 &&
            (node->child_base <= i || node->child_base + child_count > tree->radix_size.node_count))
            return "children stand outside of the nodes";
        for (uint32_t child = node->child_base; child < node->child_base + child_count; child++)
            if (tree->nodes[child].offset < node->offset + 6)
                return "a child looks at bits that its parent has looked at";
        children += child_count;
        leaves += radix_count_ones(node->runs);
    }
    if (tree->nodes && (children != tree->radix_size.node_count || leaves != tree->radix_size.leaf_count))
        return "nodes or leaves belong to nobody";
    for (uint32_t i = 0; i < tree->radix_size.leaf_count; i++)
        if (tree->leaves[i] != RADIX_NONE && (tree->leaves[i] & ~RADIX_UNSEEN) >= tree->count)
            return "a leaf names no prefix";
    return NULL;
}

const char *ip_tree_check(const struct ip_tree *tree) {
    static const char *(*const checks[])(const struct ip_tree *) = {check_order, check_parents, check_ends,
                                                                    check_nodes, check_look_up};
    const char *broken = NULL;
    for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]) && !broken; i++)
        broken = checks[i](tree);
    return broken;
}
