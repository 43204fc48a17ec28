// Where bytes, frames and calls meet. Its life:
//
//     accepted --SETTINGS--> open --drain: GOAWAY, PING--> draining --PING ack or timeout: last GOAWAY-->
//     final
//         |                   |                               |                                           |
//         +-------------------+---- peer gone, time-out, abuse, nothing left to do
//         -----------------------+--> closed
//
// nghttp2's callbacks only note what is to happen (`is_condemned`, turn_end): a session is never ended inside
// of itself. The memory of a closed connection stays until its last handler has ended, because they are
// counted in it.
#include "common/grpc/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call_http2.h"

enum {
    NOISE_BURST = 10000, // frames that ask for work and bring none
    NOISE_RATE = 1000,
    NOISE_EARNED = 10, // by each request, and each DATA frame that we send
    CONTINUATIONS_MAX = 8,
    OUTBOUND_ACKS_MAX = 1000,
    QUEUED_FRAMES_PAUSE = 2000, // no more is read while so much waits to be written
    QUEUED_FRAMES_MAX = 20000,
    DRAIN_TIMEOUT_MS = 5000,
    HEADER_TABLE_BYTES = 4096,
};

static const uint8_t drain_ping[8] = {'d', 'r', 'a', 'i', 'n', 0, 0, 0};

static void arm_timer(struct grpc_connection *connection, int64_t delay_ms) {
    struct loop *loop = connection->home->loop;
    loop_arm_timer(loop, &connection->timer, loop_get_monotonic_ns(loop) + (uint64_t)delay_ms * 1000000);
}

static void condemn(struct grpc_connection *connection, enum grpc_close why) {
    if (connection->is_condemned)
        return;
    connection->is_condemned = true;
    connection->close_reason = why;
}

static void spend(struct grpc_connection *connection, struct rate_budget *budget, enum grpc_close why) {
    if (rate_budget_spend(budget, loop_get_monotonic_ns(connection->home->loop)))
        return;
    (void)nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM);
    condemn(connection, why);
}

static enum connection_wait get_wait(const struct grpc_connection *connection) {
    if (connection->is_draining)
        return connection->is_final ? WAIT_NOTHING : WAIT_DRAIN;
    if (!connection->has_preface)
        return WAIT_PREFACE;
    if (connection->has_open_headers)
        return WAIT_HEADERS;
    bool may_idle = connection->has_had_call || connection->home->server->settings.idle_timeout_ms == 0;
    return may_idle ? WAIT_NOTHING : WAIT_CALL;
}

// The timer serves one purpose at a time, and runs on while that does not change.
static void rearm(struct grpc_connection *connection) {
    enum connection_wait wait = get_wait(connection);
    if (wait == connection->wait)
        return;
    connection->wait = wait;
    const struct grpc_server_settings *settings = &connection->home->server->settings;
    switch (wait) {
    case WAIT_NOTHING: loop_disarm_timer(connection->home->loop, &connection->timer); break;
    case WAIT_PREFACE:
    case WAIT_HEADERS: arm_timer(connection, settings->preface_timeout_ms); break;
    case WAIT_CALL: arm_timer(connection, settings->idle_timeout_ms); break;
    case WAIT_DRAIN: arm_timer(connection, DRAIN_TIMEOUT_MS); break;
    }
}

static void send_last_goaway(struct grpc_connection *connection) {
    if (connection->is_final)
        return;
    connection->is_final = true;
    rearm(connection);
    nghttp2_session *session = connection->session;
    (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                                NGHTTP2_NO_ERROR, NULL, 0);
    connection_schedule(connection);
}

static void on_timer(struct timer *timer) {
    struct grpc_connection *connection = CONTAINER_OF(timer, struct grpc_connection, timer);
    switch (connection->wait) {
    case WAIT_DRAIN: send_last_goaway(connection); break;
    case WAIT_PREFACE: connection_close(connection, GRPC_CLOSE_PREFACE_TIMEOUT, STREAM_CLOSE_NOW); break;
    case WAIT_HEADERS: connection_close(connection, GRPC_CLOSE_HEADER_TIMEOUT, STREAM_CLOSE_NOW); break;
    case WAIT_CALL: connection_close(connection, GRPC_CLOSE_IDLE_TIMEOUT, STREAM_CLOSE_FLUSH); break;
    case WAIT_NOTHING: break;
    }
}

// nghttp2's callbacks.

static void remember_gap(struct grpc_connection *connection, int32_t first, int32_t last) {
    connection->gap_first = first;
    connection->gap_last = last;
}

