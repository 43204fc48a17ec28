// The body of an answer on its way from a call's queue to its connection's output, by way of nghttp2, which
// decides when and how much, but neither copies it nor writes its frames.
#ifndef LATCHKEY_COMMON_GRPC_CALL_HTTP2_BODY_H
#define LATCHKEY_COMMON_GRPC_CALL_HTTP2_BODY_H

#include "common/grpc/call_internal.h"

// What nghttp2 takes the body of the call's answer from.
nghttp2_data_provider call_http2_body_of(struct grpc_call *call);

// The sessions' send_data callback.
int call_http2_send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                         nghttp2_data_source *source, void *user_data);

#endif
