// Connecting with a deadline: non-blocking connect, poll, and the error that the socket then tells.
#include "common/grpc/client_socket.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/grpc/client.h"

#define NS_PER_MS 1000000
#define POLL_MAX_MS 60000

bool client_socket_wait(int fd, short events, uint64_t deadline_ns, const struct clock *clock) {
    for (;;) {
        uint64_t now_ns = clock_get_monotonic_ns(clock);
        if (now_ns >= deadline_ns)
            return false;
        // Rounded up: waking before the deadline would spin. Longer waits than poll() can take are cut and
        // repeated.
        uint64_t left_ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
        struct pollfd waited = {.fd = fd, .events = events};
        if (poll(&waited, 1, left_ms > POLL_MAX_MS ? POLL_MAX_MS : (int)left_ms) > 0)
            return true;
    }
}

// Waits until a connect that is under way has ended. 0 or its errno.
static int wait_connected(int fd, uint64_t deadline_ns, const struct clock *clock) {
    if (!client_socket_wait(fd, POLLOUT, deadline_ns, clock))
        return ETIMEDOUT;
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

static int begin(int fd, const struct sockaddr *address, socklen_t len, uint64_t deadline_ns,
                 const struct clock *clock) {
    if (connect(fd, address, len) == 0)
        return 0;
    // why: EINTR leaves the connect under way, just as EINPROGRESS does.
    if (errno != EINPROGRESS && errno != EINTR)
        return errno;
    return wait_connected(fd, deadline_ns, clock);
}

// 0 and the socket, or the errno of what failed.
static int connect_to(const struct sockaddr *address, socklen_t len, uint64_t deadline_ns,
                      const struct clock *clock, int *ret_fd) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int error = begin(fd, address, len, deadline_ns, clock);
    if (error != 0) {
        close(fd);
        return error;
    }
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    *ret_fd = fd;
    return 0;
}

static enum status fail(struct fault *fault, const struct client_target *target, int error) {
    const char *name = target->text;
    switch (error) {
    case ECONNREFUSED:
        return fault_set(fault, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "nothing listens on %s", name);
    case ENOENT:
        return fault_set(fault, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "there is no socket %s", name);
    case ETIMEDOUT:
        return fault_set(fault, STATUS_UNAVAILABLE, GRPC_CLIENT_CONNECT_TIMEOUT,
                         "%s did not answer the attempt to connect in time", name);
    default:
        return fault_set(fault, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "can't connect to %s: %s",
                         name, strerrordesc_np(error));
    }
}

static enum status connect_unix(const struct client_target *target, uint64_t deadline_ns,
                                const struct clock *clock, int *ret_fd, struct fault *fault) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static_assert(sizeof(address.sun_path) == sizeof(target->path), "a path that parses fits");
    memcpy(address.sun_path, target->path, sizeof(target->path));
    int error = connect_to((const struct sockaddr *)&address, sizeof(address), deadline_ns, clock, ret_fd);
    return error == 0 ? STATUS_OK : fail(fault, target, error);
}

// An even share of the time that is left, so that an address that swallows packets leaves some for the next
// ones.
static uint64_t share(uint64_t deadline_ns, size_t addresses_left, const struct clock *clock) {
    uint64_t now_ns = clock_get_monotonic_ns(clock);
    return now_ns >= deadline_ns ? deadline_ns : now_ns + (deadline_ns - now_ns) / addresses_left;
}

static enum status connect_internet(const struct client_target *target, uint64_t deadline_ns,
                                    const struct clock *clock, int *ret_fd, struct fault *fault) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses;
    int found = getaddrinfo(target->host, target->port, &hints, &addresses);
    if (found != 0)
        return fault_set(fault, STATUS_UNAVAILABLE, GRPC_CLIENT_NAME_NOT_FOUND,
                         "the name %s has no address: %s", target->host, gai_strerror(found));
    size_t left = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        left++;
    int error = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        error = connect_to(a->ai_addr, a->ai_addrlen, share(deadline_ns, left--, clock), clock, ret_fd);
        if (error == 0)
            break;
    }
    freeaddrinfo(addresses);
    return error == 0 ? STATUS_OK : fail(fault, target, error);
}

enum status client_socket_open(const struct client_target *target, uint64_t deadline_ns,
                               const struct clock *clock, int *ret_fd, struct fault *fault) {
    if (target->is_unix)
        return connect_unix(target, deadline_ns, clock, ret_fd, fault);
    return connect_internet(target, deadline_ns, clock, ret_fd, fault);
}