// A stream that a client has skipped is closed (RFC 9113, 5.1.1). The library ignores HEADERS for it; they
// end the connection here. Only the latest gap is remembered: clients count by two and leave none.
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user_data) {
    struct grpc_connection *connection = user_data;
    if (hd->type != NGHTTP2_HEADERS)
        return 0;
    int32_t id = hd->stream_id;
    int64_t expected = (int64_t)connection->last_stream_id + 2; // behind the last one that there can be, too
    if (id >= expected) {
        if (id > expected)
            remember_gap(connection, (int32_t)expected, id - 2);
        connection->last_stream_id = id;
    } else if (id >= connection->gap_first && id <= connection->gap_last) {
        (void)nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    }
    return 0;
}

// why: the library hashes the number at each question, and the fields of a header block, and mostly its body
// too, follow each other.
static struct grpc_call *find_call(struct grpc_connection *connection, int32_t stream_id) {
    if (!connection->recent || connection->recent->stream_id != stream_id)
        connection->recent = nghttp2_session_get_stream_user_data(connection->session, stream_id);
    return connection->recent;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct grpc_connection *connection = user_data;
    connection->has_open_headers = true;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_call *call = call_http2_new(connection, frame->hd.stream_id);
    if (!call)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    connection->has_had_call = true;
    rate_budget_refund(&connection->noise, NOISE_EARNED);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    connection->recent = call;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data) {
    (void)session, (void)flags;
    // A client's trailers say nothing to us.
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_call *call = find_call(user_data, frame->hd.stream_id);
    if (call)
        request_head_add(&call->head, &call->arena, bytes_of(name, name_len), bytes_of(value, value_len));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    stats_add(&connection->home->stats.received_bytes, len);
    struct grpc_call *call = find_call(connection, stream_id);
    if (call)
        call_on_data(call, bytes_of(data, len), flags & NGHTTP2_FLAG_END_STREAM);
    else
        connection->unconsumed_bytes += len;
    return 0;
}

static void on_request_frame(struct grpc_connection *connection, const nghttp2_frame *frame) {
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS)
        connection->has_open_headers = false;
    else if (frame->hd.length == 0 && !is_last)
        spend(connection, &connection->noise, GRPC_CLOSE_TOO_MANY_FRAMES);
    struct grpc_call *call = find_call(connection, frame->hd.stream_id);
    if (!call)
        return;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        call_on_headers(call);
    if (is_last)
        call_on_half_close(call);
}

static void on_ping(struct grpc_connection *connection, const nghttp2_ping *ping) {
    bool is_ack = ping->hd.flags & NGHTTP2_FLAG_ACK;
    if (is_ack && connection->is_draining && memcmp(ping->opaque_data, drain_ping, sizeof(drain_ping)) == 0)
        send_last_goaway(connection);
    if (!is_ack)
        spend(connection, &connection->noise, GRPC_CLOSE_TOO_MANY_FRAMES);
}

static int on_frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: on_request_frame(connection, frame); break;
    case NGHTTP2_PING: on_ping(connection, &frame->ping); break;
    case NGHTTP2_SETTINGS:
        connection->has_preface = true;
        spend(connection, &connection->noise, GRPC_CLOSE_TOO_MANY_FRAMES);
        break;
    case NGHTTP2_RST_STREAM: spend(connection, &connection->resets, GRPC_CLOSE_TOO_MANY_RESETS); break;
    default: spend(connection, &connection->noise, GRPC_CLOSE_TOO_MANY_FRAMES); break;
    }
    return 0;
}

// RFC 9113, 8.1: a complete answer to a request that is not complete is followed by a reset without an error.
static void end_early_answer(struct grpc_connection *connection, int32_t stream_id) {
    const struct grpc_call *call = nghttp2_session_get_stream_user_data(connection->session, stream_id);
    if (call && call->is_early && !call->is_half_closed)
        (void)nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_NO_ERROR);
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    switch (frame->hd.type) {
    case NGHTTP2_DATA: rate_budget_refund(&connection->noise, NOISE_EARNED); __attribute__((fallthrough));
    case NGHTTP2_HEADERS:
        if (is_last && connection->early_answers > 0)
            end_early_answer(connection, frame->hd.stream_id);
        break;
    case NGHTTP2_RST_STREAM:
        // A client that makes us reset is counted like one that resets.
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
            spend(connection, &connection->resets, GRPC_CLOSE_TOO_MANY_RESETS);
        break;
    case NGHTTP2_GOAWAY:
        // Not together with it: PING overtakes in the library's queue, and its answer must mean that GOAWAY
        // was seen.
        if (connection->is_draining && !connection->is_final)
            (void)nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, drain_ping);
        break;
    default: break;
    }
    return 0;
}

