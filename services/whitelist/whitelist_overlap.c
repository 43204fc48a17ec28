#include "services/whitelist/whitelist_overlap.h"

#include <stdlib.h>

#include "common/ip/special.h"

// ---- who holds whom ----

// A range in the order of all, with the holder that it is for others (NULL = none) and what it looks for.
struct place {
    const struct ip_prefix *prefix;
    const struct whitelist_holder *holder;
    struct whitelist_holder *ret_holder; // NULL = nothing
    size_t rank;                         // among equals
};

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    int order = ip_prefix_compare(left->prefix, right->prefix);
    return order ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

// In the order of prefixes one comes right before those inside it, so the holders around the present range
// are those of a stack.
static bool walk(struct place *places, size_t count, struct arena *arena) {
    const struct whitelist_holder **around = ARENA_NEW_ARRAY(arena, const struct whitelist_holder *, count);
    size_t depth = 0;
    if (!around)
        return false;
    qsort(places, count, sizeof(*places), compare_places);
    for (size_t i = 0; i < count; i++) {
        while (depth > 0 && !ip_prefix_contains_prefix(&around[depth - 1]->prefix, places[i].prefix))
            depth--;
        if (depth > 0 && places[i].ret_holder)
            *places[i].ret_holder = *around[depth - 1];
        if (places[i].holder)
            around[depth++] = places[i].holder;
    }
    return true;
}

bool whitelist_find_holders(const struct ip_prefix *prefixes, size_t count, struct arena *arena,
                            struct whitelist_holder *ret_holders) {
    struct place *places = ARENA_NEW_ARRAY(arena, struct place, count);
    struct whitelist_holder *holders = ARENA_NEW_ARRAY(arena, struct whitelist_holder, count);
    if (!places || !holders)
        return false;
    for (size_t i = 0; i < count; i++) {
        holders[i] = (struct whitelist_holder){.is_known = true, .prefix = prefixes[i]};
        places[i] = (struct place){&prefixes[i], &holders[i], &ret_holders[i], i};
    }
    return walk(places, count, arena);
}

bool whitelist_assign_holders(const struct ip_prefix *prefixes, size_t count,
                              const struct whitelist_holder *listed, size_t listed_count, struct arena *arena,
                              struct whitelist_holder *ret_holders) {
    struct place *places = ARENA_NEW_ARRAY(arena, struct place, count + listed_count);
    if (!places)
        return false;
    for (size_t i = 0; i < listed_count; i++)
        places[i] = (struct place){&listed[i].prefix, &listed[i], NULL, i};
    for (size_t i = 0; i < count; i++)
        places[listed_count + i] = (struct place){&prefixes[i], NULL, &ret_holders[i], listed_count + i};
    return walk(places, count + listed_count, arena);
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
    const char *detail = is_same ? arena_format(arena, "added once more: %s was in %s already", text, where)
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
