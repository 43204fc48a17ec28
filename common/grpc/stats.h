// What a server counts. Each loop has counters of its own and is their only writer; readers add them up with
// relaxed loads, so a sum may be a call or two behind but every counter only grows.
#ifndef LATCHKEY_COMMON_GRPC_STATS_H
#define LATCHKEY_COMMON_GRPC_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/grpc/status_code.h"

// Upper bounds of the latency buckets in ns, after gRFC A66; one more bucket holds what is slower.
#define GRPC_STATS_BUCKETS 24
extern const uint64_t grpc_stats_bucket_bounds_ns[GRPC_STATS_BUCKETS];

// Why a connection was closed. Floods stand together, from TOO_MANY_RESETS to TOO_MANY_QUEUED.
#define GRPC_CLOSE_TABLE(X)                               \
    X(PEER_CLOSED, "peer_closed")                         \
    X(PEER_RESET, "peer_reset")                           \
    X(PROTOCOL_ERROR, "protocol_error")                   \
    X(PREFACE_TIMEOUT, "preface_timeout")                 \
    X(HEADER_TIMEOUT, "header_timeout")                   \
    X(IDLE_TIMEOUT, "idle_timeout")                       \
    X(KEEPALIVE_TIMEOUT, "keepalive_timeout")             \
    X(WRITE_STALLED, "write_stalled")                     \
    X(MAX_IDLE, "max_idle")                               \
    X(MAX_AGE, "max_age")                                 \
    X(STREAM_IDS_USED, "stream_ids_used")                 \
    X(TOO_MANY_RESETS, "too_many_resets")                 \
    X(TOO_MANY_LATE_RESETS, "too_many_late_resets")       \
    X(TOO_MANY_PINGS, "too_many_pings")                   \
    X(TOO_MANY_SETTINGS, "too_many_settings")             \
    X(TOO_MANY_WINDOW_UPDATES, "too_many_window_updates") \
    X(TOO_MANY_PRIORITIES, "too_many_priorities")         \
    X(TOO_MUCH_LATE_DATA, "too_much_late_data")           \
    X(TOO_MANY_EMPTY_FRAMES, "too_many_empty_frames")     \
    X(TOO_MANY_LARGE_HEADERS, "too_many_large_headers")   \
    X(TOO_MANY_OTHER_FRAMES, "too_many_other_frames")     \
    X(TOO_MUCH_INFLATION, "too_much_inflation")           \
    X(TOO_MANY_CONTINUATIONS, "too_many_continuations")   \
    X(TOO_MANY_FIELDS, "too_many_fields")                 \
    X(TOO_MANY_QUEUED, "too_many_queued")                 \
    X(TOO_MANY_CONNECTIONS, "too_many_connections")       \
    X(TOO_MANY_OF_PEER, "too_many_of_peer")               \
    X(TLS_FAILED, "tls_failed")                           \
    X(TLS_TIMEOUT, "tls_timeout")                         \
    X(TLS_BUDGET, "tls_budget")                           \
    X(OVERLOAD, "overload")                               \
    X(NOT_ADMITTED, "not_admitted")                       \
    X(DRAINED, "drained")                                 \
    X(STOPPED, "stopped")                                 \
    X(NO_MEMORY, "no_memory")

enum grpc_close {
#define GRPC_CLOSE_ENUM(name, text) GRPC_CLOSE_##name,
    GRPC_CLOSE_TABLE(GRPC_CLOSE_ENUM)
#undef GRPC_CLOSE_ENUM
        GRPC_CLOSE_COUNT
};

const char *grpc_close_get_name(enum grpc_close why); // "peer_closed"; static storage

// Whether the client has spent one of its budgets.
static inline bool grpc_close_is_for_flood(enum grpc_close why) {
    return why >= GRPC_CLOSE_TOO_MANY_RESETS && why <= GRPC_CLOSE_TOO_MANY_QUEUED;
}

struct grpc_stats {
    uint64_t connections_accepted;
    uint64_t connections_closed[GRPC_CLOSE_COUNT];
    uint64_t connections_slowed; // because another of their address has flooded
    uint64_t calls_started;      // header blocks that opened a stream
    uint64_t calls_cancelled;    // by the client, or with their connection
    uint64_t calls_refused;      // by a limit of the connection
    uint64_t calls_inflated;     // too far, for all calls of their address: refused, too
    uint64_t calls_shed;         // unseen, because the loop was behind; not counted by method
    uint64_t received_bytes;
    uint64_t sent_bytes;
};

struct grpc_method_stats {
    uint64_t started;
    uint64_t received, sent;                  // messages: read whole, and queued
    uint64_t finished[GRPC_CODE_COUNT];       // answered or cancelled
    uint64_t latency[GRPC_STATS_BUCKETS + 1]; // from the headers to the end of the stream
    uint64_t latency_sum_ns;
};

#endif
