// What a server owns: the routing table, one grpc_loop per loop, the listeners; and how it drains.
#include "common/grpc/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/condition.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_admission.h"
#include "common/grpc/connection_frames.h"
#include "common/grpc/method_types.h"
#include "common/grpc/server_internal.h"

enum { HANDSHAKE_PEERS_MAX = 4096 };

static void close_connections(struct grpc_loop *home) {
    while (home->connections)
        connection_close(home->connections, GRPC_CLOSE_STOPPED, STREAM_CLOSE_NOW);
}

static void on_stop(struct loop_task *task) {
    struct grpc_loop *home = CONTAINER_OF(task, struct grpc_loop, stop_task);
    home->is_draining = true;
    if (home->tls)
        tls_acceptor_drop(home->tls);
    close_connections(home);
}

static size_t count_peers(const struct grpc_loop *home) {
    return home->connection_count + (home->tls ? tls_acceptor_get_count(home->tls) : 0);
}

void server_loop_note_end(struct grpc_loop *home) {
    struct grpc_server *server = home->server;
    if (!home->is_draining || count_peers(home) > 0)
        return;
    pthread_mutex_lock(&server->mutex);
    if (server->busy_loops > 0 && --server->busy_loops == 0)
        pthread_cond_signal(&server->drained);
    pthread_mutex_unlock(&server->mutex);
}

static void on_drain(struct loop_task *task) {
    struct grpc_loop *home = CONTAINER_OF(task, struct grpc_loop, drain_task);
    home->is_draining = true;
    for (struct grpc_connection *connection = home->connections; connection; connection = connection->next)
        connection_drain(connection, GRPC_CLOSE_DRAINED);
    server_loop_note_end(home);
}

static bool is_of_unix(const struct stream *stream) {
    return stream_is_peer_local(stream) && stream_get_peer(stream)->family == IP_FAMILY_NONE;
}

// False with the reason.
static bool may_accept(struct grpc_loop *home, enum grpc_close *ret_why) {
    const struct grpc_server *server = home->server;
    size_t share = ((size_t)server->settings.max_connections + server->loop_count - 1) / server->loop_count;
    if (home->is_draining)
        *ret_why = GRPC_CLOSE_DRAINED;
    else if (count_peers(home) >= share)
        *ret_why = GRPC_CLOSE_TOO_MANY_CONNECTIONS;
    else if (!connection_admission_permits(home))
        *ret_why = GRPC_CLOSE_NOT_ADMITTED;
    else
        return true;
    return false;
}

static void on_accept(void *context, struct loop *loop, struct stream *stream) {
    struct grpc_server *server = context;
    struct grpc_loop *home = &server->home[loop_get_index(loop)];
    stats_add(&home->stats.connections_accepted, 1);
    enum grpc_close why;
    if (!may_accept(home, &why)) {
        stats_add(&home->stats.connections_closed[why], 1);
        stream_close(stream, STREAM_CLOSE_NOW);
        return;
    }
    if (home->tls && !is_of_unix(stream))
        tls_acceptor_take(home->tls, stream);
    else
        connection_open(home, stream);
}

static void on_handshake_complete(void *context, struct stream *stream) {
    connection_open(context, stream);
}

static void on_handshake_refused(void *context, enum tls_refusal why) {
    static const enum grpc_close reasons[] = {
        [TLS_REFUSAL_FAILED] = GRPC_CLOSE_TLS_FAILED,   [TLS_REFUSAL_TIMEOUT] = GRPC_CLOSE_TLS_TIMEOUT,
        [TLS_REFUSAL_BUDGET] = GRPC_CLOSE_TLS_BUDGET,   [TLS_REFUSAL_PEER_CLOSED] = GRPC_CLOSE_PEER_CLOSED,
        [TLS_REFUSAL_NO_MEMORY] = GRPC_CLOSE_NO_MEMORY,
    };
    struct grpc_loop *home = context;
    stats_add(&home->stats.connections_closed[reasons[why]], 1);
    server_loop_note_end(home);
}

static enum status init_throttle(struct grpc_server *server, int64_t per_second) {
    if (per_second == 0)
        return STATUS_OK;
    const struct throttle_options options = {
        .burst = per_second, .refill_ms = 1000 / per_second, .addresses_max = HANDSHAKE_PEERS_MAX};
    return throttle_new(&options, &server->handshakes);
}

