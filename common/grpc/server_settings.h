// The settings that every gRPC server has, as a config table (common/base/config.h).
#ifndef LATCHKEY_COMMON_GRPC_SERVER_SETTINGS_H
#define LATCHKEY_COMMON_GRPC_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/config.h"

struct grpc_server_settings {
    bool reuse_port;                  // listens beside another process (listener_options.is_shared)
    int64_t max_streams;              // concurrent, per connection
    int64_t max_executing;            // calls whose handlers run, per connection
    int64_t max_connections;          // over all loops
    int64_t max_connections_per_peer; // 0 = any number
    int64_t max_request_bytes;        // of one message, where the method does not say
    int64_t arriving_memory_bytes;    // of all requests until they have come whole
    int64_t request_memory_bytes;     // and then until they are answered
    int64_t unread_answer_bytes;      // of one connection
    int64_t stream_window_bytes;
    int64_t connection_window_bytes;
    int64_t max_deadline_ms;      // of unary calls; 0 = none
    int64_t preface_timeout_ms;   // from the connection to the client's SETTINGS, and for a header block
    int64_t request_timeout_ms;   // from the headers to the end of a request of one message; 0 = none
    int64_t idle_timeout_ms;      // of a connection without any call; 0 = never
    int64_t max_idle_ms;          // of a connection that has had calls and has none; 0 = never
    int64_t max_age_ms;           // of a connection, +-10 %; 0 = any
    int64_t max_age_grace_ms;     // for its calls after that; 0 = any
    int64_t keepalive_time_ms;    // without a byte of the client until it is pinged; 0 = never
    int64_t keepalive_timeout_ms; // for its answer
    int64_t min_ping_interval_ms; // between two pings of a client with calls; 0 = any
    bool permits_pings_without_calls;
    int64_t write_stall_timeout_ms; // a peer that takes nothing
    int64_t reset_burst;            // streams that may be reset at once by either side
    int64_t reset_rate;             // and per second after that
    int64_t flood_delay_ms;         // between two reads, where another connection has flooded; 0 = none
    int64_t overload_refusals;      // of one loop in a second, until it sends connections away; 0 = any
    int64_t peer_inflation_bytes;   // of one address in a second, beyond what texts take; 0 = any
    bool json_ignores_unknown;      // fields and enum names that the contract does not have
};

// `settings` is filled with the defaults when it is read (config_read()).
struct config_table grpc_server_settings_get_table(struct grpc_server_settings *settings);

// The defaults without any configuration, for tests and small programs.
void grpc_server_settings_init(struct grpc_server_settings *settings);

#endif
