// Sockets are made and bound by hand, all before any is given to libuv: so a port in use is known at once,
// and nothing is half-open afterwards.
//
// The end: each loop closes its socket, and only then is nobody handed over any more. So the last to close
// posts to all loops, behind whatever is on its way to them; until that has run each loop is held.
#include "common/net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/listen_address.h"
#include "common/net/loop_internal.h"
#include "common/net/stream_internal.h"

enum {
    BACKLOG = 512,
    ADDRESS_TEXT_MAX = 128,
    ACCEPTS_PER_TURN = 8,
    PAUSE_MS = 100,
    UNSENT_BYTES = 512 * 1024
};

// One per loop.
struct listening {
    struct listener *listener;
    struct loop *loop;
    int fd;
    uv_poll_t poll;
    struct timer pause; // armed while nobody is accepted
    bool is_failing;    // and that has been told
    bool has_stopped;   // the loop: what still comes is nobody's
    struct loop_task open_task, close_task, stop_task, end_task;
};

// An accepted connection on its way to another loop.
struct handed_over {
    struct loop_task task;
    struct listening *to;
    int fd;
};

struct listener {
    struct listener_options options;
    struct listen_address where;
    char address[ADDRESS_TEXT_MAX];
    uint16_t port;
    atomic_bool is_closed;    // relaxed: only for who closes first
    atomic_size_t open_count; // sockets that are not closed; release by who closes, acquire by the last
    atomic_size_t held_count; // loops; relaxed: only for who is last
    size_t count;
    struct listening loops[];
};

static enum status status_of_error(int error) {
    switch (error) {
    case EADDRINUSE: return STATUS_ALREADY_EXISTS;
    case EACCES:
    case EPERM: return STATUS_PERMISSION_DENIED;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENOENT:
    case ENOTDIR: return STATUS_INVALID;
    default: return STATUS_EXHAUSTED;
    }
}

static const char *advice_of_error(int error) {
    switch (error) {
    case EADDRINUSE: return "the address is in use: stop the other program or listen on another port";
    case EACCES:
        return "not allowed: ports below 1024 need CAP_NET_BIND_SERVICE, a path a writable directory";
    case EADDRNOTAVAIL: return "this machine does not have the address";
    default: return "";
    }
}

static enum status explain(const char *address, int error, char *ret_error, size_t error_size) {
    const char *advice = advice_of_error(error);
    snprintf(ret_error, error_size, "cannot listen on %s: %s", address,
             *advice ? advice : strerrordesc_np(error));
    return status_of_error(error);
}

static int set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value));
}

// The sockets that are accepted inherit it. What the network does not take yet waits with us, where it is
// counted, and what is urgent overtakes it: the kernel would keep megabytes.
static void set_tcp_options(int fd, int64_t user_timeout_ms) {
    (void)set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    if (user_timeout_ms > 0)
        (void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)user_timeout_ms);
}

enum sharing { SHARE_NOT, SHARE_PORT };

// A bound socket, or -1 with errno.
static int bind_socket(const struct listen_address *where, enum sharing sharing) {
    int family = where->socket.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bool is_ready = true;
    if (family != AF_UNIX) {
        is_ready = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0;
        if (sharing == SHARE_PORT)
            is_ready = is_ready && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0;
    }
    if (family == AF_INET6)
        is_ready = is_ready && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !where->is_wildcard) == 0;
    if (is_ready && bind(fd, (const struct sockaddr *)&where->socket, where->length) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void close_sockets(int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

// SO_REUSEPORT would let a second program of the same user share the port unnoticed: a socket without it is
// refused.
static bool port_is_free(const struct listen_address *where) {
    int fd = bind_socket(where, SHARE_NOT);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

// The first socket picks the port where none was given, the others join it.
static bool bind_tcp(const struct listener *listener, struct listen_address *where, int *fds) {
    size_t count = listener->count;
    if (!listener->options.is_shared && !port_is_free(where))
        return false;
    for (size_t i = 0; i < count; i++) {
        fds[i] = bind_socket(where, SHARE_PORT);
        socklen_t length = sizeof(where->socket);
        if (fds[i] < 0 || getsockname(fds[i], (struct sockaddr *)&where->socket, &length) != 0) {
            int error = errno;
            close_sockets(fds, fds[i] < 0 ? i : i + 1);
            errno = error;
            return false;
        }
    }
    return true;
}

// A path that a dead process has left behind answers ECONNREFUSED.
static void remove_stale_path(const struct listen_address *where) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&where->socket, where->length) != 0 && errno == ECONNREFUSED)
        unlink(((const struct sockaddr_un *)&where->socket)->sun_path);
    close(fd);
}

