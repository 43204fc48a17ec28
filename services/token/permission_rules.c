#include "services/token/permission_rules.h"

#include <stdlib.h>
#include <string.h>

#include "common/access/permission.h"

static void check_one(struct bytes name, struct bytes description, size_t index, struct fault *fault) {
    if (!permission_is_valid(name))
        fault_add_field(
            fault, fault_path(fault, "permissions[%zu].name", index),
            "type a permission such as charges.create: two or more words of a-z, 0-9 and _ joined by "
            "dots, each beginning with a letter, at most %d bytes",
            PERMISSION_NAME_MAX);
    else if (bytes_has_prefix(name, BYTES_LITERAL("latchkey.")))
        fault_add_field(fault, fault_path(fault, "permissions[%zu].name", index),
                        "leave it out: permissions that begin with latchkey. are always there");
    if (bytes_count_code_points(description) > PERMISSION_DESCRIPTION_MAX)
        fault_add_field(fault, fault_path(fault, "permissions[%zu].description", index),
                        "type at most %d characters", PERMISSION_DESCRIPTION_MAX);
}

// A name and where it stands, so that the second of two alike is the one that is named.
struct place {
    struct bytes name;
    size_t index;
};

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    size_t shorter = left->name.len < right->name.len ? left->name.len : right->name.len;
    int order = shorter > 0 ? memcmp(left->name.data, right->name.data, shorter) : 0;
    if (order == 0)
        order = (left->name.len > right->name.len) - (left->name.len < right->name.len);
    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

static enum status check_repetitions(const struct bytes *names, size_t count, struct arena *arena,
                                     struct fault *fault) {
    struct place *places = ARENA_NEW_ARRAY(arena, struct place, count);
    if (!places)
        return fault_set_no_memory(fault);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){names[i], i};
    qsort(places, count, sizeof(*places), compare_places);
    for (size_t i = 1; i < count; i++)
        if (bytes_is_equal(places[i - 1].name, places[i].name))
            fault_add_field(fault, fault_path(fault, "permissions[%zu].name", places[i].index),
                            "leave it out: the same name stands there before");
    return fault->status;
}

enum status permission_check_catalogue(const struct bytes *names, const struct bytes *descriptions,
                                       size_t count, struct arena *arena, struct fault *fault) {
    if (count > PERMISSIONS_MAX) {
        fault_add_field(fault, "permissions", "type at most %d, not %zu", PERMISSIONS_MAX, count);
        return fault->status;
    }
    for (size_t i = 0; i < count; i++)
        check_one(names[i], descriptions[i], i, fault);
    return check_repetitions(names, count, arena, fault);
}
