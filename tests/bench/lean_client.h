// A gRPC client that costs its core so little that it can ask more of a server than another core can do:
// requests are the same bytes but for the number of the stream, and of an answer only the frames are looked
// at. One message and then trailers is an answer; trailers alone are a failure.
//
// It keeps to what a server allows: streams, the connection's window, what the socket takes. Calls beyond
// that wait here, and with a deadline are given up here: dropped, or reset once they have left.
//
// A connection that has ended is followed by another at once, and where that ends before it has begun, after
// gRPC's backoff (doc/connection-backoff.md of grpc/grpc): 1 s, 1.6 times longer each time, give or take a
// fifth. Calls that GOAWAY says were not begun are sent again, other ones that had left have failed; what
// waits for a connection fails when an attempt to make one has, and at once until the next attempt.
#ifndef LATCHKEY_TESTS_BENCH_LEAN_CLIENT_H
#define LATCHKEY_TESTS_BENCH_LEAN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/lean_wire.h"

enum { LEAN_WAITING_MAX = 1 << 17, LEAN_STREAMS_MAX = 4096, LEAN_BUFFER_SIZE = 64 * 1024 };

struct lean_body {
    const uint8_t *data; // framed
    size_t len;
};

struct lean_connection;

struct lean_options {
    uint16_t port; // of 127.0.0.1
    SSL_CTX *tls;  // NULL = plain
    const char *path;
    uint64_t deadline_ns;           // 0 = none
    const char *authorization;      // "" = none
    const struct lean_body *bodies; // sent in turn
    size_t body_count;

    // A call that was due then has ended, or was given up.
    void (*on_end)(uint64_t due_ns, bool is_ok);
    // It has another wire.
    void (*on_connect)(struct lean_connection *connection);
};

struct lean_call {
    uint64_t due_ns;
    uint32_t stream; // 0 = none
    bool has_message;
};

struct lean_connection {
    const struct lean_options *options;
    char authority[32], timeout[16];
    struct lean_wire wire;    // none between two attempts
    bool is_ready;            // the server's SETTINGS have come
    bool is_leaving;          // its GOAWAY has
    uint32_t last_begun;      // with which number
    unsigned attempts;        // that have failed since a connection was ready
    uint64_t next_attempt_ns; // without a wire
    size_t next_body;

    // Calls that have not left, oldest first.
    uint64_t waiting[LEAN_WAITING_MAX];
    size_t waiting_begin, waiting_end; // the indexes wrap around

    // Calls that have, by their streams.
    struct lean_call calls[LEAN_STREAMS_MAX];
    uint32_t first_stream, next_stream; // the oldest that may be open
    size_t open;

    uint32_t max_streams;
    int64_t window; // of the connection

    uint8_t out[LEAN_BUFFER_SIZE], in[LEAN_BUFFER_SIZE];
    size_t out_begin, out_end, in_len;
};

// Ends the program without a socket.
void lean_open(struct lean_connection *connection, const struct lean_options *options);

void lean_submit(struct lean_connection *connection, uint64_t due_ns);

// Gives up what is late, connects again if it is time, and sends what may leave.
void lean_send(struct lean_connection *connection, uint64_t now_ns);

void lean_receive(struct lean_connection *connection);

static inline size_t lean_count_unanswered(const struct lean_connection *connection) {
    return connection->waiting_end - connection->waiting_begin + connection->open;
}

_Noreturn void lean_fail(const char *what);

#endif
