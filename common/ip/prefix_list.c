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

bool prefix_list_is_equal(const struct prefix_list *a, const struct prefix_list *b) {
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (ip_prefix_compare(&a->prefixes[i], &b->prefixes[i]) != 0)
            return false;
    return a->count == b->count;
}

// ---- one within another ----

static int compare(const void *a, const void *b) {
    return ip_prefix_compare(a, b);
}

static bool are_halves(const struct ip_prefix *lower, const struct ip_prefix *upper) {
    if (lower->bits != upper->bits || lower->bits == 0 || ip_prefix_compare(lower, upper) == 0)
        return false;
    struct ip_prefix whole = ip_prefix_of(&lower->address, lower->bits - 1u);
    return ip_prefix_contains_prefix(&whole, upper);
}

// Of prefixes in order the next one: what is around it is the last that was kept, and so is its other half.
static void keep(struct prefix_list *reduced, const struct ip_prefix *prefix) {
    struct ip_prefix *last = reduced->prefixes + reduced->count;
    if (reduced->count > 0 && ip_prefix_contains_prefix(&last[-1], prefix))
        return;
    *last = *prefix;
    reduced->count++;
    for (; reduced->count > 1 && are_halves(&last[-1], last); last--, reduced->count--)
        last[-1] = ip_prefix_of(&last[-1].address, last[-1].bits - 1u);
}

enum status prefix_list_reduce(const struct prefix_list *list, struct arena *arena,
                               struct prefix_list *ret_reduced) {
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, list->count);
    if (!prefixes)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        prefixes[i] = list->prefixes[i];
    qsort(prefixes, list->count, sizeof(prefixes[0]), compare);
    struct prefix_list reduced = {prefixes, 0}; // in place: it never has more than were read
    for (size_t i = 0; i < list->count; i++)
        keep(&reduced, &(struct ip_prefix){prefixes[i].address, prefixes[i].bits});
    *ret_reduced = reduced;
    return STATUS_OK;
}

bool prefix_list_covers(const struct prefix_list *reduced, const struct ip_prefix *prefix) {
    size_t first = 0, end = reduced->count; // those from `end` on come behind it
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (ip_prefix_compare(&reduced->prefixes[middle], prefix) <= 0)
            first = middle + 1;
        else
            end = middle;
    }
    return reduced->count == 0 || (end > 0 && ip_prefix_contains_prefix(&reduced->prefixes[end - 1], prefix));
}

enum status prefix_list_compare_reach(const struct prefix_list *list, const struct prefix_list *outer,
                                      struct arena *arena, bool *ret_is_within) {
    struct prefix_list reduced;
    if (prefix_list_reduce(outer, arena, &reduced) != STATUS_OK)
        return STATUS_NO_MEMORY;
    bool is_within = list->count > 0 || outer->count == 0;
    for (size_t i = 0; is_within && i < list->count; i++)
        is_within = prefix_list_covers(&reduced, &list->prefixes[i]);
    *ret_is_within = is_within;
    return STATUS_OK;
}
