// The servers whose methods the console passes calls on to, where it is a program of its own: where they are,
// how they are spoken to, and clients of them, which are kept from call to call.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_SERVERS_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_SERVERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/config.h"
#include "common/grpc_client/client.h"

enum console_server {
    CONSOLE_SERVER_TOKEN,
    CONSOLE_SERVER_WHITELIST,
    CONSOLE_SERVER_INVITATION,
    CONSOLE_SERVER_VALIDATOR,
    CONSOLE_SERVER_COUNT
};

struct console_servers_settings {
    const char *address;                           // client_targets.h
    const char *own_address[CONSOLE_SERVER_COUNT]; // NULL or "" = `address`
    const char *ca_file;
    const char *certificate_file;
    const char *key_file;
    const char *server_name;
    bool allow_plaintext;
    int64_t timeout_ms;
    int64_t calls_max; // the relay's
};

extern struct console_servers_settings console_servers_settings;

#define CONSOLE_SERVERS_SETTING_COUNT 12
extern const struct setting console_servers_setting_table[CONSOLE_SERVERS_SETTING_COUNT];

// Whether clients can be made as the settings are, and the files that they name: INVALID, or NO_MEMORY, and a
// sentence.
MUST_CHECK enum status console_servers_check(char *ret_error, size_t error_size);

// Before any call; borrows the clock.
void console_servers_start(const struct clock *clock);

// After the last call.
void console_servers_stop(void);

// The main thread's: files of TLS that have changed, or all of them, are read again. Clients that were made
// before are not used for another call.
void console_servers_tick(void);
void console_servers_reload(void);

// Any thread but a loop's: it blocks (grpc_client_call()). What a server answered is in `fault` as it said
// it. Where none did, or where it does not believe this program for whom it asks, the log says why, once
// until one answers again, and `fault` is UNAVAILABLE (SERVER_UNAVAILABLE), OUTCOME_UNKNOWN or
// DEADLINE_EXCEEDED without a word about them.
MUST_CHECK enum status console_servers_call(enum console_server server, const struct grpc_client_call *call,
                                            struct arena *arena, ProtobufCMessage **ret_response,
                                            struct fault *fault);

// A metrics_source.
void console_servers_write_metrics(struct metrics_writer *writer, void *context);

#endif