static int on_stream_closed(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                            void *user_data) {
    (void)error_code, (void)user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (!call)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    call_on_stream_closed(call);
    return 0;
}

enum status connection_new_callbacks(nghttp2_session_callbacks **ret_callbacks) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return STATUS_NO_MEMORY;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    *ret_callbacks = callbacks;
    return STATUS_OK;
}

enum status connection_new_options(const struct grpc_server_settings *settings,
                                   nghttp2_option **ret_options) {
    nghttp2_option *options;
    if (nghttp2_option_new(&options) != 0)
        return STATUS_NO_MEMORY;
    // why: SETTINGS_NO_RFC7540_PRIORITIES is not sent and closed streams are remembered (the library's
    // defaults). Both together let it answer frames on closed streams and malformed PRIORITY as RFC 9113
    // says, at no cost that can be measured; a flood of PRIORITY frames is bounded by the noise budget.
    // Windows open as messages are taken, not as bytes arrive.
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_settings(options, 32);
    nghttp2_option_set_max_outbound_ack(options, OUTBOUND_ACKS_MAX);
    // The library's default of 33 a second ends honest clients, whose deadlines arrive as resets. Work is
    // bounded by the calls that execute, not by this.
    nghttp2_option_set_stream_reset_rate_limit(options, (uint64_t)settings->reset_burst,
                                               (uint64_t)settings->reset_rate);
    *ret_options = options;
    return STATUS_OK;
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

// Writing.

// Into `out`, as much as fits. False when nghttp2 has nothing more.
struct output {
    uint8_t *bytes;
    size_t len;
};

static bool write_out(struct grpc_connection *connection, struct output *output) {
    if (output->len == 0)
        return true;
    stats_add(&connection->home->stats.sent_bytes, output->len);
    enum status status = stream_write(connection->stream, bytes_of(output->bytes, output->len));
    output->len = 0;
    if (status == STATUS_OK)
        return true;
    condemn(connection, status == STATUS_CLOSED ? GRPC_CLOSE_PEER_RESET : GRPC_CLOSE_WRITE_STALLED);
    return false;
}

// Collects what nghttp2 has to send and writes it, until it has nothing more or the socket takes no more.
static bool write_session(struct grpc_connection *connection) {
    struct output output = {loop_get_scratch(connection->home->loop), 0};
    while (stream_get_pending_bytes(connection->stream) == 0) {
        const uint8_t *data;
        ssize_t len = nghttp2_session_mem_send(connection->session, &data);
        if (len < 0) {
            condemn(connection, GRPC_CLOSE_NO_MEMORY);
            return false;
        }
        if (len == 0)
            break;
        assert((size_t)len <= LOOP_SCRATCH_BYTES);
        if (output.len + (size_t)len > LOOP_SCRATCH_BYTES && !write_out(connection, &output))
            return false;
        memcpy(output.bytes + output.len, data, (size_t)len);
        output.len += (size_t)len;
    }
    return write_out(connection, &output);
}

// Handlers that were refused a send, and now have room.
static void tell_writable(struct grpc_connection *connection) {
    struct grpc_call *call = connection->writable;
    connection->writable = NULL;
    while (call) {
        struct grpc_call *next = call->next_writable;
        call->is_writable_listed = false;
        bool is_waiting = call->is_waiting_for_room && call->state == CALL_RUNNING;
        call->is_waiting_for_room = false;
        if (is_waiting && call->method->handler->on_writable)
            call->method->handler->on_writable(call);
        call = next;
    }
}

static void update_reading(struct grpc_connection *connection) {
    bool must_pause = stream_get_pending_bytes(connection->stream) > 0 &&
                      nghttp2_session_get_outbound_queue_size(connection->session) > QUEUED_FRAMES_PAUSE;
    if (must_pause == connection->is_reading_paused)
        return;
    connection->is_reading_paused = must_pause;
    if (must_pause)
        stream_pause_reading(connection->stream);
    else
        stream_resume_reading(connection->stream);
}

static void free_if_done(struct grpc_connection *connection) {
    if (!connection->session && connection->executing == 0 && !connection->is_turn_end_deferred &&
        !connection->is_in_session)
        free(connection);
}

static bool has_nothing_left(const struct grpc_connection *connection) {
    return !nghttp2_session_want_read(connection->session) &&
           !nghttp2_session_want_write(connection->session);
}

// Writes what there is to say. The connection may be gone when it returns.
static void end_turn(struct grpc_connection *connection) {
    // The time of the answers: the calls that end by what is written now have taken until now.
    loop_forget_time(connection->home->loop);
    connection->is_in_session = true;
    if (connection->unconsumed_bytes > 0)
        (void)nghttp2_session_consume_connection(connection->session, connection->unconsumed_bytes);
    connection->unconsumed_bytes = 0;
    bool is_written = write_session(connection);
    connection->is_in_session = false;
    if (!is_written || connection->is_condemned)
        connection_close(connection, connection->close_reason, STREAM_CLOSE_FLUSH);
    else if (has_nothing_left(connection))
        connection_close(connection, connection->is_final ? GRPC_CLOSE_DRAINED : GRPC_CLOSE_PROTOCOL_ERROR,
                         STREAM_CLOSE_FLUSH);
    else {
        update_reading(connection);
        tell_writable(connection);
    }
}

static void on_turn_end(struct loop_task *task) {
    struct grpc_connection *connection = CONTAINER_OF(task, struct grpc_connection, turn_end);
    connection->is_turn_end_deferred = false;
    if (connection->session)
        end_turn(connection);
    else
        free_if_done(connection);
}

void connection_schedule(struct grpc_connection *connection) {
    if (connection->is_turn_end_deferred || connection->is_reading || !connection->session)
        return;
    connection->is_turn_end_deferred = true;
    loop_defer(connection->home->loop, &connection->turn_end);
}

// The stream's callbacks.

// why not at the end of the loop's turn: what is answered here has left before the next connection is read,
// so that its calls use the memory of these while it is in the cache.
static void on_read(void *context, struct bytes bytes) {
    struct grpc_connection *connection = context;
    connection->is_in_session = connection->is_reading = true;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, bytes.data, bytes.len);
    connection->is_in_session = connection->is_reading = false;
    if (taken < 0)
        condemn(connection, taken == NGHTTP2_ERR_NOMEM ? GRPC_CLOSE_NO_MEMORY : GRPC_CLOSE_PROTOCOL_ERROR);
    if (nghttp2_session_get_outbound_queue_size(connection->session) > QUEUED_FRAMES_MAX)
        condemn(connection, GRPC_CLOSE_TOO_MANY_QUEUED);
    rearm(connection);
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
    uint64_t now_ns = loop_get_monotonic_ns(home->loop);
    connection->home = home;
    connection->stream = stream;
    connection->turn_end.run = on_turn_end;
    connection->timer.on_due = on_timer;
    connection->last_stream_id = -1;
    connection->resets =
        rate_budget_of((uint64_t)server->settings.reset_burst, (uint64_t)server->settings.reset_rate, now_ns);
    connection->noise = rate_budget_of(NOISE_BURST, NOISE_RATE, now_ns);
    if (nghttp2_session_server_new3(&connection->session, server->callbacks, connection, server->options,
                                    &home->memory.functions) != 0) {
        free(connection);
        return NULL;
    }
    if (submit_settings(connection))
        return connection;
    nghttp2_session_del(connection->session);
    free(connection);
    return NULL;
}

