// What a client may send that costs us more than it costs the client, and how much of it: each kind has a
// budget of its own on each connection, which fills up with time and with every HEADERS and DATA frame that
// we send. Who exceeds it hears GOAWAY with ENHANCE_YOUR_CALM and the name of the kind, and is closed for
// that reason. The attacks behind the rows stand in the source.
#ifndef LATCHKEY_COMMON_GRPC_FLOOD_GUARD_H
#define LATCHKEY_COMMON_GRPC_FLOOD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/grpc/rate_budget.h"
#include "common/grpc/server_settings.h"
#include "common/grpc/stats.h"

// What gzip makes of texts is at most so many times larger; what it makes beyond is counted.
#define FLOOD_INFLATION_FREE 16

// What a reset is paid for by: three frames, which is what an answered unary call takes. Half of the calls
// may be cancelled for as long as the other half is answered.
#define FLOOD_RESET_WORK 3

enum flood {
    FLOOD_RESETS,      // RST_STREAM, of the client or provoked
    FLOOD_LATE_RESETS, // of the client, for calls that were out of time
    FLOOD_PINGS,
    FLOOD_SETTINGS,
    FLOOD_WINDOW_UPDATES,
    FLOOD_PRIORITIES,
    FLOOD_LATE_DATA,     // for streams that have ended
    FLOOD_EMPTY_FRAMES,  // DATA without a byte and without an end
    FLOOD_LARGE_HEADERS, // header lists over the limit
    FLOOD_OTHER_FRAMES, // of no use: GOAWAY, answers to PING, unknown types, HEADERS of streams that are over
    FLOOD_INFLATION,    // 64 KiB of what gzip makes of a few bytes
    FLOOD_COUNT
};

// Of a server, for all of its connections.
struct flood_limits {
    struct rate rates[FLOOD_COUNT];
    uint64_t min_ping_interval_ns; // 0 = pings are held to their budget alone
    bool permits_pings_without_calls;
};

// Of one connection.
struct flood_guard {
    struct rate_budget budgets[FLOOD_COUNT];

    // How often the client's keepalive comes too early (gRFC A8).
    uint64_t last_ping_ns; // 0 = none yet
    uint64_t pinged_work;  // when it came
    unsigned ping_strikes;
};

// What is known of the connection at the moment.
struct flood_moment {
    uint64_t now_ns;
    uint64_t work; // HEADERS and DATA frames sent so far
    bool has_calls;
};

void flood_limits_init(struct flood_limits *limits, const struct grpc_server_settings *settings);
void flood_guard_init(struct flood_guard *guard, const struct flood_limits *limits, uint64_t now_ns);

// So many more of `kind`. False when they are too many.
MUST_CHECK bool flood_guard_pass(struct flood_guard *guard, const struct flood_limits *limits,
                                 enum flood kind, size_t count, const struct flood_moment *moment);

// A PING that is no answer: the budget, and how long after the last one it comes. False when it is one too
// many.
MUST_CHECK bool flood_guard_pass_ping(struct flood_guard *guard, const struct flood_limits *limits,
                                      const struct flood_moment *moment);

enum grpc_close flood_get_close(enum flood kind);

#endif
