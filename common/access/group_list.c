#include "common/access/group_list.h"

#include "common/access/grant_list.h"

// What is told of a long list.
enum { NAMED_MAX = 20 };

bool group_list_pick(const struct bytes *grants, size_t count, struct arena *arena,
                     struct group_list *ret_list) {
    struct group_list list = {.groups = ARENA_NEW_ARRAY(arena, struct bytes, count)};
    if (!list.groups)
        return false;
    for (size_t i = 0; i < count; i++)
        if (permission_is_group(grants[i]))
            list.groups[list.count++] = grants[i];
    *ret_list = list;
    return true;
}

// Without the star, so that what it ends with is the border of a part.
static bool is_around(struct bytes outer, struct bytes inner) {
    return bytes_has_prefix(inner, bytes_of(outer.data, outer.len - 1));
}

bool group_list_has(const struct group_list *list, struct bytes group) {
    for (size_t i = 0; i < list->count; i++)
        if (is_around(list->groups[i], group))
            return true;
    return false;
}

static bool has_all(const struct group_list *list, const struct group_list *others) {
    for (size_t i = 0; i < others->count; i++)
        if (!group_list_has(list, others->groups[i]))
            return false;
    return true;
}

// A list that was read again is nearly always the same text by text: an administrator's has a group for every
// resource, too many to look for each in all.
bool group_list_is_equal(const struct group_list *a, const struct group_list *b) {
    return bytes_list_is_equal(a->groups, a->count, b->groups, b->count) || (has_all(a, b) && has_all(b, a));
}

bool group_list_intersect(const struct group_list *a, const struct group_list *b, struct arena *arena,
                          struct group_list *ret_list) {
    struct group_list list = {.groups = ARENA_NEW_ARRAY(arena, struct bytes, a->count + b->count)};
    if (!list.groups)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (group_list_has(b, a->groups[i]))
            list.groups[list.count++] = a->groups[i];
    for (size_t i = 0; i < b->count; i++)
        if (group_list_has(a, b->groups[i]) && !group_list_has(&list, b->groups[i]))
            list.groups[list.count++] = b->groups[i];
    *ret_list = list;
    return true;
}

bool group_list_unite(struct group_list *list, const struct group_list *others, struct arena *arena) {
    struct group_list both = {.groups = ARENA_NEW_ARRAY(arena, struct bytes, list->count + others->count)};
    if (!both.groups)
        return false;
    for (size_t i = 0; i < list->count; i++)
        both.groups[both.count++] = list->groups[i];
    for (size_t i = 0; i < others->count; i++)
        if (!group_list_has(list, others->groups[i]))
            both.groups[both.count++] = others->groups[i];
    *list = both;
    return true;
}

// All names of the set, as a sentence has them.
static const char *describe_set(const struct permission_catalogue *catalogue,
                                const struct permission_set *set, struct arena *arena, struct fault *fault) {
    const char *names = grant_list_describe_excess(catalogue, set, NULL, arena, fault);
    return names ? names : "";
}

const char *group_list_describe_excess(const struct permission_catalogue *catalogue,
                                       const struct group_list *wanted, const struct group_list *held,
                                       struct arena *arena, struct fault *fault, const char **ret_names) {
    struct permission_set *covered =
        permission_set_new_in_arena(arena, permission_catalogue_get_limit(catalogue));
    size_t excess = 0;
    const char *text = NULL;
    for (size_t i = 0; covered && i < wanted->count; i++) {
        struct bytes group = wanted->groups[i];
        if (group_list_has(held, group) || ++excess > NAMED_MAX + 1)
            continue;
        bool covers_any = permission_catalogue_expand(catalogue, group, covered);
        (void)covers_any; // what the catalogue has lost may come back
        struct bytes name = excess > NAMED_MAX ? BYTES_LITERAL("more") : group;
        text = arena_format(arena, "%s%s%.*s", text ? text : "", text ? ", " : "", BYTES_FORMAT(name));
        if (!text)
            break;
    }
    if (!covered || (excess > 0 && !text)) {
        fault_set_no_memory(fault);
        return NULL;
    }
    if (text)
        *ret_names = describe_set(catalogue, covered, arena, fault);
    return text;
}
