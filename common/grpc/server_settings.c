#include "common/grpc/server_settings.h"

#include <stddef.h>

#include "common/base/compiler.h"

#define KIB 1024
#define MIB (1024 * 1024)
#define FIELD(name) offsetof(struct grpc_server_settings, name)

static const struct setting rows[] = {
    {.name = "reuse-port",
     .type = SETTING_BOOLEAN,
     .offset = FIELD(reuse_port),
     .help =
         "Listens on ports that another process of the same user listens on with --reuse-port, too, and only "
         "once it is ready: so that a new process takes over while the old one drains."},
    {.name = "max-streams",
     .type = SETTING_INTEGER,
     .offset = FIELD(max_streams),
     .default_value = "1000",
     .min = 1,
     .max = 100000,
     .help = "Calls that one connection may have open at a time."},
    {.name = "max-executing-calls",
     .type = SETTING_INTEGER,
     .offset = FIELD(max_executing),
     .default_value = "1000",
     .min = 1,
     .max = 100000,
     .help =
         "Calls of one connection whose work is being done; cancelled ones count until it has ended. More "
         "are answered with UNAVAILABLE."},
    {.name = "max-connections",
     .type = SETTING_INTEGER,
     .offset = FIELD(max_connections),
     .default_value = "10000",
     .min = 1,
     .max = 1000000,
     .help = "Connections in all; more are closed at once."},
    {.name = "max-connections-per-peer",
     .type = SETTING_INTEGER,
     .offset = FIELD(max_connections_per_peer),
     .default_value = "1000",
     .min = 0,
     .max = 1000000,
     .help =
         "Connections of one IPv4 address or IPv6 /64; more are closed at once. Loopback and Unix sockets are not counted. 0 = any number."},
    {.name = "max-request-size",
     .type = SETTING_SIZE,
     .offset = FIELD(max_request_bytes),
     .default_value = "1MiB",
     .min = 1 * KIB,
     .max = 64 * MIB,
     .help = "Largest request message, where the method has no limit of its own."},
    {.name = "arriving-memory",
     .type = SETTING_SIZE,
     .offset = FIELD(arriving_memory_bytes),
     .default_value = "32MiB",
     .min = 4 * MIB,
     .max = INT64_C(1024) * 1024 * MIB,
     .help = "What requests may hold in memory that have not come whole, over all connections. No connection "
             "has more of it than it leaves for others, beyond its first 16KiB; more are answered with "
             "UNAVAILABLE. Four times the largest request, or more: what is arriving takes twice its size."},
    {.name = "request-memory",
     .type = SETTING_SIZE,
     .offset = FIELD(request_memory_bytes),
     .default_value = "512MiB",
     .min = 128 * MIB,
     .max = INT64_C(1024) * 1024 * MIB,
     .help = "What large requests may hold in memory until they are answered, over all connections; more are "
             "answered with UNAVAILABLE. As much is for answers of streams that are not read."},
    {.name = "unread-answers",
     .type = SETTING_SIZE,
     .offset = FIELD(unread_answer_bytes),
     .default_value = "8MiB",
     .min = 64 * KIB,
     .max = 1024 * MIB,
     .help =
         "What may wait for the client of one connection to take it; large answers beyond are replaced by "
         "UNAVAILABLE, and calls not begun."},
    {.name = "stream-window",
     .type = SETTING_SIZE,
     .offset = FIELD(stream_window_bytes),
     .default_value = "256KiB",
     .min = 64 * KIB,
     .max = 64 * MIB,
     .help = "What a client may send on one call before it is taken."},
    {.name = "connection-window",
     .type = SETTING_SIZE,
     .offset = FIELD(connection_window_bytes),
     .default_value = "1MiB",
     .min = 64 * KIB,
     .max = 256 * MIB,
     .help =
         "What a client may send on all calls of a connection before it is taken; bounds the memory for it."},
    {.name = "max-deadline",
     .type = SETTING_DURATION,
     .offset = FIELD(max_deadline_ms),
     .default_value = "60s",
     .min = 0,
     .max = 86400000,
     .help = "Longest that a unary call may take, whatever its client asks for; 0 = any."},
    {.name = "preface-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(preface_timeout_ms),
     .default_value = "5s",
     .min = 100,
     .max = 600000,
     .help = "For a new connection to begin HTTP/2, and for each block of headers."},
    {.name = "request-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(request_timeout_ms),
     .default_value = "30s",
     .min = 0,
     .max = 86400000,
     .help =
         "For the request of a call that takes one message to arrive whole; 0 = as long as its deadline."},
    {.name = "idle-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(idle_timeout_ms),
     .default_value = "5m",
     .min = 0,
     .max = 86400000,
     .help = "For a connection that has never made a call; 0 = never closed."},
    {.name = "max-connection-idle",
     .type = SETTING_DURATION,
     .offset = FIELD(max_idle_ms),
     .default_value = "0",
     .min = 0,
     .max = 2592000000,
     .help =
         "For a connection that has made calls and makes none any more: its client is told to open a new one when it needs it. 0 = never."},
    {.name = "max-connection-age",
     .type = SETTING_DURATION,
     .offset = FIELD(max_age_ms),
     .default_value = "0",
     .min = 0,
     .max = 2592000000,
     .help =
         "After this, give or take a tenth, a client is told to open a new connection and may end its calls on the old one: spreads long-lived connections over servers that have been added. 0 = never."},
    {.name = "max-connection-age-grace",
     .type = SETTING_DURATION,
     .offset = FIELD(max_age_grace_ms),
     .default_value = "0",
     .min = 0,
     .max = 2592000000,
     .help = "How long calls on such a connection may go on; 0 = until they end."},
    {.name = "keepalive-time",
     .type = SETTING_DURATION,
     .offset = FIELD(keepalive_time_ms),
     .default_value = "2h",
     .min = 0,
     .max = 2592000000,
     .help = "A client that has sent nothing for so long is asked whether it is there; 0 = never."},
    {.name = "keepalive-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(keepalive_timeout_ms),
     .default_value = "20s",
     .min = 100,
     .max = 600000,
     .help = "For its answer, and for the network to take what we send (TCP_USER_TIMEOUT)."},
    {.name = "min-ping-interval",
     .type = SETTING_DURATION,
     .offset = FIELD(min_ping_interval_ms),
     .default_value = "5m",
     .min = 0,
     .max = 86400000,
     .help =
         "Clients may ask no more often than this whether we are there, while they have calls; without calls every two hours. After two that come too early a connection is ended (too_many_pings). 0 = as often as they like, within reason."},
    {.name = "permit-pings-without-calls",
     .type = SETTING_BOOLEAN,
     .offset = FIELD(permits_pings_without_calls),
     .help = "The same interval for clients without calls."},
    {.name = "write-stall-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(write_stall_timeout_ms),
     .default_value = "20s",
     .min = 100,
     .max = 600000,
     .help =
         "For a client that takes nothing of what waits for it, be it bytes of the connection or answers behind a "
         "window that it does not open."},
    {.name = "reset-burst",
     .type = SETTING_INTEGER,
     .offset = FIELD(reset_burst),
     .default_value = "2000",
     .min = 100,
     .max = 1000000,
     .help = "Calls that may be reset on one connection at once, by either side."},
    {.name = "reset-rate",
     .type = SETTING_INTEGER,
     .offset = FIELD(reset_rate),
     .default_value = "500",
     .min = 1,
     .max = 1000000,
     .help = "And per second after that."},
    {.name = "flood-delay",
     .type = SETTING_DURATION,
     .offset = FIELD(flood_delay_ms),
     .default_value = "10ms",
     .min = 0,
     .max = 10000,
     .help =
         "Where a connection was closed for flooding, new ones of that address (IPv6: /64) are read no more "
         "often than this, those of the next ten seconds for their first two. 0 = as any other."},
    {.name = "overload-refusals",
     .type = SETTING_INTEGER,
     .offset = FIELD(overload_refusals),
     .default_value = "100000",
     .min = 0,
     .max = 1000000000,
     .help = "Calls that a loop which is behind refuses in a second. One that refuses more sends away the "
             "connections that bring most, and admits new ones as it has time for them, until it has sent "
             "away none for ten seconds. 0 = it only refuses."},
    {.name = "peer-inflation",
     .type = SETTING_SIZE,
     .offset = FIELD(peer_inflation_bytes),
     .default_value = "4MiB",
     .min = 0,
     .max = 32 * MIB,
     .help =
         "What gzip may make in a second of the requests of one address (IPv6: /64), beyond 16 times their "
         "size, and four times that at once; more are answered with UNAVAILABLE. 0 = any."},
    {.name = "json-ignore-unknown",
     .type = SETTING_BOOLEAN,
     .offset = FIELD(json_ignores_unknown),
     .help = "Fields and enum names of a request in JSON that this server does not know are passed over, and "
             "not refused: for clients that are newer. A mistyped field is then taken for an absent one."},
};

struct config_table grpc_server_settings_get_table(struct grpc_server_settings *settings) {
    return (struct config_table){
        .title = "Calls and connections", .settings = rows, .count = ARRAY_LENGTH(rows), .base = settings};
}

void grpc_server_settings_init(struct grpc_server_settings *settings) {
    struct config_table table = grpc_server_settings_get_table(settings);
    char *no_arguments[] = {NULL}, *no_environment[] = {NULL}, error[1];
    int count = 0;
    // The rows above are valid, so reading nothing but defaults cannot fail.
    enum status status = config_read(&table, 1, &count, no_arguments, no_environment, error, sizeof(error));
    (void)status;
}
