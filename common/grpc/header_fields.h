// Header fields on their way to a wire. Nothing is copied: names and values live for ever, or in an arena of
// the call until its stream has closed.
#ifndef LATCHKEY_COMMON_GRPC_HEADER_FIELDS_H
#define LATCHKEY_COMMON_GRPC_HEADER_FIELDS_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/grpc/metadata.h"

// A constant row, of literals.
#define HEADER_FIELD(name, value)                                                   \
    {                                                                               \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE            \
    }

struct header_fields {
    nghttp2_nv *rows;
    size_t count, capacity;
};

// Room for `capacity` rows in `arena`; false when out of memory.
MUST_CHECK bool header_fields_init(struct header_fields *fields, size_t capacity, struct arena *arena);

// Each asserts that there is room.
void header_fields_add(struct header_fields *fields, struct bytes name, struct bytes value);
void header_fields_add_rows(struct header_fields *fields, const nghttp2_nv *rows, size_t count);
void header_fields_add_metadata(struct header_fields *fields, const struct metadata *metadata);

// Left out when out of memory.
void header_fields_add_number(struct header_fields *fields, struct arena *arena, struct bytes name,
                              unsigned number);

#endif
