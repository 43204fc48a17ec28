// What a server serves: rows of const tables, a path with its types and the handler behind it. A handler is a
// table of callbacks, all on the call's loop thread, none of which may block; work that blocks is handed to a
// worker, which comes back by loop_post().
#ifndef LATCHKEY_COMMON_GRPC_METHOD_H
#define LATCHKEY_COMMON_GRPC_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

struct grpc_call;

enum grpc_shape { GRPC_UNARY, GRPC_SERVER_STREAM, GRPC_CLIENT_STREAM, GRPC_BIDI };

// So many calls are handed to on_requests at once at most.
#define GRPC_CALLS_TOGETHER_MAX 16

// From the first callback on the handler owes exactly one grpc_call_finish() (or grpc_call_reply()), at any
// later time and also after on_cancel. It may finish inside any callback; no callback follows. All but one of
// on_message, on_bytes and on_requests may be NULL.
struct grpc_handler {
    // GRPC_CLIENT_STREAM and GRPC_BIDI: the metadata is there, messages follow.
    void (*on_start)(struct grpc_call *call);

    // GRPC_UNARY and GRPC_SERVER_STREAM: once, when the request is complete; `request` is good until the call
    // is finished. Otherwise: for each message, good until the callback returns.
    void (*on_message)(struct grpc_call *call, const ProtobufCMessage *request);

    // In place of on_message: the message's bytes as they came, neither scanned nor unpacked, for handlers
    // with a decoder of their own. Good as long as on_message's.
    void (*on_bytes)(struct grpc_call *call, struct bytes request);

    // GRPC_UNARY, in place of on_bytes: calls that were complete after one read of a connection, for handlers
    // that wait for the memory of several side by side. Each is answered by itself, in any order; their bytes
    // are grpc_call_get_request()'s.
    void (*on_requests)(struct grpc_call *const *calls, size_t count);

    // GRPC_CLIENT_STREAM and GRPC_BIDI: the client has ended its side, no message follows.
    void (*on_half_close)(struct grpc_call *call);

    // After grpc_call_send() has returned EXHAUSTED: there is room again.
    void (*on_writable)(struct grpc_call *call);

    // GRPC_CLIENT_STREAM and GRPC_BIDI: the connection is to end, and waits for its calls: one that has no
    // end of its own should finish soon. Once, maybe right after on_start.
    void (*on_drain)(struct grpc_call *call);

    // The deadline has passed, and on_cancel follows. False when what was asked may be done all the same, or
    // leave a trace: then the client is told OUTCOME_UNKNOWN in place of DEADLINE_EXCEEDED. NULL = true.
    bool (*on_deadline)(struct grpc_call *call);

    // The client has cancelled or is gone, or the deadline has passed: nothing that is sent from now on
    // reaches anybody. The handler still finishes the call, here or when its work has really ended.
    void (*on_cancel)(struct grpc_call *call);
};

struct grpc_method {
    const char *path; // "/latchkey.v1.TokenService/CreateAccessToken"
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    enum grpc_shape shape;
    uint32_t max_request_bytes; // of one message; 0 = the server's setting
    bool is_read_only;          // has no side effects: may be asked for by GET, too
    bool is_internal;           // for calls from inside of the process alone: for peers it is not there

    // Answers leave as they are: where a secret stands beside what the client chooses, the size of what is
    // compressed would tell about it; and where time counts more than bytes.
    bool never_compress;
    const struct grpc_handler *handler;
    const void *context; // for the handler
};

#endif
