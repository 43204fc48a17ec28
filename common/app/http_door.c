#include "common/app/http_door.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/app.h"
#include "common/app/http_exchange.h"
#include "common/app/http_socket.h"
#include "common/app/http_work.h"
#include "common/base/condition.h"

// Header fields are refused beyond 16 KiB in our own words; beyond this, by libmicrohttpd, which has 72 bytes
// for each of 128 fields in here, and its answer's fields.
enum {
    // why not more: libmicrohttpd looks through all of a line anew after each portion, and of one without an
    // end it reads the last 8 KiB 128 bytes at a time.
    CONNECTION_BYTES = 28 * 1024,
    // It adds an eighth of what is left when less than this is free, as long as that is 1 KiB or more.
    INCREMENT_BYTES = 256,
    SOCKET_BUFFER_BYTES = 256 * 1024,
    CANCEL_AGAIN_MS = 100,
    LAST_ANSWERS_MS = 1000
};

// ---- libmicrohttpd's callbacks ----

static enum MHD_Result on_accept(void *context, const struct sockaddr *address, socklen_t length) {
    (void)address, (void)length;
    struct http_door *door = context;
    return http_watch_admits(door->watch) ? MHD_YES : MHD_NO;
}

// why: else the kernel keeps up to 10 MiB for each of the many who do not read, or are not read.
static void bound_kernel_memory(int fd) {
    int size = SOCKET_BUFFER_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static void on_connection(void *context, struct MHD_Connection *connection, void **ret_watched,
                          enum MHD_ConnectionNotificationCode code) {
    struct http_door *door = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_watch_remove(door->watch, *ret_watched);
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    bound_kernel_memory(fd);
    *ret_watched = http_watch_add(door->watch, fd);
}

static void *on_first_line(void *context, const char *uri, struct MHD_Connection *connection) {
    return http_exchange_new(context, connection, uri);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_size, void **state) {
    (void)context, (void)connection, (void)path, (void)version;
    struct http_exchange *exchange = *state;
    return exchange ? http_exchange_go_on(exchange, method, piece, piece_size) : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    (void)context, (void)connection, (void)code;
    http_exchange_free(*state);
    *state = NULL;
}

// ---- places ----

bool http_door_is_leaving(const struct http_door *door) {
    return atomic_load_explicit(&door->is_leaving, memory_order_relaxed);
}

bool http_door_take_place(struct http_door *door) {
    pthread_mutex_lock(&door->mutex);
    bool has_place = !door->is_closing && door->asked < (size_t)door->options.settings->max_requests;
    door->asked += has_place;
    pthread_mutex_unlock(&door->mutex);
    return has_place;
}

void http_door_give_place_back(struct http_door *door) {
    pthread_mutex_lock(&door->mutex);
    if (--door->asked == 0)
        pthread_cond_broadcast(&door->calm);
    pthread_mutex_unlock(&door->mutex);
}

// ---- life ----

struct http_release {
    struct loop_task task;
    struct loop *loop;
};

static void on_release(struct loop_task *task) {
    loop_release(CONTAINER_OF(task, struct http_release, task)->loop);
}

static enum status hold_loops(struct http_door *door) {
    size_t count = loop_group_get_count(door->options.loops);
    door->releases = calloc(count, sizeof(*door->releases));
    if (!door->releases)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        door->releases[i] =
            (struct http_release){{.run = on_release}, loop_group_get_loop(door->options.loops, i)};
        loop_hold(door->releases[i].loop);
    }
    return STATUS_OK;
}

static void release_loops(struct http_door *door) {
    for (size_t i = 0; i < loop_group_get_count(door->options.loops); i++)
        loop_post(door->releases[i].loop, &door->releases[i].task);
}

static void take_routes(struct http_door *door, const struct http_route *routes, size_t count) {
    assert(door->route_count + count <= HTTP_ROUTES_MAX);
    for (size_t i = 0; i < count; i++)
        door->routes[door->route_count++] = &routes[i];
}

static void take_all_routes(struct http_door *door) {
    const struct http_site *site = door->options.site;
    const struct app_program *program = door->options.program;
    take_routes(door, site->routes, site->route_count);
    for (size_t i = 0; program && i < program->service_count; i++)
        take_routes(door, program->services[i]->http_routes, program->services[i]->http_route_count);
    take_routes(door, site->methods, 1);
    take_routes(door, site->rest, 1);
}

static enum status make(const struct http_door_options *options, struct http_door *door) {
    const struct http_settings *settings = options->settings;
    const struct http_watch_options watch = {.clock = options->clock,
                                             .connections_max = (size_t)settings->max_connections,
                                             .idle_ms = settings->idle_timeout_ms,
                                             .request_ms = settings->request_timeout_ms};
    take_all_routes(door);
    enum status status = http_watch_new(&watch, &door->watch);
    if (status == STATUS_OK)
        status = http_work_open(door);
    return status == STATUS_OK ? hold_loops(door) : status;
}

