#include "services/validator/change_set.h"

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
    // Companies and their whitelists are known by the company's id, and lists are read as a whole: what the
    // objects are does not matter.
    if (kind->objects == CHANGE_LISTS_OF)
        add(set, CHANGE_LISTS, &change->list_id, 1);
    if (kind->objects == kind->all || !change->objects)
        add(set, kind->all, &change->company_id, 1);
    else
        add(set, kind->objects, change->objects, change->object_count);
    return STATUS_OK;
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct uuid));
}

static void make_unique(struct buffer *ids) {
    struct uuid *all = (void *)ids->data;
    size_t count = ids->len / sizeof(*all), kept = 0;
    if (count < 2)
        return;
    qsort(all, count, sizeof(*all), compare);
    for (size_t i = 1; i < count; i++)
        if (!uuid_is_equal(all[i], all[kept]))
            all[++kept] = all[i];
    ids->len = (kept + 1) * sizeof(*all);
}

enum status change_set_finish(struct change_set *set) {
    for (size_t i = 0; i < CHANGE_SCOPES; i++) {
        if (set->ids[i].failed)
            return STATUS_NO_MEMORY;
        make_unique(&set->ids[i]);
    }
    return STATUS_OK;
}

const struct uuid *change_set_get_ids(const struct change_set *set, enum change_scope scope,
                                      size_t *ret_count) {
    *ret_count = set->ids[scope].len / sizeof(struct uuid);
    return (const void *)set->ids[scope].data;
}

bool change_set_has(const struct change_set *set, enum change_scope scope, const struct uuid *id) {
    size_t count;
    const struct uuid *ids = change_set_get_ids(set, scope, &count);
    return count > 0 && bsearch(id, ids, count, sizeof(*ids), compare) != NULL;
}
