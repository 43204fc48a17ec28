// Where bytes, frames and calls meet. Its life:
//
//     accepted --SETTINGS--> open --drain: GOAWAY, PING--> draining --PING ack or time-out: last GOAWAY-->
//     final
//         |                   |                               |                                             |
//         +-------------------+---- peer gone, time-out, abuse, nothing left to do
//         -------------------------+--> closed
//
// nghttp2's callbacks only note what is to happen (`is_condemned`, turn_end): a session is never ended inside
// of itself. The memory of a closed connection stays until its last handler has ended, because they are
// counted in it.
#include "common/grpc/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call_internal.h"
#include "common/grpc/connection_admission.h"
#include "common/grpc/connection_clock.h"
#include "common/grpc/connection_pace.h"
#include "common/grpc/connection_shed.h"
#include "common/grpc/connection_write.h"

enum { HEADER_TABLE_BYTES = 4096 };

void connection_condemn(struct grpc_connection *connection, enum grpc_close why) {
    if (connection->is_condemned)
        return;
    connection->is_condemned = true;
    connection->close_reason = why;
}

static bool submit_settings(const struct grpc_connection *connection) {
    const struct grpc_server_settings *settings = &connection->home->server->settings;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, HEADER_TABLE_BYTES},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)settings->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)settings->stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, REQUEST_HEAD_BYTES_MAX},
    };
    return nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, entries, ARRAY_LENGTH(entries)) ==
               0 &&
           nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)settings->connection_window_bytes) == 0;
}

// Turns.

static void free_if_done(struct grpc_connection *connection) {
    if (!connection->session && connection->executing == 0 && !connection->is_turn_end_deferred &&
        !connection->is_in_session) {
        tls_identity_release(connection->identity);
        free(connection);
    }
}

static bool has_nothing_left(const struct grpc_connection *connection) {
    return !nghttp2_session_want_read(connection->session) &&
           !nghttp2_session_want_write(connection->session);
}

// Of a connection that has nothing left.
static enum grpc_close get_close_of_end(const struct grpc_connection *connection) {
    if (connection->is_final)
        return connection->drain_reason;
    return connection->is_forsaken ? GRPC_CLOSE_PEER_CLOSED : GRPC_CLOSE_PROTOCOL_ERROR;
}

// Writes what there is to say. The connection may be gone when it returns.
static void end_turn(struct grpc_connection *connection) {
    // The time of the answers: the calls that end by what is written now have taken until now.
    loop_forget_time(connection->home->loop);
    connection->is_in_session = true;
    if (connection->unconsumed_bytes > 0)
        (void)nghttp2_session_consume_connection(connection->session, connection->unconsumed_bytes);
    connection->unconsumed_bytes = 0;
    bool is_written = connection_write_session(connection);
    connection->is_in_session = false;
    if (!is_written || connection->is_condemned)
        connection_close(connection, connection->close_reason, STREAM_CLOSE_FLUSH);
    else if (has_nothing_left(connection))
        connection_close(connection, get_close_of_end(connection), STREAM_CLOSE_FLUSH);
    else {
        connection_write_update_reading(connection);
        connection_clock_note_written(connection);
        connection->turn_bytes = 0;
        connection_write_tell_writable(connection);
    }
}

static void on_turn_end(struct loop_task *task) {
    struct grpc_connection *connection = CONTAINER_OF(task, struct grpc_connection, turn_end);
    connection->is_turn_end_deferred = false;
    if (connection->is_turn_end_posted)
        loop_release(connection->home->loop);
    connection->is_turn_end_posted = false;
    if (connection->session)
        end_turn(connection);
    else
        free_if_done(connection);
}

