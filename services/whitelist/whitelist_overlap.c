#include "services/whitelist/whitelist_overlap.h"

#include <stdlib.h>

#include "common/ip/special.h"

// ---- within one request ----

struct place {
    const struct ip_prefix *prefix;
    uint32_t index;
};

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    int order = ip_prefix_compare(left->prefix, right->prefix);
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

// In the order of prefixes one comes right before those inside it, so the ranges around the present one are
// those of a stack.
bool whitelist_find_holders(const struct ip_prefix *prefixes, size_t count, struct arena *arena,
                            struct whitelist_holder *ret_holders) {
    struct place *places = ARENA_NEW_ARRAY(arena, struct place, count);
    const struct ip_prefix **around = ARENA_NEW_ARRAY(arena, const struct ip_prefix *, count);
    size_t depth = 0;
    if (!places || !around)
        return false;
    for (uint32_t i = 0; i < count; i++)
        places[i] = (struct place){&prefixes[i], i};
    qsort(places, count, sizeof(*places), compare_places);

    for (size_t i = 0; i < count; i++) {
        while (depth > 0 && !ip_prefix_contains_prefix(around[depth - 1], places[i].prefix))
            depth--;
        if (depth > 0)
            ret_holders[places[i].index] =
                (struct whitelist_holder){.is_known = true, .prefix = *around[depth - 1]};
        around[depth++] = places[i].prefix;
    }
    return true;
}

// ---- in words ----

struct list {
    struct whitelist_warning *warnings;
    size_t count;
};

static void add(struct list *list, const struct whitelist_warning *warning) {
    if (list->count < WHITELIST_WARNINGS_MAX)
        list->warnings[list->count++] = *warning;
}

static const struct whitelist_holder *choose_holder(const struct whitelist_holder *listed,
                                                    const struct whitelist_holder *requested) {
    if (!listed->is_known)
        return requested;
    return requested->is_known && requested->prefix.bits > listed->prefix.bits ? requested : listed;
}

static bool add_overlap(struct list *list, uint32_t index, const struct ip_prefix *prefix,
                        const struct whitelist_holder *other, struct arena *arena) {
    if (!other->is_known)
        return true;
    bool is_same = other->prefix.bits == prefix->bits;
    char text[IP_PREFIX_TEXT_MAX + 1];
    ip_prefix_format(&other->prefix, text);
    const char *where = uuid_is_zero(other->entry_id) ? "this request" : "the list";
    const char *detail = is_same ? arena_format(arena, "%s is in %s already", text, where)
                                 : arena_format(arena, "it lies inside %s, which is in %s", text, where);
    add(list,
        &(struct whitelist_warning){.index = index,
                                    .kind = is_same ? WHITELIST_WARNING_DUPLICATE : WHITELIST_WARNING_INSIDE,
                                    .other = *other,
                                    .detail = detail});
    return detail != NULL;
}

static void add_special(struct list *list, uint32_t index, const struct ip_prefix *prefix) {
    enum ip_special special = ip_prefix_get_special(prefix);
    if (special != IP_SPECIAL_NONE)
        add(list, &(struct whitelist_warning){.index = index,
                                              .kind = WHITELIST_WARNING_TRANSLATED,
                                              .detail = ip_special_get_text(special)});
}

bool whitelist_list_warnings(const struct ip_prefix *prefixes, size_t count,
                             const struct whitelist_holder *listed, const struct whitelist_holder *requested,
                             struct arena *arena, struct whitelist_warning **ret_warnings,
                             size_t *ret_count) {
    struct list list = {.warnings = ARENA_NEW_ARRAY(arena, struct whitelist_warning, WHITELIST_WARNINGS_MAX)};
    if (!list.warnings)
        return false;
    for (uint32_t i = 0; i < count && list.count < WHITELIST_WARNINGS_MAX; i++) {
        if (!add_overlap(&list, i, &prefixes[i], choose_holder(&listed[i], &requested[i]), arena))
            return false;
        add_special(&list, i, &prefixes[i]);
    }
    *ret_warnings = list.warnings;
    *ret_count = list.count;
    return true;
}
