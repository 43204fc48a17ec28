// Calls on the streams of an HTTP/2 connection.
#ifndef LATCHKEY_COMMON_GRPC_CALL_HTTP2_H
#define LATCHKEY_COMMON_GRPC_CALL_HTTP2_H

#include "common/grpc/call_internal.h"

// A call for a new stream; NULL when out of memory.
struct grpc_call *call_http2_new(struct grpc_connection *connection, int32_t stream_id);

// Hands an answer to nghttp2, from its header block on.
void call_http2_submit(struct grpc_call *call, const nghttp2_nv *rows, size_t count, enum call_body body);

// One that a network can keep: shorter ones excuse no reset.
static inline bool call_http2_has_fair_timeout(const struct grpc_call *call) {
    return grpc_call_get_timeout_ns(call) >= UINT64_C(10000000);
}

#endif
