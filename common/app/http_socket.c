#include "common/app/http_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/listen_address.h"

static unsigned get_port(const struct sockaddr *address) {
    switch (address->sa_family) {
    case AF_INET: return ntohs(((const struct sockaddr_in *)address)->sin_port);
    case AF_INET6: return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    default: return 0;
    }
}

static int explain(const struct http_socket_options *options, int error, char *ret_error, size_t error_size) {
    snprintf(ret_error, error_size, "can't serve %s on %s: %s", options->purpose, options->listen,
             strerror(error));
    size_t used = strlen(ret_error);
    if (error == EADDRINUSE)
        snprintf(ret_error + used, error_size - used, "; end what listens there or choose another with %s",
                 options->setting);
    return -1;
}

bool http_socket_listen(int fd) {
    return listen(fd, SOMAXCONN) == 0;
}

// -1 with errno.
static int bind_and_listen(const struct http_socket_options *options, struct listen_address *where) {
    struct sockaddr *address = (struct sockaddr *)&where->socket;
    int one = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (options->is_shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    int is_v6_only = !where->is_wildcard;
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, sizeof(is_v6_only));
    if (bind(fd, address, where->length) == 0 && (options->is_shared || http_socket_listen(fd)))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int http_socket_open(const struct http_socket_options *options, char *ret_error, size_t error_size,
                     unsigned *ret_port) {
    struct listen_address where;
    const char *reason;
    if (!listen_address_parse(options->listen, &where, &reason)) {
        snprintf(ret_error, error_size, "%s %s: %s", options->setting, options->listen, reason);
        return -1;
    }
    int fd = bind_and_listen(options, &where);
    if (fd < 0)
        return explain(options, errno, ret_error, error_size);
    getsockname(fd, (struct sockaddr *)&where.socket, &where.length);
    *ret_port = get_port((struct sockaddr *)&where.socket);
    return fd;
}
