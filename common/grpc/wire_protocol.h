// What the protocols that a call may come by differ in, as one table: gRPC, gRPC-Web, and Connect's two, for
// unary calls and for streams. The rest of a call is the same for all.
#ifndef LATCHKEY_COMMON_GRPC_WIRE_PROTOCOL_H
#define LATCHKEY_COMMON_GRPC_WIRE_PROTOCOL_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/grpc/content_type.h"
#include "common/grpc/metadata.h"
#include "common/grpc/request_head.h"
#include "common/grpc/status_details.h"

struct grpc_call;

// How a call ends, and what is left to say about it.
struct call_ending {
    struct status_details details;
    const struct metadata *headers, *trailers; // the handler's, or empty ones
    struct arena *arena;                       // for what is made of it
};

struct wire_protocol {
    enum field_family timeout_family, encoding_family;  // whose header fields are its own
    struct bytes encoding_field, accept_encoding_field; // their names in answers
    enum status malformed; // of a request that is not what it says: INTERNAL in gRPC, the caller's in Connect

    // One message each way and nothing around it; how the call has ended decides about the header block,
    // which so waits for the end.
    bool is_bare;

    // Submits what ends the answer, and the header block if that has not been. False, with nothing
    // submitted, when out of memory.
    bool (*end)(struct grpc_call *call, const struct call_ending *ending);
};

extern const struct wire_protocol wire_protocols[PROTOCOL_COUNT];

#endif
