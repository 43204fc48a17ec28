// The listening socket of a port that libmicrohttpd serves: it would bind by itself, but then the reason of a
// failure is lost.
#ifndef LATCHKEY_COMMON_APP_HTTP_SOCKET_H
#define LATCHKEY_COMMON_APP_HTTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

struct http_socket_options {
    const char *setting; // "--admin-listen": what to mend, in the sentence
    const char *purpose; // "the admin port"
    const char *listen;  // listen_address.h, TCP only; port 0 = any
    bool is_shared;      // with another process that says so, too; then it does not listen yet
};

// The socket, which listens, or -1 and one sentence. `*ret_port` is the one that it has.
int http_socket_open(const struct http_socket_options *options, char *ret_error, size_t error_size,
                     unsigned *ret_port);

// Lets one that is shared listen; false where it can't. No harm to another one.
MUST_CHECK bool http_socket_listen(int fd);

#endif
