#include "common/grpc/http2_frame.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

// Of the static table (RFC 7541, appendix A): ":status: 200" is entry 8; "content-type" is the name of entry
// 31, which does not fit into four bits.
static const uint8_t begin_block[] = {0x88, 0x0f, 31 - 0x0f};

static const char ok_block[] = "\0"
                               "\x0b"
                               "grpc-status"
                               "\1"
                               "0";
#define OK_BLOCK_BYTES (sizeof(ok_block) - 1)
static_assert(HTTP2_FRAME_OK_BYTES == HTTP2_FRAME_HEAD_BYTES + OK_BLOCK_BYTES, "as the header says");

uint8_t *http2_frame_write_head(uint8_t *to, uint8_t type, uint8_t flags, int32_t stream_id, size_t len) {
    uint32_t id = (uint32_t)stream_id;
    const uint8_t head[HTTP2_FRAME_HEAD_BYTES] = {
        (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,       type,       flags,
        (uint8_t)(id >> 24),  (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    memcpy(to, head, sizeof(head));
    return to + sizeof(head);
}

uint8_t *http2_frame_write_begin(uint8_t *to, int32_t stream_id, struct bytes content_type) {
    assert(content_type.len <= HTTP2_FRAME_TEXT_MAX);
    size_t len = sizeof(begin_block) + 1 + content_type.len;
    to = http2_frame_write_head(to, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, len);
    memcpy(to, begin_block, sizeof(begin_block));
    to[sizeof(begin_block)] = (uint8_t)content_type.len;
    memcpy(to + sizeof(begin_block) + 1, content_type.data, content_type.len);
    return to + len;
}

uint8_t *http2_frame_write_ok(uint8_t *to, int32_t stream_id) {
    const uint8_t flags = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
    to = http2_frame_write_head(to, NGHTTP2_HEADERS, flags, stream_id, OK_BLOCK_BYTES);
    memcpy(to, ok_block, OK_BLOCK_BYTES);
    return to + OK_BLOCK_BYTES;
}
