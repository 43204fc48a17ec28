// The way to a service that has one or several addresses: which of them are connected, which rest after a
// failure, and which one the next call goes to. An address that can't be reached, speaks something else or
// says that it is not serving is passed over and rests, longer each time; one that was reached is connected
// again at once when its connection is lost. Nothing happens between calls.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_CHANNEL_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc_client/client_connection.h"
#include "common/grpc_client/client_pick.h"
#include "common/grpc_client/client_targets.h"

struct client_channel;

struct client_channel_options {
    const struct clock *clock;
    uint64_t connect_timeout_ns; // over all addresses together
    uint64_t keepalive_time_ns, keepalive_timeout_ns;
    const char *user_agent;
    enum client_picking picking;
    const char *health_service; // NULL = health is not asked for
    bool allow_plaintext;       // also to other machines
};

// Takes `targets` (memory of malloc's) where it succeeds. `tls` has one for each target and is borrowed; NULL
// = plaintext. Borrows what the options point to. Looks nothing up. NULL when memory ran out.
MUST_CHECK struct client_channel *client_channel_new(struct client_targets *targets,
                                                     struct tls_client *const *tls,
                                                     const struct client_channel_options *options);
void client_channel_free(struct client_channel *channel); // takes NULL

// Where a call goes.
struct client_link {
    struct client_connection *connection; // until the next client_channel_get()
    const char *authority;
    const char *peer; // names the server in sentences
    bool is_tls;
};

enum client_patience {
    CLIENT_FAILS_FAST = 0, // when no address can be had now
    CLIENT_WAITS           // until one can, or the deadline has passed
};

// Picks an address, connecting it if it is not; otherwise `fault` says why the last one failed.
MUST_CHECK enum status client_channel_get(struct client_channel *channel, enum client_patience patience,
                                          uint64_t deadline_ns, struct client_link *ret_link,
                                          struct fault *fault);

#endif
