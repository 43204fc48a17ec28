#include "common/ip/prefix_list.h"

#include <stdlib.h>

void prefix_list_parse(char *const *texts, size_t count, int64_t max, const char *field, struct arena *arena,
                       struct fault *fault, struct prefix_list *ret_list) {
    *ret_list = (struct prefix_list){0};
    if (count > (size_t)max) {
        fault_add_field(fault, field, "type at most %lld, not %zu", (long long)max, count);
        return;
    }
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, count);
    if (!prefixes) {
        fault_set_no_memory(fault);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        enum ip_parse_result result = ip_prefix_parse(bytes_of_text(texts[i]), &prefixes[i]);
        if (result != IP_PARSE_OK)
            fault_add_field(fault, fault_path(fault, "%s[%zu]", field, i), "%s",
                            ip_parse_result_get_text(result));
    }
    *ret_list = (struct prefix_list){prefixes, count};
}

char **prefix_list_format(const struct prefix_list *list, struct arena *arena) {
    char **texts = ARENA_NEW_ARRAY(arena, char *, list->count);
    for (size_t i = 0; texts && i < list->count; i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&list->prefixes[i], text);
        texts[i] = arena_copy_text(arena, text);
        if (!texts[i])
            return NULL;
    }
    return texts;
}

bool prefix_list_admits(const struct prefix_list *list, const struct ip_address *address) {
    for (size_t i = 0; i < list->count; i++)
        if (ip_prefix_contains_address(&list->prefixes[i], address))
            return true;
    return list->count == 0;
}

// ---- one within another ----

static int compare(const void *a, const void *b) {
    return ip_prefix_compare(a, b);
}

static enum status sort(const struct prefix_list *list, struct arena *arena, struct prefix_list *ret_sorted) {
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, list->count);
    if (!prefixes)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        prefixes[i] = list->prefixes[i];
    qsort(prefixes, list->count, sizeof(prefixes[0]), compare);
    *ret_sorted = (struct prefix_list){prefixes, list->count};
    return STATUS_OK;
}

// Both in order: what holds a prefix comes before it, and between the two comes only what it holds too.
static bool is_within(const struct prefix_list *list, const struct prefix_list *outer) {
    const struct ip_prefix *holder = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct ip_prefix *prefix = &list->prefixes[i];
        for (; seen < outer->count && ip_prefix_compare(&outer->prefixes[seen], prefix) <= 0; seen++)
            if (!holder || !ip_prefix_contains_prefix(holder, &outer->prefixes[seen]))
                holder = &outer->prefixes[seen];
        if (!holder || !ip_prefix_contains_prefix(holder, prefix))
            return false;
    }
    return true;
}

enum status prefix_list_compare_reach(const struct prefix_list *list, const struct prefix_list *outer,
                                      struct arena *arena, bool *ret_is_within) {
    struct prefix_list sorted, outer_sorted;
    *ret_is_within = outer->count == 0;
    if (outer->count == 0 || list->count == 0)
        return STATUS_OK;
    if (sort(list, arena, &sorted) != STATUS_OK || sort(outer, arena, &outer_sorted) != STATUS_OK)
        return STATUS_NO_MEMORY;
    *ret_is_within = is_within(&sorted, &outer_sorted);
    return STATUS_OK;
}
