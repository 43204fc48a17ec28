#include "common/ip/prefix_list.h"

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
