// One HTTP/2 connection of a client: the transport, nghttp2's client session, and streams over it. Nothing
// happens by itself: whoever waits for one stream takes in what comes for the others too. Knows nothing of
// gRPC's statuses: it sends requests and hands headers and data of the answers on as they come.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CONNECTION_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/grpc/client_address.h"
#include "common/grpc/client_failure.h"

struct client_connection;
struct tls_client;

struct client_field {
    struct bytes name, value;
    bool is_secret; // never enters HPACK's tables
};

// Where an answer goes. Both return false to give the stream up.
struct client_sink {
    bool (*add_header)(void *context, struct bytes name, struct bytes value); // also trailers and :status
    bool (*add_data)(void *context, struct bytes data);
    void *context;
};

// Embedded by its owner, who fills in the first part and keeps it until the stream is over or cancelled.
struct client_stream {
    struct client_sink sink;
    struct bytes unsent;  // of the request's body; the connection takes from its front
    bool is_last;         // nothing follows `unsent`: the stream is half-closed behind it
    bool is_kept_waiting; // the connection's: `unsent` ran out before the last
    // How it went; the connection's.
    int32_t id;
    bool is_written;  // all of the request has been handed to the transport's buffer
    bool is_headed;   // headers came that were not the end
    bool is_answered; // the peer has said all
    bool is_ended;    // closed on both sides, or reset
    bool is_given_up;
    uint32_t error_code; // HTTP/2's
};

// How a stream ended.
enum client_end {
    CLIENT_END_COMPLETE = 0, // the peer ended its stream in order
    CLIENT_END_RESET,        // the peer reset it; `error_code` says how
    CLIENT_END_GIVEN_UP,     // the sink did not want more
    CLIENT_END_UNSEEN,       // the peer certainly has not acted on it: lost before all was sent, or refused
    CLIENT_END_LOST,         // the connection ended after all was sent
    CLIENT_END_TIMED_OUT,    // the deadline passed
    CLIENT_END_NOT_HTTP2,    // the peer breaks HTTP/2
    CLIENT_END_NO_MEMORY,
};

struct client_connection_options {
    const struct tls_client *tls; // NULL = plaintext
    const struct clock *clock;
    uint64_t keepalive_time_ns; // silence after which a stream that is waited for has a PING sent; 0 = never
    uint64_t keepalive_timeout_ns; // how long its answer may take
};

// Connects and waits for the peer's SETTINGS: what is sent from then on goes to a server that speaks HTTP/2.
// Returns owned, or NULL with `failure` set.
MUST_CHECK struct client_connection *client_connection_open(const struct client_address *address,
                                                            const struct client_connection_options *options,
                                                            uint64_t deadline_ns,
                                                            struct client_failure *failure);
void client_connection_close(struct client_connection *connection); // takes NULL

// Takes in what arrived meanwhile; false when the peer has closed or said goodbye.
bool client_connection_is_usable(struct client_connection *connection);

// Pseudo-headers first; they are borrowed until the stream is over, as it may have to wait for its turn.
// Where memory ran out the stream is over at once.
void client_connection_begin(struct client_connection *connection, struct client_stream *stream,
                             const struct client_field *fields, size_t field_count);

// Waits until the stream is over or `is_enough` (may be NULL) says that what came is; false when it is over.
MUST_CHECK bool client_connection_wait(struct client_connection *connection, struct client_stream *stream,
                                       bool (*is_enough)(void *context), void *context, uint64_t deadline_ns);

// How a stream went that is over.
enum client_end client_connection_get_end(const struct client_connection *connection,
                                          const struct client_stream *stream);

// More for the peer: `unsent` or `is_last` were set.
void client_connection_send(struct client_connection *connection, struct client_stream *stream);

// Lets go of a stream, which is reset if it is not over. The connection goes on.
void client_connection_cancel(struct client_connection *connection, struct client_stream *stream);

#endif
