// One HTTP/2 connection of a client: the socket, nghttp2's client session, and exchanges over it, one at a
// time. Knows nothing of gRPC's statuses: it sends a request and hands headers and data of the answer on as
// they come.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CONNECTION_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/grpc/client_target.h"

struct client_connection;

struct client_field {
    struct bytes name, value;
    bool is_secret; // never enters HPACK's tables
};

// Where an answer goes. Both return false to give the exchange up.
struct client_sink {
    bool (*add_header)(void *context, struct bytes name, struct bytes value); // also trailers and :status
    bool (*add_data)(void *context, struct bytes data);
    void *context;
};

struct client_exchange {
    const struct client_field *fields; // pseudo-headers first
    size_t field_count;
    struct bytes body; // sent as it is, then the stream is half-closed
    struct client_sink sink;
    uint64_t deadline_ns; // monotonic
};

// How an exchange ended.
enum client_end {
    CLIENT_END_COMPLETE = 0, // the peer ended its stream in order
    CLIENT_END_RESET,        // the peer reset it; `ret_error_code` is HTTP/2's
    CLIENT_END_GIVEN_UP,     // the sink did not want more
    CLIENT_END_UNSEEN,       // the peer certainly has not acted on it: lost before all was sent, or refused
    CLIENT_END_LOST,         // the connection ended after all was sent
    CLIENT_END_TIMED_OUT,    // the deadline passed
    CLIENT_END_SILENT,       // a new connection was closed before the first byte
    CLIENT_END_SPEAKS_HTTP1, // what answers speaks HTTP/1
    CLIENT_END_SPEAKS_TLS,   // what answers wants TLS
    CLIENT_END_NOT_HTTP2,    // what answers breaks HTTP/2
    CLIENT_END_NO_MEMORY,
};

// Connects and prepares the session; the preface leaves with the first exchange. Returns owned, or NULL with
// `fault` set.
MUST_CHECK struct client_connection *client_connection_open(const struct client_target *target,
                                                            uint64_t deadline_ns, const struct clock *clock,
                                                            struct fault *fault);
void client_connection_close(struct client_connection *connection); // takes NULL

// Takes in what arrived meanwhile; false when the peer has closed or said goodbye.
bool client_connection_is_usable(struct client_connection *connection);

// Blocks until the exchange has ended. After anything but COMPLETE and RESET the connection is not usable any
// more.
MUST_CHECK enum client_end client_connection_exchange(struct client_connection *connection,
                                                      const struct client_exchange *exchange,
                                                      uint32_t *ret_error_code);

#endif