// One socket, shared by all loops.
static bool bind_unix(struct listen_address *where, int *fds, size_t count) {
    remove_stale_path(where);
    fds[0] = bind_socket(where, SHARE_NOT);
    if (fds[0] < 0)
        return false;
    for (size_t i = 1; i < count; i++) {
        fds[i] = dup(fds[0]);
        if (fds[i] < 0) {
            int error = errno;
            close_sockets(fds, i);
            errno = error;
            return false;
        }
    }
    return true;
}

static bool bind_all(struct listener *listener, int *fds) {
    struct listen_address *where = &listener->where;
    if (where->socket.ss_family == AF_UNIX)
        return bind_unix(where, fds, listener->count);
    if (bind_tcp(listener, where, fds))
        return true;
    if (!where->is_wildcard || errno != EAFNOSUPPORT)
        return false;
    // A machine without IPv6.
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = ((const struct sockaddr_in6 *)&where->socket)->sin6_port};
    memcpy(&where->socket, &any, sizeof(any));
    where->length = sizeof(any);
    return bind_tcp(listener, where, fds);
}

static void on_readable(uv_poll_t *poll, int result, int events);

static void resume(struct listening *listening) {
    int result = uv_poll_start(&listening->poll, UV_READABLE, on_readable);
    assert(result == 0);
    (void)result;
}

static void on_pause_over(struct timer *timer) {
    resume(CONTAINER_OF(timer, struct listening, pause));
}

// why: the socket stays readable, so the loop would spin on it, and fill the log, as long as others keep all
// descriptors.
static void pause_after(struct listening *listening, int error) {
    if (!listening->is_failing)
        log_event(LOG_LEVEL_WARNING, "connections are not accepted now",
                  LOG_TEXT("listen", listening->listener->address),
                  LOG_TEXT("error", strerrordesc_np(error)));
    listening->is_failing = true;
    uv_poll_stop(&listening->poll);
    loop_arm_timer(listening->loop, &listening->pause,
                   loop_get_monotonic_ns(listening->loop) + PAUSE_MS * UINT64_C(1000000));
}

static void take(struct listening *listening, int fd) {
    const struct listener_options *options = &listening->listener->options;
    bool is_unix = listening->listener->where.socket.ss_family == AF_UNIX;
    struct stream *stream;
    if (stream_plain_open(listening->loop, is_unix ? UV_NAMED_PIPE : UV_TCP, fd, options->balance, &stream) ==
        STATUS_OK)
        options->on_accept(options->context, listening->loop, stream);
}

// Of one that was counted for the loop.
static void drop(struct listening *listening, int fd) {
    connection_balance_remove(listening->listener->options.balance, loop_get_index(listening->loop));
    close(fd);
}

static void on_handed_over(struct loop_task *task) {
    struct handed_over *handed = CONTAINER_OF(task, struct handed_over, task);
    struct listening *listening = handed->to;
    int fd = handed->fd;
    free(handed);
    if (listening->has_stopped)
        drop(listening, fd);
    else
        take(listening, fd);
}

static void hand_over(struct listening *to, int fd) {
    struct handed_over *handed = malloc(sizeof(*handed));
    if (!handed) {
        drop(to, fd);
        return;
    }
    *handed = (struct handed_over){.task.run = on_handed_over, .to = to, .fd = fd};
    loop_post(to->loop, &handed->task);
}

static void place(struct listening *listening, int fd) {
    struct listener *listener = listening->listener;
    size_t own = loop_get_index(listening->loop);
    size_t to = listener->options.balance ? connection_balance_add(listener->options.balance, own) : own;
    if (to == own)
        take(listening, fd);
    else
        hand_over(&listener->loops[to], fd);
}

