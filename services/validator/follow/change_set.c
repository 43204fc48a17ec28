#include "services/validator/follow/change_set.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/compiler.h"

// A kind names objects, or everything that a company has of it.
static const struct kind {
    const char *name;
    enum change_scope objects, all;
} kinds[] = {
    {"company", CHANGE_COMPANIES, CHANGE_COMPANIES},
    {"whitelist", CHANGE_WHITELISTS, CHANGE_WHITELISTS},
    {"whitelist_entry", CHANGE_LISTS_OF, CHANGE_LISTS_OF},
    {"role", CHANGE_ROLES, CHANGE_ROLES_OF},
    {"member", CHANGE_MEMBERS, CHANGE_MEMBERS_OF},
    {"token", CHANGE_TOKENS, CHANGE_TOKENS_OF},
};

static const struct kind *find_kind(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (bytes_is_text(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static void add(struct change_set *set, enum change_scope scope, const struct uuid *ids, size_t count) {
    buffer_append(&set->ids[scope], bytes_of(ids, count * sizeof(*ids)));
}

void change_set_fini(struct change_set *set) {
    for (size_t i = 0; i < CHANGE_SCOPES; i++)
        buffer_fini(&set->ids[i]);
    buffer_fini(&set->prefixes);
}

// Where the log does not name prefixes, all of the list is meant. And the settings, so that the pointer and
// what it points to are of one moment: the pointer may have moved by a change that is not read yet.
static void add_to_list(struct change_set *set, const struct change *change) {
    add(set, CHANGE_WHITELISTS, &change->company_id, 1);
    if (!change->prefixes)
        add(set, CHANGE_LISTS, &change->list_id, 1);
    for (size_t i = 0; change->prefixes && i < change->prefix_count; i++) {
        const struct changed_prefix changed = {change->list_id, change->prefixes[i]};
        buffer_append(&set->prefixes, bytes_of(&changed, sizeof(changed)));
    }
}

enum status change_set_add(struct change_set *set, const struct change *change) {
    if (bytes_is_text(change->kind, "permission")) {
        set->has_catalogue = true;
        return STATUS_OK;
    }
    if (bytes_is_text(change->kind, "origin"))
        return STATUS_OK;
    const struct kind *kind = find_kind(change->kind);
    if (!kind)
        return STATUS_INVALID;
    // Companies and their whitelists are known by the company's id, and entries by their prefixes: what the
    // objects are does not matter.
    if (kind->objects == CHANGE_LISTS_OF)
        add_to_list(set, change);
    if (kind->objects == kind->all || !change->objects)
        add(set, kind->all, &change->company_id, 1);
    else
        add(set, kind->objects, change->objects, change->object_count);
    return STATUS_OK;
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct uuid));
}

static int compare_prefixes(const void *left, const void *right) {
    const struct changed_prefix *a = left, *b = right;
    int order = compare(&a->list_id, &b->list_id);
    return order != 0 ? order : ip_prefix_compare(&a->prefix, &b->prefix);
}

// Of `size` bytes each.
static void make_unique(struct buffer *elements, size_t size, int (*order)(const void *, const void *)) {
    uint8_t *all = elements->data;
    size_t count = elements->len / size, kept = 0;
    if (count < 2)
        return;
    qsort(all, count, size, order);
    for (size_t i = 1; i < count; i++)
        if (order(all + i * size, all + kept * size) != 0)
            memmove(all + ++kept * size, all + i * size, size);
    elements->len = (kept + 1) * size;
}

enum status change_set_finish(struct change_set *set) {
    for (size_t i = 0; i < CHANGE_SCOPES; i++) {
        if (set->ids[i].failed)
            return STATUS_NO_MEMORY;
        make_unique(&set->ids[i], sizeof(struct uuid), compare);
    }
    if (set->prefixes.failed)
        return STATUS_NO_MEMORY;
    make_unique(&set->prefixes, sizeof(struct changed_prefix), compare_prefixes);
    return STATUS_OK;
}

const struct uuid *change_set_get_ids(const struct change_set *set, enum change_scope scope,
                                      size_t *ret_count) {
    *ret_count = set->ids[scope].len / sizeof(struct uuid);
    return (const void *)set->ids[scope].data;
}

// How many stand before the first one of the list, or with `is_behind` before what follows its last one.
static size_t find_bound(const struct change_set *set, const struct uuid *list_id, bool is_behind) {
    const struct changed_prefix *all = (const void *)set->prefixes.data;
    size_t low = 0, high = set->prefixes.len / sizeof(*all);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&all[middle].list_id, list_id) < (is_behind ? 1 : 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct changed_prefix *change_set_get_prefixes(const struct change_set *set, const struct uuid *list_id,
                                                     size_t *ret_count) {
    size_t first = find_bound(set, list_id, false);
    *ret_count = find_bound(set, list_id, true) - first;
    return *ret_count > 0 ? (const struct changed_prefix *)(const void *)set->prefixes.data + first : NULL;
}

bool change_set_has(const struct change_set *set, enum change_scope scope, const struct uuid *id) {
    size_t count;
    const struct uuid *ids = change_set_get_ids(set, scope, &count);
    return count > 0 && bsearch(id, ids, count, sizeof(*ids), compare) != NULL;
}
