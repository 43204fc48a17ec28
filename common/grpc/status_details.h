// A fault as a peer sees it. In gRPC: grpc-status, grpc-message, and google.rpc.Status with ErrorInfo (domain
// latchkey.dev), BadRequest and RetryInfo in grpc-status-details-bin.
#ifndef LATCHKEY_COMMON_GRPC_STATUS_DETAILS_H
#define LATCHKEY_COMMON_GRPC_STATUS_DETAILS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/grpc/status_code.h"

#define STATUS_DETAILS_DOMAIN "latchkey.dev"
#define STATUS_DETAILS_BYTES_MAX 6144 // of the base64; field violations are left out until it fits

struct status_details {
    enum grpc_code code;
    struct bytes text;              // UTF-8, shortened
    struct bytes message;           // the same, percent-encoded
    struct bytes details;           // base64; empty for OK, and when memory ran out: the code is still sent
    const ProtobufCMessage *status; // the same as a google.rpc.Status; NULL when `details` is empty
    bool has_retry;
    uint32_t retry_after_ms; // for grpc-retry-pushback-ms
};

// `fault` NULL or empty is OK. Borrows from `fault` and `arena`, which need not be the fault's own.
void status_details_encode(const struct fault *fault, struct arena *arena,
                           struct status_details *ret_details);

// The same for a google.rpc.Status of somebody's own making, whose code is none of gRPC's: UNKNOWN. Code,
// text and details are copied; `ret_details->status` is the message itself.
void status_details_encode_message(const ProtobufCMessage *status, struct arena *arena,
                                   struct status_details *ret_details);

// Leaves code and text.
void status_details_strip(struct status_details *details);

// The same as a google.rpc.Status, for answers that hold the failures of parts; borrows from `fault`, NULL
// when out of memory.
MUST_CHECK ProtobufCMessage *status_details_new_message(const struct fault *fault, struct arena *arena);

#endif
