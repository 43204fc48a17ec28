#include "common/protobuf/update_mask.h"

#include <assert.h>
#include <string.h>

// "address, note, owner"; "" when out of memory, which the fault then says.
static const char *list_fields(const char *const *fields, size_t count, struct fault *fault) {
    const char *list = fields[0];
    for (size_t i = 1; i < count; i++)
        list = fault_path(fault, "%s, %s", list, fields[i]);
    return list;
}

static uint32_t find_bit(const char *path, const char *const *fields, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(path, fields[i]) == 0)
            return UPDATE_MASK_BIT(i);
    return 0;
}

uint32_t update_mask_parse(const Google__Protobuf__FieldMask *mask, const char *const *fields, size_t count,
                           struct fault *fault) {
    assert(count > 0 && count <= UPDATE_MASK_FIELDS_MAX);
    uint32_t bits = 0;
    bool is_known = true;
    if (!mask || mask->n_paths == 0) {
        fault_add_field(fault, "update_mask", "name what to change, one or more of: %s",
                        list_fields(fields, count, fault));
        return 0;
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        uint32_t bit = find_bit(mask->paths[i], fields, count);
        bits |= bit;
        if (bit)
            continue;
        is_known = false;
        fault_add_field(fault, fault_path(fault, "update_mask.paths[%zu]", i), "type one of: %s",
                        list_fields(fields, count, fault));
    }
    return is_known ? bits : 0;
}