enum status http_door_new(const struct http_door_options *options, struct http_door **ret_door,
                          char *ret_error, size_t error_size) {
    const struct http_site *site = options->site;
    const char *listen = http_site_find_listen(site);
    const struct http_socket_options socket = {site->setting, site->purpose, listen, options->is_shared};
    unsigned port;
    *ret_door = NULL;
    if (!listen)
        return STATUS_OK;
    int fd = http_socket_open(&socket, ret_error, error_size, &port);
    if (fd < 0)
        return STATUS_UNAVAILABLE;
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    struct http_door *door = calloc(1, sizeof(*door));
    if (!door) {
        close(fd);
        return STATUS_NO_MEMORY;
    }
    door->options = *options;
    door->fd = fd;
    door->port = port;
    pthread_mutex_init(&door->mutex, NULL);
    condition_init(&door->calm);
    enum status status = make(options, door);
    if (status != STATUS_OK) {
        http_door_free(door);
        return status;
    }
    *ret_door = door;
    return STATUS_OK;
}

enum status http_door_open(struct http_door *door, char *ret_error, size_t error_size) {
    if (!door)
        return STATUS_OK;
    const struct http_settings *settings = door->options.settings;
    size_t max = (size_t)settings->max_connections;
    if (http_socket_listen(door->fd))
        door->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
                                        on_accept, door, on_request, door, MHD_OPTION_LISTEN_SOCKET, door->fd,
                                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(max + HTTP_WATCH_SLACK(max)),
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                                        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)INCREMENT_BYTES,
                                        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
                                        on_first_line, door, MHD_OPTION_NOTIFY_COMPLETED, on_completed, door,
                                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, door, MHD_OPTION_END);
    if (door->daemon) {
        door->fd = -1;
        return STATUS_OK;
    }
    snprintf(ret_error, error_size, "can't serve %s on %s", door->options.site->purpose,
             *door->options.site->listen);
    return STATUS_UNAVAILABLE;
}

unsigned http_door_get_port(const struct http_door *door) {
    return door ? door->port : 0;
}

void http_door_leave(struct http_door *door) {
    if (door)
        atomic_store_explicit(&door->is_leaving, true, memory_order_relaxed);
}

bool http_door_is_stopping(const struct http_door *door) {
    return atomic_load_explicit(&door->is_stopping, memory_order_relaxed);
}

// True when nothing is asked any more.
static bool wait_calm(struct http_door *door, uint32_t grace_ms) {
    struct timespec until = condition_get_end(grace_ms);
    int result = 0;
    pthread_mutex_lock(&door->mutex);
    while (door->asked > 0 && result == 0)
        result = pthread_cond_timedwait(&door->calm, &door->mutex, &until);
    bool is_calm = door->asked == 0;
    pthread_mutex_unlock(&door->mutex);
    return is_calm;
}

void http_door_stop_accepting(struct http_door *door) {
    bool is_accepting = door && door->daemon && door->fd < 0;
    if (!is_accepting)
        return;
    http_door_leave(door);
    atomic_store_explicit(&door->is_stopping, true, memory_order_relaxed);
    door->fd = MHD_quiesce_daemon(door->daemon);
    shutdown(door->fd, SHUT_RD); // who comes now is not let in to wait for nobody
}

void http_door_drain(struct http_door *door, uint32_t grace_ms) {
    http_door_stop_accepting(door);
    if (door)
        (void)wait_calm(door, grace_ms);
}

static void refuse_from_now_on(struct http_door *door) {
    pthread_mutex_lock(&door->mutex);
    door->is_closing = true;
    pthread_mutex_unlock(&door->mutex);
}

void http_door_close(struct http_door *door) {
    if (!door)
        return;
    if (door->daemon) {
        refuse_from_now_on(door);
        do // again: who has a place may not have begun its call yet
            http_watch_cancel_all(door->watch);
        while (!wait_calm(door, CANCEL_AGAIN_MS));
        http_watch_wait_answered(door->watch, LAST_ANSWERS_MS); // what has been decided has yet to leave
        MHD_stop_daemon(door->daemon);                          // it must not find a connection suspended
        door->daemon = NULL;
    }
    release_loops(door);
}

void http_door_free(struct http_door *door) {
    if (!door)
        return;
    if (door->fd >= 0)
        close(door->fd);
    worker_pool_free(door->workers);
    http_watch_free(door->watch);
    free(door->releases);
    pthread_cond_destroy(&door->calm);
    pthread_mutex_destroy(&door->mutex);
    free(door);
}