// why not always in this turn: a handler that always has more to send, for a client that takes it as fast,
// would let nobody else have one.
void connection_schedule(struct grpc_connection *connection) {
    if (connection->is_turn_end_deferred || connection->is_reading || !connection->session)
        return;
    connection->is_turn_end_deferred = true;
    connection->is_turn_end_posted = connection->is_telling_writable;
    if (connection->is_turn_end_posted) {
        loop_hold(connection->home->loop);
        loop_post(connection->home->loop, &connection->turn_end);
    } else {
        loop_defer(connection->home->loop, &connection->turn_end);
    }
}

// The stream's callbacks.

// What the library gives up reading for. A session that has failed in a callback is condemned already.
static enum grpc_close get_close_of_error(ssize_t error) {
    switch (error) {
    case NGHTTP2_ERR_NOMEM: return GRPC_CLOSE_NO_MEMORY;
    case NGHTTP2_ERR_FLOODED: return GRPC_CLOSE_TOO_MANY_QUEUED;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: return GRPC_CLOSE_TOO_MANY_CONTINUATIONS;
    default: return GRPC_CLOSE_PROTOCOL_ERROR;
    }
}

// why not at the end of the loop's turn: what is answered here has left before the next connection is read,
// so that its calls use the memory of these while it is in the cache.
static void on_read(void *context, struct bytes bytes) {
    struct grpc_connection *connection = context;
    connection_shed_look(connection->home);
    connection->is_in_session = connection->is_reading = true;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, bytes.data, bytes.len);
    call_gather_run(&connection->home->gather);
    connection->is_in_session = connection->is_reading = false;
    if (taken < 0)
        connection_condemn(connection, get_close_of_error(taken));
    connection_admission_note_read(connection, bytes.len);
    connection_write_check_queue(connection);
    connection_clock_note_read(connection);
    connection_pace_note_read(connection);
    end_turn(connection);
}

static void on_drained(void *context) {
    connection_schedule(context);
}

static void on_end(void *context, enum stream_end why) {
    static const enum grpc_close reasons[] = {
        [STREAM_END_PEER_CLOSED] = GRPC_CLOSE_PEER_CLOSED,
        [STREAM_END_RESET] = GRPC_CLOSE_PEER_RESET,
        [STREAM_END_WRITE_STALLED] = GRPC_CLOSE_WRITE_STALLED,
        [STREAM_END_TLS_FAILED] = GRPC_CLOSE_TLS_FAILED,
    };
    connection_close(context, reasons[why], STREAM_CLOSE_NOW);
}

static const struct stream_callbacks stream_callbacks = {on_read, on_drained, on_end};

// Opening and closing.

static void link_connection(struct grpc_loop *home, struct grpc_connection *connection) {
    connection->next = home->connections;
    connection->link = &home->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    home->connections = connection;
    home->connection_count++;
}

static void unlink_connection(struct grpc_connection *connection) {
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connection->home->connection_count--;
}

static struct grpc_connection *new_connection(struct grpc_loop *home, struct stream *stream) {
    struct grpc_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    const struct grpc_server *server = home->server;
    connection->home = home;
    connection->stream = stream;
    connection->turn_end.run = on_turn_end;
    connection->last_stream_id = -1;
    connection->answers_end = &connection->answers;
    flood_guard_init(&connection->flood, &server->flood_limits, loop_get_monotonic_ns(home->loop));
    if (nghttp2_session_server_new3(&connection->session, server->callbacks, connection, server->options,
                                    &home->memory.functions) != 0) {
        free(connection);
        return NULL;
    }
    if (submit_settings(connection)) {
        connection->identity = tls_identity_hold(stream_get_identity(stream));
        return connection;
    }
    nghttp2_session_del(connection->session);
    free(connection);
    return NULL;
}

// Who is on this machine is not counted: a proxy beside us opens as many as it needs.
static bool count_peer(struct grpc_loop *home, const struct stream *stream) {
    struct grpc_server *server = home->server;
    return peer_count_add(server->peers, stream_get_peer(stream),
                          (size_t)server->settings.max_connections_per_peer);
}

