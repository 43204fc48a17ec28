// A blocking gRPC client: one connection to one server, opened by the first call, kept for the next and
// opened again when it was lost between calls. For programs that ask and wait: the command line, and servers
// from their worker threads. One thread at a time per client.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_H
#define LATCHKEY_COMMON_GRPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

struct grpc_client;

struct grpc_client_options {
    int64_t connect_timeout_ms;  // 0 = 5000; over all addresses of a name together
    int64_t call_timeout_ms;     // 0 = 30000; for calls that bring no time-out of their own
    uint32_t max_response_bytes; // of one message; 0 = 4 MiB
    const char *user_agent;      // NULL = "latchkey/VERSION"; static storage
    const struct clock *clock;   // NULL = the kernel's
};

struct grpc_metadata {
    const char *key; // lower case, without "grpc-"; "-bin" is not offered
    const char
        *value; // printable ASCII; may be a secret: it is sent, kept nowhere and not put into HPACK's table
};

struct grpc_client_call {
    const char *path; // "/latchkey.v1.TokenService/GetCaller"
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response;
    const struct grpc_metadata *metadata; // borrows
    size_t metadata_count;
    int64_t timeout_ms; // 0 = the client's; sent as grpc-timeout and kept on this side too
};

// `target` is "host:port", "1.2.3.4:port", "[::1]:port" or "unix:/path"; it is checked here, resolved and
// connected by the first call. INVALID with a sentence in `ret_error`, or NO_MEMORY. Returns owned.
MUST_CHECK enum status grpc_client_new(const char *target, const struct grpc_client_options *options,
                                       struct grpc_client **ret_client, char *ret_error, size_t error_size);
void grpc_client_free(struct grpc_client *client);

// Sends the request, waits for the answer and unpacks it into `arena`. Anything else than OK is in `fault`,
// which must be empty: the server's own status with reason, message, field violations, details and retry
// delay; UNAVAILABLE with one of the reasons below where no server answered. A call is repeated by itself
// only when the server has certainly not seen it (the kept connection was closed before the request left,
// REFUSED_STREAM, or GOAWAY below its stream).
MUST_CHECK enum status grpc_client_call(struct grpc_client *client, const struct grpc_client_call *call,
                                        struct arena *arena, ProtobufCMessage **ret_response,
                                        struct fault *fault);

// Reasons of this side's own (fault.reason, static storage).
#define GRPC_CLIENT_NAME_NOT_FOUND "NAME_NOT_FOUND"   // the host name has no address
#define GRPC_CLIENT_NOT_REACHABLE "NOT_REACHABLE"     // refused, no route, no such socket file
#define GRPC_CLIENT_CONNECT_TIMEOUT "CONNECT_TIMEOUT" // no answer to the attempt to connect
#define GRPC_CLIENT_NOT_GRPC "NOT_GRPC"               // something answers, but not gRPC over plain HTTP/2
#define GRPC_CLIENT_CONNECTION_LOST "CONNECTION_LOST" // lost after the request was sent: outcome not known
#define GRPC_CLIENT_RESPONSE_TOO_LARGE "RESPONSE_TOO_LARGE" // larger than max_response_bytes
#define GRPC_CLIENT_RESPONSE_MALFORMED "RESPONSE_MALFORMED" // not what the protocol or the contract allows
#define GRPC_CLIENT_STREAM_RESET "STREAM_RESET"             // the server reset the call without a status
#define GRPC_CLIENT_DEADLINE "DEADLINE_EXCEEDED"            // this side's own clock ran out

#endif
