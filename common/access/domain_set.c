// Patterns sorted by name; a question is one binary search for the whole name and one for what stands behind
// each dot.
#include "common/access/domain_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/access/domain.h"
#include "common/base/multiply_fold.h"

struct item {
    const char *text; // the pattern, "*." included
    uint8_t len;
    bool is_wildcard;
};

struct domain_set {
    size_t count;
    size_t size_bytes;
    struct item items[]; // then the texts
};

// Without "*.".
static struct bytes get_name(const struct item *item) {
    return item->is_wildcard ? bytes_of(item->text + 2, item->len - 2u) : bytes_of(item->text, item->len);
}

static int compare_bytes(struct bytes a, struct bytes b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_items(const void *left, const void *right) {
    const struct item *a = left, *b = right;
    int order = compare_bytes(get_name(a), get_name(b));
    return order != 0 ? order : a->is_wildcard - b->is_wildcard;
}

static bool is_usable(struct bytes pattern) {
    return pattern.len > 0 && pattern.len <= DOMAIN_PATTERN_TEXT_MAX;
}

static size_t measure(const struct bytes *patterns, size_t count) {
    size_t size_bytes = sizeof(struct domain_set) + count * sizeof(struct item);
    for (size_t i = 0; i < count; i++)
        size_bytes += is_usable(patterns[i]) ? patterns[i].len : 0;
    return size_bytes;
}

static void fill(struct domain_set *set, const struct bytes *patterns, size_t count, size_t size_bytes) {
    *set = (struct domain_set){.size_bytes = size_bytes};
    char *text = (char *)(set->items + count);
    for (size_t i = 0; i < count; i++) {
        if (!is_usable(patterns[i]))
            continue;
        memcpy(text, patterns[i].data, patterns[i].len);
        set->items[set->count++] = (struct item){
            .text = text,
            .len = (uint8_t)patterns[i].len,
            .is_wildcard = bytes_has_prefix(patterns[i], BYTES_LITERAL("*.")),
        };
        text += patterns[i].len;
    }
    qsort(set->items, set->count, sizeof(set->items[0]), compare_items);
}

struct domain_set *domain_set_new(const struct bytes *patterns, size_t count) {
    size_t size_bytes = measure(patterns, count);
    struct domain_set *set = malloc(size_bytes);
    if (set)
        fill(set, patterns, count, size_bytes);
    return set;
}

struct domain_set *domain_set_new_in_arena(struct arena *arena, const struct bytes *patterns, size_t count) {
    assert(arena);
    size_t size_bytes = measure(patterns, count);
    struct domain_set *set = arena_allocate(arena, size_bytes);
    if (set)
        fill(set, patterns, count, size_bytes);
    return set;
}

void domain_set_free(struct domain_set *set) {
    free(set);
}

static struct bytes get_text(const struct item *item) {
    return bytes_of(item->text, item->len);
}

static struct bytes search(const struct domain_set *set, struct bytes name, bool is_wildcard) {
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_bytes(get_name(&set->items[middle]), name);
        if (order == 0)
            order = set->items[middle].is_wildcard - is_wildcard;
        if (order == 0)
            return get_text(&set->items[middle]);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return BYTES_EMPTY;
}

struct bytes domain_set_find(const struct domain_set *set, struct bytes name) {
    if (!set || name.len == 0)
        return BYTES_EMPTY;
    struct bytes found = search(set, name, false);
    bytes_split(&name, '.');
    while (found.len == 0 && name.len > 0) {
        found = search(set, name, true);
        bytes_split(&name, '.');
    }
    return found;
}

// Labels from the right that are equal.
static size_t count_common_labels(struct bytes a, struct bytes b) {
    size_t labels = 0;
    for (size_t i = 1; i <= a.len && i <= b.len && a.data[a.len - i] == b.data[b.len - i]; i++) {
        bool a_begins = i == a.len || a.data[a.len - i - 1] == '.';
        bool b_begins = i == b.len || b.data[b.len - i - 1] == '.';
        labels += a_begins && b_begins && a.data[a.len - i] != '.';
    }
    return labels;
}

struct bytes domain_set_find_nearest(const struct domain_set *set, struct bytes name) {
    struct bytes nearest = BYTES_EMPTY;
    size_t most = 0;
    for (size_t i = 0; set && i < set->count; i++) {
        size_t labels = count_common_labels(get_name(&set->items[i]), name);
        if (labels > most) {
            most = labels;
            nearest = get_text(&set->items[i]);
        }
    }
    return nearest;
}

bool domain_set_is_equal(const struct domain_set *a, const struct domain_set *b) {
    if (!a || !b || a->count != b->count)
        return a == b;
    for (size_t i = 0; i < a->count; i++)
        if (!bytes_is_equal(get_text(&a->items[i]), get_text(&b->items[i])))
            return false;
    return true;
}

uint64_t domain_set_get_hash(const struct domain_set *set, const uint64_t keys[2]) {
    uint64_t hash = keys[0];
    for (size_t i = 0; set && i < set->count; i++)
        hash = multiply_fold(hash ^ multiply_fold_bytes(get_text(&set->items[i]), keys), keys[1]);
    return hash;
}

void domain_set_copy_patterns(const struct domain_set *set, struct bytes *ret_patterns) {
    for (size_t i = 0; i < set->count; i++)
        ret_patterns[i] = get_text(&set->items[i]);
}

size_t domain_set_get_count(const struct domain_set *set) {
    return set ? set->count : 0;
}

size_t domain_set_get_size_bytes(const struct domain_set *set) {
    return set ? set->size_bytes : 0;
}
