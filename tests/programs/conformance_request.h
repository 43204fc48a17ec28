// What a server under test has seen of a call, to be told back: its metadata, its time-out, and the requests
// since the last telling. Everything lives in the call's arena. Out of memory ends the program: its peer is a
// test.
#ifndef LATCHKEY_TESTS_PROGRAMS_CONFORMANCE_REQUEST_H
#define LATCHKEY_TESTS_PROGRAMS_CONFORMANCE_REQUEST_H

#include "common/grpc/call.h"
#include "connectrpc/conformance/v1/service.pb-c.h"

typedef Connectrpc__Conformance__V1__ConformancePayload__RequestInfo RequestInfo;

struct conformance_request {
    struct grpc_call *call;
    Google__Protobuf__Any **untold;
    size_t untold_count, untold_capacity;
};

void conformance_request_init(struct conformance_request *request, struct grpc_call *call);

// Returns a copy of `message` that lives as long as the call.
const ProtobufCMessage *conformance_request_add(struct conformance_request *request,
                                                const ProtobufCMessage *message);

// With metadata, time-out and the untold requests, which are told by that.
RequestInfo *conformance_request_tell_all(struct conformance_request *request);

// The untold requests alone.
RequestInfo *conformance_request_tell_rest(struct conformance_request *request);

// "type.googleapis.com/NAME" and the message's bytes.
Google__Protobuf__Any *conformance_any(struct arena *arena, const ProtobufCMessage *message);

// `allocated` itself; ends the program when it is NULL.
void *conformance_need(void *allocated);

#endif