static enum status init_tls(struct grpc_server *server, const struct grpc_server_options *options) {
    if (!options->tls)
        return STATUS_OK;
    enum status status = init_throttle(server, options->tls_limits.peer_handshake_rate);
    for (size_t i = 0; i < server->loop_count && status == STATUS_OK; i++) {
        const struct tls_acceptor_options acceptor = {.loop = loop_group_get_loop(server->loops, i),
                                                      .server = options->tls,
                                                      .throttle = server->handshakes,
                                                      .timeout_ms = options->tls_limits.handshake_timeout_ms,
                                                      .max_handshakes = options->tls_limits.max_handshakes,
                                                      .on_accept = on_handshake_complete,
                                                      .on_refused = on_handshake_refused,
                                                      .context = &server->home[i]};
        status = tls_acceptor_new(&acceptor, &server->home[i].tls);
    }
    return status;
}

static void on_scrub(struct loop_scrub *scrub) {
    struct grpc_loop *home = CONTAINER_OF(scrub, struct grpc_loop, scrub);
    session_memory_scrub(&home->memory);
    compression_fini(&home->compression);
}

static bool init_loop(struct grpc_server *server, size_t index) {
    struct grpc_loop *home = &server->home[index];
    home->server = server;
    home->loop = loop_group_get_loop(server->loops, index);
    home->methods = calloc(router_get_count(server->router) + 1, sizeof(*home->methods));
    if (!home->methods)
        return false;
    session_memory_init(&home->memory);
    admission_init(&home->admission, (uint64_t)server->settings.overload_refusals,
                   loop_get_monotonic_ns(home->loop));
    home->stop_task.run = on_stop;
    home->drain_task.run = on_drain;
    home->scrub.run = on_scrub;
    return true;
}

static enum status init_loops(struct grpc_server *server) {
    for (size_t i = 0; i < server->loop_count; i++)
        if (!init_loop(server, i))
            return STATUS_NO_MEMORY;
    // Nothing fails any more, so no task outlives a server that was not made.
    for (size_t i = 0; i < server->loop_count; i++) {
        loop_add_stop_task(server->home[i].loop, &server->home[i].stop_task);
        loop_add_scrub(server->home[i].loop, &server->home[i].scrub);
    }
    return STATUS_OK;
}

static enum status init_server(struct grpc_server *server, const struct grpc_server_options *options) {
    enum status status = router_new(options->tables, options->table_count, &server->router);
    if (status == STATUS_OK)
        status = shed_answers_init(&server->shed_answers, !server->has_bare_errors);
    if (status == STATUS_OK)
        status = method_types_new(server->router, &server->json_types);
    server->json.types = server->json_types;
    server->json.ignore_unknown = server->settings.json_ignores_unknown;
    if (status == STATUS_OK)
        status = connection_frames_new_callbacks(&server->callbacks);
    if (status == STATUS_OK)
        status = connection_frames_new_options(&server->options);
    if (status == STATUS_OK)
        status = connection_balance_new(server->loop_count, &server->balance);
    if (status == STATUS_OK)
        status = peer_count_new((size_t)server->settings.max_connections, &server->peers);
    if (status == STATUS_OK)
        status = peer_guard_init(&server->peer_guard, &server->settings);
    if (status == STATUS_OK)
        status = init_tls(server, options);
    if (status == STATUS_OK)
        status = init_loops(server);
    return status;
}

enum status grpc_server_new(const struct grpc_server_options *options, struct grpc_server **ret_server) {
    size_t count = loop_group_get_count(options->loops);
    struct grpc_server *server = calloc(1, sizeof(*server) + count * sizeof(server->home[0]));
    if (!server)
        return STATUS_NO_MEMORY;
    server->settings = options->settings;
    flood_limits_init(&server->flood_limits, &server->settings);
    server->arriving_memory.limit_bytes = (size_t)options->settings.arriving_memory_bytes;
    server->request_memory.limit_bytes = (size_t)options->settings.request_memory_bytes;
    server->answer_memory.limit_bytes = server->request_memory.limit_bytes;
    server->page = options->page;
    server->has_bare_errors = options->has_bare_errors;
    server->loops = options->loops;
    server->loop_count = count;
    pthread_mutex_init(&server->mutex, NULL);
    condition_init(&server->drained);
    enum status status = init_server(server, options);
    if (status != STATUS_OK) {
        grpc_server_free(server);
        return status;
    }
    *ret_server = server;
    return STATUS_OK;
}

static void on_listener_closed(void *context) {
    struct grpc_server *server = context;
    pthread_mutex_lock(&server->mutex);
    if (--server->open_listeners == 0)
        pthread_cond_broadcast(&server->drained);
    pthread_mutex_unlock(&server->mutex);
}