static void refuse(struct grpc_loop *home, struct stream *stream, enum grpc_close why) {
    stats_add(&home->stats.connections_closed[why], 1);
    stream_close(stream, STREAM_CLOSE_NOW);
    server_loop_note_end(home);
}

void connection_open(struct grpc_loop *home, struct stream *stream) {
    bool is_counted = home->server->settings.max_connections_per_peer > 0 && !stream_is_peer_local(stream);
    if (is_counted && !count_peer(home, stream)) {
        refuse(home, stream, GRPC_CLOSE_TOO_MANY_OF_PEER);
        return;
    }
    struct grpc_connection *connection = new_connection(home, stream);
    if (!connection) {
        if (is_counted)
            peer_count_remove(home->server->peers, stream_get_peer(stream));
        refuse(home, stream, GRPC_CLOSE_NO_MEMORY);
        return;
    }
    connection->is_counted = is_counted;
    link_connection(home, connection);
    stream_set_write_limits(stream, (uint32_t)home->server->settings.write_stall_timeout_ms,
                            LOOP_SCRATCH_BYTES * 2);
    connection_clock_start(connection);
    connection_pace_start(connection);
    connection_schedule(connection);
    stream_start(stream, &stream_callbacks, connection);
    if (home->is_draining) // since its handshake
        connection_drain(connection, GRPC_CLOSE_DRAINED);
}

void connection_close(struct grpc_connection *connection, enum grpc_close why, enum stream_close how) {
    assert(!connection->is_in_session);
    struct grpc_loop *home = connection->home;
    stats_add(&home->stats.connections_closed[why], 1);
    unlink_connection(connection);
    connection_clock_stop(connection);
    connection_pace_stop(connection);
    if (grpc_close_is_for_flood(why))
        peer_guard_note_flood(&home->server->peer_guard, stream_get_peer(connection->stream),
                              loop_get_monotonic_ns(home->loop));
    if (connection->is_counted)
        peer_count_remove(home->server->peers, stream_get_peer(connection->stream));
    stream_close(connection->stream, how);
    // Keeps the memory until the last line.
    connection->is_in_session = true;
    while (connection->calls)
        call_on_stream_closed(connection->calls);
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    connection->is_in_session = false;
    server_loop_note_end(home);
    free_if_done(connection);
}

// A call that has finished stays in the list until its stream is closed.
static void tell_calls(struct grpc_connection *connection) {
    for (struct grpc_call *call = connection->calls; call; call = call->next)
        call_on_drain(call);
}

static void begin_drain(struct grpc_connection *connection, enum grpc_close why) {
    connection->is_draining = true;
    connection->drain_reason = why;
    connection->drain_ns = loop_get_monotonic_ns(connection->home->loop);
    tell_calls(connection);
}

void connection_drain(struct grpc_connection *connection, enum grpc_close why) {
    if (connection->is_draining)
        return;
    begin_drain(connection, why);
    (void)nghttp2_submit_shutdown_notice(connection->session);
    connection_clock_look(connection);
    connection_schedule(connection);
}

// That the server ends says nothing about the client's connection.
static struct bytes get_debug_data(enum grpc_close why) {
    return why == GRPC_CLOSE_DRAINED ? BYTES_EMPTY : bytes_of_text(grpc_close_get_name(why));
}

void connection_end_drain(struct grpc_connection *connection) {
    if (connection->is_final)
        return;
    connection->is_final = true;
    nghttp2_session *session = connection->session;
    struct bytes debug = get_debug_data(connection->drain_reason);
    (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                                NGHTTP2_NO_ERROR, debug.data, debug.len);
    connection_schedule(connection);
}

void connection_leave(struct grpc_connection *connection, enum grpc_close why) {
    if (connection->is_draining)
        return;
    begin_drain(connection, why);
    connection_end_drain(connection);
}

void connection_on_call_ended(struct grpc_connection *connection) {
    free_if_done(connection);
}
