// Connecting with a deadline: non-blocking connect, poll, and the error that the socket then tells.
#include "common/grpc_client/client_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/grpc_client/client.h"

#define NS_PER_MS 1000000
#define POLL_MAX_MS 60000

bool client_socket_wait(int fd, short events, uint64_t deadline_ns, const struct clock *clock) {
    return client_socket_wait_or_wake(fd, events, -1, deadline_ns, clock);
}

bool client_socket_wait_or_wake(int fd, short events, int wake_fd, uint64_t deadline_ns,
                                const struct clock *clock) {
    for (;;) {
        uint64_t now_ns = clock_get_monotonic_ns(clock);
        if (now_ns >= deadline_ns)
            return false;
        // Rounded up: waking before the deadline would spin. Longer waits than poll() can take are cut and
        // repeated.
        uint64_t left_ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
        struct pollfd waited[] = {{.fd = fd, .events = events}, {.fd = wake_fd, .events = POLLIN}};
        if (poll(waited, 2, left_ms > POLL_MAX_MS ? POLL_MAX_MS : (int)left_ms) > 0)
            return waited[0].revents != 0;
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

static void set_failure(struct client_failure *failure, const char *name, int error) {
    switch (error) {
    case ECONNREFUSED:
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "nothing listens on %s",
                           name);
        return;
    case ENOENT:
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "there is no socket %s",
                           name);
        return;
    case ETIMEDOUT:
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_CONNECT_TIMEOUT,
                           "%s did not answer the attempt to connect in time", name);
        return;
    default:
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_REACHABLE, "can't connect to %s: %s",
                           name, strerrordesc_np(error));
    }
}

int client_socket_open(const struct client_address *address, uint64_t deadline_ns, const struct clock *clock,
                       struct client_failure *failure) {
    const struct sockaddr *to = (const struct sockaddr *)&address->socket;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 ? errno : begin(fd, to, address->len, deadline_ns, clock);
    if (error == 0) {
        if (!address->target->is_unix)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return fd;
    }
    set_failure(failure, address->target->text, error);
    if (fd >= 0)
        close(fd);
    return -1;
}
