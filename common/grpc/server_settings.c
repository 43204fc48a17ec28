#include "common/grpc/server_settings.h"

#include <stddef.h>

#include "common/base/compiler.h"

#define KIB 1024
#define MIB (1024 * 1024)
#define FIELD(name) offsetof(struct grpc_server_settings, name)

static const struct setting rows[] = {
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
    {.name = "max-request-size",
     .type = SETTING_SIZE,
     .offset = FIELD(max_request_bytes),
     .default_value = "1MiB",
     .min = 1 * KIB,
     .max = 64 * MIB,
     .help = "Largest request message, where the method has no limit of its own."},
    {.name = "request-memory",
     .type = SETTING_SIZE,
     .offset = FIELD(request_memory_bytes),
     .default_value = "512MiB",
     .min = 128 * MIB,
     .max = INT64_C(1024) * 1024 * MIB,
     .help = "What large requests may hold in memory until they are answered, over all connections; more are "
             "answered with UNAVAILABLE. As much is for answers of streams that are not read."},
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
    {.name = "idle-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(idle_timeout_ms),
     .default_value = "5m",
     .min = 0,
     .max = 86400000,
     .help = "For a connection that has never made a call; 0 = never closed."},
    {.name = "write-stall-timeout",
     .type = SETTING_DURATION,
     .offset = FIELD(write_stall_timeout_ms),
     .default_value = "20s",
     .min = 100,
     .max = 600000,
     .help = "For a client that takes nothing of what waits for it."},
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
