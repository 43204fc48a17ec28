// One HTTP/2 connection of a client: the transport, nghttp2's client session, and exchanges over it. Nothing
// happens by itself: whoever waits for one exchange takes in what comes for the others too. Knows nothing of
// gRPC's statuses: it sends requests and hands headers and data of the answers on as they come.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_CONNECTION_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/grpc_client/client_address.h"
#include "common/grpc_client/client_failure.h"

struct client_connection;
struct client_transport;
struct tls_client;

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

// One request and its answer, on a stream of its own. Embedded by its owner, who fills in the first part and
// keeps it until it is over or cancelled.
struct client_exchange {
    struct client_sink sink;
    struct bytes unsent; // of the request's body; the connection takes from its front
    bool is_last;        // nothing follows `unsent`: the stream is half-closed behind it
    bool is_paced;       // what the sink is given counts against the peer until client_connection_take()
    // How it went; the connection's.
    int32_t stream;
    bool is_kept_waiting; // `unsent` ran out before the last
    bool is_written;      // all of the request has been handed to the transport's buffer
    bool is_headed;       // something came that was not the end
    bool is_answered;     // the peer has said all
    bool is_ended;        // closed on both sides, or reset
    bool is_given_up;     // by the sink
    uint32_t error_code;  // HTTP/2's
};

// How an exchange ended.
enum client_end {
    CLIENT_END_COMPLETE = 0, // the peer ended its stream in order
    CLIENT_END_RESET,        // the peer reset it; `error_code` says how
    CLIENT_END_GIVEN_UP,     // the sink did not want more
    CLIENT_END_UNSEEN,       // the peer certainly has not acted on it: lost before all was sent, or refused
    CLIENT_END_LOST,         // the connection ended after all was sent
    CLIENT_END_TIMED_OUT,    // its owner's deadline passed; never said by the connection
    CLIENT_END_NOT_HTTP2,    // the peer breaks HTTP/2
    CLIENT_END_NO_MEMORY,
};

struct client_connection_options {
    const struct tls_client *tls; // NULL = plaintext
    const struct clock *clock;
    uint64_t
        keepalive_time_ns; // silence after which a PING is sent while an exchange is waited for; 0 = never
    uint64_t keepalive_timeout_ns; // how long its answer may take
};

// Connects and waits for the peer's SETTINGS: what is sent from then on goes to a server that speaks HTTP/2.
// Returns owned, or NULL with `failure` set.
MUST_CHECK struct client_connection *client_connection_open(const struct client_address *address,
                                                            const struct client_connection_options *options,
                                                            uint64_t deadline_ns,
                                                            struct client_failure *failure);
// The same over a transport that is there, which it takes. `peer` names the server in sentences.
MUST_CHECK struct client_connection *client_connection_open_over(
    struct client_transport *transport, const char *peer, const struct client_connection_options *options,
    uint64_t deadline_ns, struct client_failure *failure);

// Of one of its holders: it ends with the last. Takes NULL.
void client_connection_close(struct client_connection *connection);
void client_connection_hold(struct client_connection *connection);

// Takes in what arrived meanwhile; false when the peer has closed or said goodbye.
bool client_connection_is_usable(struct client_connection *connection);

// Pseudo-headers first; they are borrowed until the exchange is over, as it may have to wait for its turn.
// Where memory ran out it is over at once.
void client_connection_begin(struct client_connection *connection, struct client_exchange *exchange,
                             const struct client_field *fields, size_t field_count);

enum client_wait {
    CLIENT_WAIT_ENOUGH,   // `is_enough` said so
    CLIENT_WAIT_OVER,     // nothing more will come: client_connection_get_end() says how it went
    CLIENT_WAIT_TIMED_OUT // the deadline passed
};

// Until `is_enough` (may be NULL) is true of what came, asked first of all.
MUST_CHECK enum client_wait client_connection_wait(struct client_connection *connection,
                                                   const struct client_exchange *exchange,
                                                   bool (*is_enough)(void *context), void *context,
                                                   uint64_t deadline_ns);

// From now on waits also time out while `fd` is readable; -1 = by nobody.
void client_connection_set_wake(struct client_connection *connection, int fd);

// How an exchange went that is over.
enum client_end client_connection_get_end(const struct client_connection *connection,
                                          const struct client_exchange *exchange);

// More for the peer: `unsent` or `is_last` were set.
void client_connection_send(struct client_connection *connection, struct client_exchange *exchange);

// Of a paced exchange: so many bytes have found their place, and the peer may send as many more.
void client_connection_take(struct client_connection *connection, struct client_exchange *exchange,
                            size_t len);

// Lets go of an exchange, whose stream is reset if it is not over. The connection goes on.
void client_connection_cancel(struct client_connection *connection, struct client_exchange *exchange);

// After a time-out: unless something was heard since the last exchange began, the peer is taken for dead.
void client_connection_doubt(struct client_connection *connection);

#endif
