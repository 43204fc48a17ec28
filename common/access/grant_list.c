#include "common/access/grant_list.h"

// What is told of a long list.
enum { NAMED_MAX = 20 };

static void refuse_unknown(const char *grant, const char *field, const struct permission_catalogue *catalogue,
                           struct fault *fault) {
    const char *nearest = permission_catalogue_find_nearest(catalogue, bytes_of_text(grant));
    if (!permission_grant_is_valid(bytes_of_text(grant)))
        fault_add_field(fault, field,
                        "type a permission such as charges.create, or a group such as "
                        "charges.*%s%s",
                        nearest ? "; the nearest that there is: " : "", nearest ? nearest : "");
    else if (nearest)
        fault_add_field(fault, field, "there is no permission %s; did you mean %s?", grant, nearest);
    else
        fault_add_field(fault, field, "there is no permission %s; ListPermissions names them all", grant);
}

void grant_list_parse(char *const *texts, size_t count, const struct grant_list_terms *terms,
                      struct arena *arena, struct fault *fault, struct grant_list *ret_list) {
    *ret_list = (struct grant_list){0};
    if (count > (size_t)terms->max) {
        fault_add_field(fault, terms->field, "type at most %lld, not %zu", (long long)terms->max, count);
        return;
    }
    struct permission_set *covered =
        permission_set_new_in_arena(arena, permission_catalogue_get_limit(terms->catalogue));
    struct bytes *grants = ARENA_NEW_ARRAY(arena, struct bytes, count);
    if (!covered || !grants) {
        fault_set_no_memory(fault);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        grants[i] = bytes_of_text(texts[i]);
        if (!permission_catalogue_expand(terms->catalogue, grants[i], covered))
            refuse_unknown(texts[i], fault_path(fault, "%s[%zu]", terms->field, i), terms->catalogue, fault);
    }
    *ret_list = (struct grant_list){grants, count, covered};
}

const char *grant_list_describe_excess(const struct permission_catalogue *catalogue,
                                       const struct permission_set *wanted, const struct permission_set *held,
                                       struct arena *arena, struct fault *fault) {
    const struct bytes *names;
    size_t count, excess = 0;
    const char *text = NULL;
    if (!permission_catalogue_list(catalogue, wanted, arena, &names, &count)) {
        fault_set_no_memory(fault);
        return NULL;
    }
    for (size_t i = 0; i < count && excess <= NAMED_MAX; i++) {
        if (permission_set_has(held, permission_catalogue_find_id(catalogue, names[i])))
            continue;
        const char *name = ++excess > NAMED_MAX ? "more" : (const char *)names[i].data;
        text = text ? arena_format(arena, "%s, %s", text, name) : arena_format(arena, "%s", name);
        if (!text) {
            fault_set_no_memory(fault);
            return NULL;
        }
    }
    return text;
}