void connection_open(struct grpc_loop *home, struct stream *stream) {
    struct grpc_connection *connection = new_connection(home, stream);
    if (!connection) {
        stats_add(&home->stats.connections_closed[GRPC_CLOSE_NO_MEMORY], 1);
        stream_close(stream, STREAM_CLOSE_NOW);
        return;
    }
    link_connection(home, connection);
    stream_set_write_limits(stream, (uint32_t)home->server->settings.write_stall_timeout_ms,
                            LOOP_SCRATCH_BYTES * 2);
    rearm(connection);
    connection_schedule(connection);
    stream_start(stream, &stream_callbacks, connection);
}

void connection_close(struct grpc_connection *connection, enum grpc_close why, enum stream_close how) {
    assert(!connection->is_in_session);
    struct grpc_loop *home = connection->home;
    stats_add(&home->stats.connections_closed[why], 1);
    unlink_connection(connection);
    loop_disarm_timer(home->loop, &connection->timer);
    stream_close(connection->stream, how);
    // Keeps the memory until the last line.
    connection->is_in_session = true;
    while (connection->calls)
        call_on_stream_closed(connection->calls);
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    connection->is_in_session = false;
    if (home->is_draining && home->connection_count == 0)
        server_loop_note_drained(home);
    free_if_done(connection);
}

void connection_drain(struct grpc_connection *connection) {
    if (connection->is_draining)
        return;
    connection->is_draining = true;
    (void)nghttp2_submit_shutdown_notice(connection->session);
    rearm(connection);
    connection_schedule(connection);
}

void connection_on_call_ended(struct grpc_connection *connection) {
    free_if_done(connection);
}
