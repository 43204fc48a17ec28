// The frames of a plain answer, for whoever writes them past nghttp2 and its compressor. Their header blocks
// name only what the static table has, and leave the client's own table as it is (RFC 7541, 6.2.2); but they
// can't tell of its new size, which the first block behind the client's SETTINGS has to (4.2).
#ifndef LATCHKEY_COMMON_GRPC_HTTP2_FRAME_H
#define LATCHKEY_COMMON_GRPC_HTTP2_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

#define HTTP2_FRAME_HEAD_BYTES 9
#define HTTP2_FRAME_OK_BYTES 24
#define HTTP2_FRAME_TEXT_MAX 126 // of a content type

// Each returns where the next one goes.

// What stands in front of every frame.
uint8_t *http2_frame_write_head(uint8_t *to, uint8_t type, uint8_t flags, int32_t stream_id, size_t len);

// HEADERS that begin an answer: status 200 and the content type.
static inline size_t http2_frame_measure_begin(struct bytes content_type) {
    return HTTP2_FRAME_HEAD_BYTES + 4 + content_type.len;
}
uint8_t *http2_frame_write_begin(uint8_t *to, int32_t stream_id, struct bytes content_type);

// HEADERS that end it: "grpc-status: 0", in HTTP2_FRAME_OK_BYTES.
uint8_t *http2_frame_write_ok(uint8_t *to, int32_t stream_id);

#endif
