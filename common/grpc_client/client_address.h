// The socket addresses behind a client's targets.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_ADDRESS_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/base/compiler.h"
#include "common/grpc_client/client_failure.h"
#include "common/grpc_client/client_targets.h"

#define CLIENT_ADDRESSES_MAX 32 // more are left out

struct client_address {
    const struct client_target *target; // borrows: what was typed
    struct sockaddr_storage socket;
    socklen_t len;
};

struct client_addresses {
    size_t count;
    struct client_address all[CLIENT_ADDRESSES_MAX];
};

// Looks up every target, in their order and the resolver's; the resolver blocks as long as the system's
// configuration lets it. A name without an address is passed over as long as another target has one. True, or
// false with `failure` set and `ret_addresses` empty. Borrows the targets.
MUST_CHECK bool client_addresses_find(const struct client_targets *targets,
                                      struct client_addresses *ret_addresses, struct client_failure *failure);

bool client_address_is_equal(const struct client_address *a, const struct client_address *b);

// Whether what is sent there stays on this machine: loopback, or the path of a socket.
bool client_address_is_local(const struct client_address *address);

#endif
