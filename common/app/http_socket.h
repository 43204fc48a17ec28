// The listening socket of a port that libmicrohttpd serves: it would bind by itself, but then the reason of a
// failure is lost.
#ifndef LATCHKEY_COMMON_APP_HTTP_SOCKET_H
#define LATCHKEY_COMMON_APP_HTTP_SOCKET_H

#include <stddef.h>

struct http_socket_options {
    const char *setting; // "--admin-listen": what to mend, in the sentence
    const char *purpose; // "the admin port"
    const char *listen;  // listen_address.h, TCP only; port 0 = any
};

// The socket, which listens, or -1 and one sentence. `*ret_port` is the one that it has.
int http_socket_open(const struct http_socket_options *options, char *ret_error, size_t error_size,
                     unsigned *ret_port);

#endif
