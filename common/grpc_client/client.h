// A blocking gRPC client of a service behind one address or several: connected by the first call, kept for
// the next, connected again when lost. What fails is tried again as the service config says. For programs
// that ask and wait: the command line, and servers from their worker threads. One thread at a time per
// client.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

struct grpc_client;

// PEM files; all may be NULL.
struct grpc_client_tls {
    const char *ca_file;          // who vouches for the servers; NULL = the system's authorities
    const char *certificate_file; // this side's own, for servers that ask for one; with it `key_file`
    const char *key_file;
    const char *server_name; // that the servers' certificates are for; NULL = the host of the target
};

struct grpc_client_options {
    int64_t connect_timeout_ms;  // 0 = 5000; over all addresses together, until the server has spoken
    int64_t call_timeout_ms;     // 0 = 30000; for calls that bring no time-out of their own
    uint32_t max_response_bytes; // of one message; 0 = 4 MiB
    const char *user_agent;      // NULL = "latchkey/VERSION"; static storage
    const struct clock *clock;   // NULL = the kernel's
    // NULL = plaintext, unless the target is an https:// one. Sockets with a path have none.
    const struct grpc_client_tls *tls;
    // Without TLS a client talks to this machine alone, as requests and answers hold secrets.
    bool allow_plaintext;
    // gRPC's service config as JSON. NULL = calls that are repeatable are tried up to 4 times while the
    // server is unavailable, waiting 0.1 s, 0.2 s, 0.4 s, as long as most calls succeed.
    const char *service_config;
    int64_t keepalive_time_ms;    // of a call that waits without a byte from the server; 0 = no PINGs
    int64_t keepalive_timeout_ms; // for the answer to a PING; 0 = 20000
};

struct grpc_metadata {
    // Lower case, without "grpc-"; "-bin" is not offered. "user-agent" stands in the place of the client's.
    const char *key;
    const char
        *value; // printable ASCII; may be a secret: it is sent, kept nowhere and not put into HPACK's table
};

struct grpc_client_call {
    const char *path; // "/latchkey.v1.TokenService/GetCaller"
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response;
    const struct grpc_metadata *metadata; // borrows
    size_t metadata_count;
    int64_t timeout_ms; // 0 = the client's; over all attempts; sent as grpc-timeout and kept on this side too
    bool is_repeatable; // does no harm when done twice: a reading, or a change that carries a request id
    bool wait_for_ready; // waits until the server can be reached in place of failing
};

// `target` is one of client_targets.h; it is checked here, and so are the files of TLS and the service
// config. Names are looked up and connected by the first call. INVALID with a sentence in `ret_error` that
// names which of them is wrong, or NO_MEMORY. Returns owned; borrows nothing but the clock and the user
// agent.
MUST_CHECK enum status grpc_client_new(const char *target, const struct grpc_client_options *options,
                                       struct grpc_client **ret_client, char *ret_error, size_t error_size);
void grpc_client_free(struct grpc_client *client);

// Sends the request, waits for the answer and unpacks it into `arena`. Anything else than OK is in `fault`,
// which must be empty: the server's own status with reason, message, field violations, details and retry
// delay; UNAVAILABLE with one of the reasons below where no server answered.
//
// A call is repeated by itself when the server has certainly not seen it (the kept connection was closed
// before the request left, REFUSED_STREAM, or GOAWAY below its stream), and by the retry policy of the
// service config when the server answered with one of its status codes. What may have been done already is
// repeated only if it is repeatable. OUTCOME_UNKNOWN says that no attempt told whether it was done.
MUST_CHECK enum status grpc_client_call(struct grpc_client *client, const struct grpc_client_call *call,
                                        struct arena *arena, ProtobufCMessage **ret_response,
                                        struct fault *fault);

// Reasons of this side's own (fault.reason, static storage).
#define GRPC_CLIENT_NAME_NOT_FOUND "NAME_NOT_FOUND"       // the host name has no address
#define GRPC_CLIENT_NOT_REACHABLE "NOT_REACHABLE"         // refused, no route, no such socket file
#define GRPC_CLIENT_CONNECT_TIMEOUT "CONNECT_TIMEOUT"     // no answer to the attempt to connect
#define GRPC_CLIENT_NOT_GRPC "NOT_GRPC"                   // something answers, but not gRPC over HTTP/2
#define GRPC_CLIENT_TLS_FAILED "TLS_FAILED"               // the handshake failed; the message says why
#define GRPC_CLIENT_TLS_REQUIRED "TLS_REQUIRED"           // the server takes only TLS
#define GRPC_CLIENT_PLAINTEXT_REFUSED "PLAINTEXT_REFUSED" // another machine, and no TLS
#define GRPC_CLIENT_NOT_SERVING "NOT_SERVING"             // reached, but says that it can't work now
#define GRPC_CLIENT_CONNECTION_LOST "CONNECTION_LOST" // lost after the request was sent: outcome not known
#define GRPC_CLIENT_RESPONSE_TOO_LARGE "RESPONSE_TOO_LARGE" // larger than max_response_bytes
#define GRPC_CLIENT_RESPONSE_MALFORMED "RESPONSE_MALFORMED" // not what the protocol or the contract allows
#define GRPC_CLIENT_STREAM_RESET "STREAM_RESET"             // the server reset the call without a status
#define GRPC_CLIENT_DEADLINE "DEADLINE_EXCEEDED"            // this side's own clock ran out

#endif
