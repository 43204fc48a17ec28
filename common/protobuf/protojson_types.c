// Types by name, for Any.
#include "common/protobuf/protojson_types.h"

#include <stdlib.h>
#include <string.h>

#include "common/protobuf/protojson.h"

struct protojson_types {
    size_t count, capacity;
    const ProtobufCMessageDescriptor **all; // sorted by name once it is complete
};

static bool has(const struct protojson_types *types, const ProtobufCMessageDescriptor *type) {
    for (size_t i = 0; i < types->count; i++)
        if (types->all[i] == type)
            return true;
    return false;
}

static enum status add(struct protojson_types *types, const ProtobufCMessageDescriptor *type) {
    if (has(types, type))
        return STATUS_OK;
    if (types->count == types->capacity) {
        size_t capacity = types->capacity * 2 + 16;
        const ProtobufCMessageDescriptor **all = realloc(types->all, capacity * sizeof(const void *));
        if (!all)
            return STATUS_NO_MEMORY;
        types->all = all;
        types->capacity = capacity;
    }
    types->all[types->count++] = type;
    return STATUS_OK;
}

static enum status add_types_of_fields(struct protojson_types *types,
                                       const ProtobufCMessageDescriptor *type) {
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < type->n_fields && status == STATUS_OK; i++)
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            status = add(types, type->fields[i].descriptor);
    return status;
}

static int compare(const void *a, const void *b) {
    const ProtobufCMessageDescriptor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

// The list is its own queue: what its types' fields reach is appended while it is walked.
static enum status add_all(struct protojson_types *types, const ProtobufCMessageDescriptor *const *roots,
                           size_t count) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add(types, roots[i]);
    for (size_t i = 0; i < types->count && status == STATUS_OK; i++)
        status = add_types_of_fields(types, types->all[i]);
    return status;
}

enum status protojson_types_new(const ProtobufCMessageDescriptor *const *roots, size_t count,
                                struct protojson_types **ret_types) {
    struct protojson_types *types = calloc(1, sizeof(*types));
    if (!types)
        return STATUS_NO_MEMORY;
    enum status status = add_all(types, roots, count);
    if (status != STATUS_OK) {
        protojson_types_free(types);
        return status;
    }
    if (types->count > 0)
        qsort(types->all, types->count, sizeof(const void *), compare);
    *ret_types = types;
    return STATUS_OK;
}

void protojson_types_free(struct protojson_types *types) {
    if (!types)
        return;
    free(types->all);
    free(types);
}

const ProtobufCMessageDescriptor *protojson_types_find_url(const struct protojson_types *types,
                                                           const char *url) {
    const char *slash = strrchr(url, '/');
    if (!types || types->count == 0 || !slash)
        return NULL;
    const ProtobufCMessageDescriptor key = {.name = slash + 1}, *wanted = &key;
    const ProtobufCMessageDescriptor **found =
        bsearch(&wanted, types->all, types->count, sizeof(const void *), compare);
    return found ? *found : NULL;
}