// Takes up to `max` of those who wait. False when accepting has failed, with errno.
static bool accept_waiting(struct listening *listening, size_t max) {
    for (size_t i = 0; i < max; i++) {
        int fd = accept4(listening->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            listening->is_failing = false;
            place(listening, fd);
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void on_readable(uv_poll_t *poll, int result, int events) {
    (void)result, (void)events;
    struct listening *listening = poll->data;
    if (!accept_waiting(listening, ACCEPTS_PER_TURN))
        pause_after(listening, errno);
}

static void close_listening(struct listening *listening) {
    struct listener *listener = listening->listener;
    if (uv_is_closing((uv_handle_t *)&listening->poll))
        return;
    loop_disarm_timer(listening->loop, &listening->pause);
    uv_close((uv_handle_t *)&listening->poll, NULL);
    close(listening->fd);
    if (atomic_fetch_sub_explicit(&listener->open_count, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < listener->count; i++)
        loop_post(listener->loops[i].loop, &listener->loops[i].end_task);
}

static void on_end_task(struct loop_task *task) {
    struct listening *listening = CONTAINER_OF(task, struct listening, end_task);
    struct listener *listener = listening->listener;
    loop_release(listening->loop);
    size_t held_count = atomic_fetch_sub_explicit(&listener->held_count, 1, memory_order_relaxed);
    if (held_count == 1 && listener->options.on_closed)
        listener->options.on_closed(listener->options.context);
}

// why: the kernel resets whom it has let in and nobody has accepted, and those may have sent a request. It
// lets in a full queue at most while the queue is emptied, so two are enough.
static void on_close_task(struct loop_task *task) {
    struct listening *listening = CONTAINER_OF(task, struct listening, close_task);
    if (!uv_is_closing((uv_handle_t *)&listening->poll))
        (void)accept_waiting(listening, 2 * (size_t)listening->listener->options.backlog);
    close_listening(listening);
}

static void on_stop_task(struct loop_task *task) {
    struct listening *listening = CONTAINER_OF(task, struct listening, stop_task);
    listening->has_stopped = true;
    close_listening(listening);
}

static void on_open_task(struct loop_task *task) {
    struct listening *listening = CONTAINER_OF(task, struct listening, open_task);
    if (!uv_is_closing((uv_handle_t *)&listening->poll))
        resume(listening);
}

// The socket listens already, or will, so nothing is left that could fail.
static void open_on_loop(struct listener *listener, struct listening *listening, struct loop *loop, int fd) {
    listening->listener = listener;
    listening->loop = loop;
    listening->open_task.run = on_open_task;
    listening->close_task.run = on_close_task;
    listening->stop_task.run = on_stop_task;
    listening->end_task.run = on_end_task;
    listening->fd = fd;
    listening->pause.on_due = on_pause_over;
    int result = uv_poll_init(loop_get_uv(loop), &listening->poll, fd);
    assert(result == 0);
    (void)result;
    listening->poll.data = listening;
    loop_add_stop_task(loop, &listening->stop_task);
    loop_hold(loop);
    if (!listener->options.is_shared)
        resume(listening);
}

static void write_address(struct listener *listener) {
    const struct listen_address *where = &listener->where;
    if (where->socket.ss_family == AF_UNIX) {
        snprintf(listener->address, sizeof(listener->address), "unix:%s",
                 ((const struct sockaddr_un *)&where->socket)->sun_path);
        return;
    }
    bool is_v6 = where->socket.ss_family == AF_INET6;
    listener->port = ntohs(is_v6 ? ((const struct sockaddr_in6 *)&where->socket)->sin6_port
                                 : ((const struct sockaddr_in *)&where->socket)->sin_port);
    struct ip_address ip = ip_address_from_sockaddr((const struct sockaddr *)&where->socket);
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&ip, text);
    if (where->is_wildcard)
        snprintf(listener->address, sizeof(listener->address), "*:%u", listener->port);
    else
        snprintf(listener->address, sizeof(listener->address), "%s%s%s:%u", is_v6 ? "[" : "", text,
                 is_v6 ? "]" : "", listener->port);
}

static bool listen_all(const struct listener *listener, const int *fds) {
    for (size_t i = 0; i < listener->count; i++)
        if (listen(fds[i], listener->options.backlog) != 0)
            return false;
    return true;
}

static void set_all_options(const struct listener *listener, const int *fds) {
    for (size_t i = 0; i < listener->count; i++)
        if (listener->where.socket.ss_family != AF_UNIX)
            set_tcp_options(fds[i], listener->options.user_timeout_ms);
}

static enum status open_all(struct loop_group *group, struct listener *listener, int *fds, char *ret_error,
                            size_t error_size) {
    if (!bind_all(listener, fds))
        return explain(listener->options.address, errno, ret_error, error_size);
    set_all_options(listener, fds);
    if (!listener->options.is_shared && !listen_all(listener, fds)) {
        int error = errno;
        close_sockets(fds, listener->count);
        return explain(listener->options.address, error, ret_error, error_size);
    }
    write_address(listener);
    listener->open_count = listener->held_count = listener->count;
    for (size_t i = 0; i < listener->count; i++)
        open_on_loop(listener, &listener->loops[i], loop_group_get_loop(group, i), fds[i]);
    return STATUS_OK;
}

enum status listener_new(struct loop_group *group, const struct listener_options *options, char *ret_error,
                         size_t error_size, struct listener **ret_listener) {
    struct listen_address where;
    const char *reason;
    if (!listen_address_parse(options->address, &where, &reason)) {
        snprintf(ret_error, error_size, "cannot listen on \"%s\": %s", options->address, reason);
        return STATUS_INVALID;
    }
    size_t count = loop_group_get_count(group);
    struct listener *listener = calloc(1, sizeof(*listener) + count * sizeof(listener->loops[0]));
    int *fds = calloc(count, sizeof(*fds));
    enum status status = STATUS_NO_MEMORY;
    if (!listener || !fds) {
        snprintf(ret_error, error_size, "cannot listen on %s: out of memory", options->address);
        goto fail;
    }
    listener->options = *options;
    if (options->backlog == 0)
        listener->options.backlog = BACKLOG;
    listener->where = where;
    listener->options.is_shared = options->is_shared && where.socket.ss_family != AF_UNIX;
    listener->count = count;
    status = open_all(group, listener, fds, ret_error, error_size);
    if (status != STATUS_OK)
        goto fail;
    free(fds);
    *ret_listener = listener;
    return STATUS_OK;

fail:
    free(fds);
    free(listener);
    return status;
}

enum status listener_open(struct listener *listener, char *ret_error, size_t error_size) {
    if (!listener->options.is_shared)
        return STATUS_OK;
    for (size_t i = 0; i < listener->count; i++) {
        struct listening *listening = &listener->loops[i];
        if (listen(listening->fd, listener->options.backlog) != 0)
            return explain(listener->options.address, errno, ret_error, error_size);
        loop_post(listening->loop, &listening->open_task);
    }
    return STATUS_OK;
}

const char *listener_get_address(const struct listener *listener) {
    return listener->address;
}

uint16_t listener_get_port(const struct listener *listener) {
    return listener->port;
}

static void remove_path(const struct listener *listener) {
    if (listener->where.socket.ss_family == AF_UNIX)
        unlink(((const struct sockaddr_un *)&listener->where.socket)->sun_path);
}

void listener_close(struct listener *listener) {
    if (atomic_exchange_explicit(&listener->is_closed, true, memory_order_relaxed))
        return;
    remove_path(listener);
    for (size_t i = 0; i < listener->count; i++)
        loop_post(listener->loops[i].loop, &listener->loops[i].close_task);
}

void listener_free(struct listener *listener) {
    if (!listener)
        return;
    if (!atomic_load_explicit(&listener->is_closed, memory_order_relaxed))
        remove_path(listener);
    free(listener);
}

bool listener_address_is_local(const char *address) {
    struct listen_address where;
    const char *reason;
    return listen_address_parse(address, &where, &reason) && where.is_local;
}
