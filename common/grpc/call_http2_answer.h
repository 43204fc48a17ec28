// Whole plain answers, which are nearly all: one message, OK, and nothing else to say. They wait in a list of
// their connection until the turn ends, and are then written past nghttp2, which is told that their streams
// have ended. Where it can't be told (it has not our patch, docs/decisions/0038), or an answer may not leave
// now (the window or the socket is full), it is handed to nghttp2 like any other.
#ifndef LATCHKEY_COMMON_GRPC_CALL_HTTP2_ANSWER_H
#define LATCHKEY_COMMON_GRPC_CALL_HTTP2_ANSWER_H

#include "common/grpc/call_internal.h"

// True if the answer that begins with `rows` is such a one; it waits then, and is not to be submitted.
MUST_CHECK bool call_http2_answer_wait(struct grpc_call *call, const nghttp2_nv *rows);

// The stream is closed.
void call_http2_answer_forget(struct grpc_call *call);

// Writes or hands over all that wait: outside of nghttp2's callbacks, because streams end. False when the
// connection has been condemned.
MUST_CHECK bool call_http2_answer_write(struct grpc_connection *connection);

#endif
