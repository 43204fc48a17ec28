// The text of a listening address: where to bind.
#ifndef LATCHKEY_COMMON_NET_LISTEN_ADDRESS_H
#define LATCHKEY_COMMON_NET_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/compiler.h"

struct listen_address {
    struct sockaddr_storage socket;
    socklen_t length;
    bool is_wildcard; // "*": both families
    bool is_local;    // nobody from another machine can reach it
};

// "127.0.0.1:7070", "[::1]:7070", "*:7070" or "unix:/path". Where false, *ret_reason says what to type;
// static storage.
MUST_CHECK bool listen_address_parse(const char *text, struct listen_address *ret_address,
                                     const char **ret_reason);

#endif
