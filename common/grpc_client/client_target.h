// Where a client connects to, as people type it: "host:port", "203.0.113.7:7070", "[2001:db8::1]:7070" or
// "unix:/run/latchkey.sock".
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TARGET_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define CLIENT_TARGET_HOST_MAX 253 // RFC 1035 as text
#define CLIENT_TARGET_PATH_MAX 107 // what sockaddr_un holds beside its NUL

struct client_target {
    bool is_unix;
    char host[CLIENT_TARGET_HOST_MAX + 1]; // without brackets
    char port[5 + 1];                      // 1..65535
    char path[CLIENT_TARGET_PATH_MAX + 1]; // of the socket, where is_unix
    char authority[CLIENT_TARGET_HOST_MAX +
                   sizeof("[]:65535")]; // what the request says; "localhost" where is_unix
    char text[CLIENT_TARGET_HOST_MAX + sizeof("unix:[]:65535")]; // what messages say
};

// False with a sentence in `ret_error` that says what to type instead. Looks nothing up.
MUST_CHECK bool client_target_parse(struct bytes text, struct client_target *ret_target, char *ret_error,
                                    size_t error_size);

#endif
