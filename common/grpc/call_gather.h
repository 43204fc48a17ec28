// Unary calls whose requests were complete after one read of a connection, on their way to a handler that
// takes them together. Loop thread.
//
// They start when they are handed over: until then a call may be lost, and is then left out.
#ifndef LATCHKEY_COMMON_GRPC_CALL_GATHER_H
#define LATCHKEY_COMMON_GRPC_CALL_GATHER_H

#include <stddef.h>

#include "common/grpc/method.h"

struct grpc_connection;

// Of one connection, in the order in which they were complete.
struct call_gather {
    const struct grpc_method *method;
    struct grpc_call *calls[GRPC_CALLS_TOGETHER_MAX]; // NULL = lost
    size_t count;
};

// A call that is complete. While its connection is not being read, it is handed over at once.
void call_gather_add(struct grpc_call *call);

// Before its stream is gone.
void call_gather_remove(struct grpc_call *call);

// Hands over what there is. Outside of nghttp2's callbacks, too.
void call_gather_run(struct call_gather *gather);

#endif