enum status grpc_server_listen(struct grpc_server *server, const char *address, char *ret_error,
                               size_t error_size, const struct listener **ret_listener) {
    size_t count = server->listener_count;
    struct listener **listeners = realloc(server->listeners, (count + 1) * sizeof(struct listener *));
    if (!listeners)
        return STATUS_NO_MEMORY;
    server->listeners = listeners;
    const struct listener_options options = {.address = address,
                                             .is_shared = server->settings.reuse_port,
                                             .balance = server->balance,
                                             .user_timeout_ms = server->settings.keepalive_timeout_ms,
                                             .on_accept = on_accept,
                                             .on_closed = on_listener_closed,
                                             .context = server};
    enum status status = listener_new(server->loops, &options, ret_error, error_size, &listeners[count]);
    if (status != STATUS_OK)
        return status;
    server->listener_count++;
    server->open_listeners++;
    if (ret_listener)
        *ret_listener = listeners[count];
    return STATUS_OK;
}

enum status grpc_server_open(struct grpc_server *server, char *ret_error, size_t error_size) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < server->listener_count && status == STATUS_OK; i++)
        status = listener_open(server->listeners[i], ret_error, error_size);
    return status;
}

// why: a client that is told to go elsewhere comes back at once, and must not meet a socket of ours that is
// about to close.
static int close_listeners(struct grpc_server *server, const struct timespec *until) {
    int result = 0;
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(server->listeners[i]);
    while (server->open_listeners > 0 && result == 0)
        result = pthread_cond_timedwait(&server->drained, &server->mutex, until);
    return result;
}

bool grpc_server_drain(struct grpc_server *server, uint32_t grace_ms) {
    struct timespec until = condition_get_end(grace_ms);
    pthread_mutex_lock(&server->mutex);
    int result = close_listeners(server, &until);
    server->busy_loops = server->loop_count;
    for (size_t i = 0; i < server->loop_count; i++)
        loop_post(server->home[i].loop, &server->home[i].drain_task);
    while (server->busy_loops > 0 && result == 0)
        result = pthread_cond_timedwait(&server->drained, &server->mutex, &until);
    bool is_drained = server->busy_loops == 0;
    // A loop that drains later has nobody to tell.
    server->busy_loops = 0;
    pthread_mutex_unlock(&server->mutex);
    return is_drained;
}

static void fini_loop(struct grpc_loop *home) {
    assert(!home->connections);
    while (home->free_calls) {
        struct grpc_call *call = home->free_calls;
        home->free_calls = call->next;
        call_free(call);
    }
    session_memory_fini(&home->memory);
    tls_acceptor_free(home->tls);
    compression_fini(&home->compression);
    free(home->methods);
}

void grpc_server_free(struct grpc_server *server) {
    if (!server)
        return;
    for (size_t i = 0; i < server->loop_count; i++)
        fini_loop(&server->home[i]);
    for (size_t i = 0; i < server->listener_count; i++)
        listener_free(server->listeners[i]);
    free(server->listeners);
    nghttp2_option_del(server->options);
    nghttp2_session_callbacks_del(server->callbacks);
    router_free(server->router);
    connection_balance_free(server->balance);
    peer_count_free(server->peers);
    peer_guard_fini(&server->peer_guard);
    shed_answers_fini(&server->shed_answers);
    throttle_free(server->handshakes);
    protojson_types_free(server->json_types);
    pthread_cond_destroy(&server->drained);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

const struct router *grpc_server_get_router(const struct grpc_server *server) {
    return server->router;
}

size_t grpc_server_get_loop_count(const struct grpc_server *server) {
    return server->loop_count;
}

size_t grpc_server_get_connections(const struct grpc_server *server, size_t loop) {
    return connection_balance_get_count(server->balance, loop);
}

// All counters are uint64_t, so a struct of them is added up like an array.
static void add_counters(void *ret_sum, const void *counters, size_t size) {
    uint64_t *sum = ret_sum;
    const uint64_t *from = counters;
    for (size_t i = 0; i < size / sizeof(uint64_t); i++)
        sum[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static_assert(sizeof(struct grpc_stats) % sizeof(uint64_t) == 0, "nothing but counters");
static_assert(sizeof(struct grpc_method_stats) % sizeof(uint64_t) == 0, "nothing but counters");

void grpc_server_read_stats(const struct grpc_server *server, struct grpc_stats *ret_stats,
                            struct grpc_method_stats *ret_methods) {
    size_t methods_size = (router_get_count(server->router) + 1) * sizeof(*ret_methods);
    memset(ret_stats, 0, sizeof(*ret_stats));
    if (ret_methods)
        memset(ret_methods, 0, methods_size);
    for (size_t i = 0; i < server->loop_count; i++) {
        add_counters(ret_stats, &server->home[i].stats, sizeof(*ret_stats));
        if (ret_methods)
            add_counters(ret_methods, server->home[i].methods, methods_size);
    }
}
