#include "common/grpc/header_fields.h"

#include <assert.h>
#include <string.h>

bool header_fields_init(struct header_fields *fields, size_t capacity, struct arena *arena) {
    *fields = (struct header_fields){ARENA_NEW_ARRAY(arena, nghttp2_nv, capacity), 0, capacity};
    return fields->rows;
}

void header_fields_add(struct header_fields *fields, struct bytes name, struct bytes value) {
    assert(fields->count < fields->capacity);
    fields->rows[fields->count++] =
        (nghttp2_nv){(uint8_t *)name.data, (uint8_t *)value.data, name.len, value.len,
                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void header_fields_add_rows(struct header_fields *fields, const nghttp2_nv *rows, size_t count) {
    assert(count <= fields->capacity - fields->count);
    memcpy(fields->rows + fields->count, rows, count * sizeof(*rows));
    fields->count += count;
}

void header_fields_add_metadata(struct header_fields *fields, const struct metadata *metadata) {
    for (const struct metadata_field *field = metadata->first; field; field = field->next)
        header_fields_add(fields, field->name, field->value);
}

void header_fields_add_number(struct header_fields *fields, struct arena *arena, struct bytes name,
                              unsigned number) {
    const char *text = arena_format(arena, "%u", number);
    if (text)
        header_fields_add(fields, name, bytes_of_text(text));
}
