// Where text goes that is made twice: once to be measured, with `to` NULL, and once into memory of exactly
// that size. Nothing can fail in between, and nothing but the result holds what was written.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_SINK_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_SINK_H

#include <string.h>

#include "common/base/bytes.h"

struct protojson_sink {
    uint8_t *to; // NULL: only measures
    size_t len;
};

static inline void protojson_sink_put(struct protojson_sink *sink, struct bytes bytes) {
    if (sink->to && bytes.len > 0)
        memcpy(sink->to + sink->len, bytes.data, bytes.len);
    sink->len += bytes.len;
}

static inline void protojson_sink_put_byte(struct protojson_sink *sink, char byte) {
    if (sink->to)
        sink->to[sink->len] = (uint8_t)byte;
    sink->len++;
}

#endif
