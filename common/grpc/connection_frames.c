// Whatever makes a session useless (too much of something) ends reading at once, by a failure of the
// callback: what an attacker has sent behind it is not looked at.
#include "common/grpc/connection_frames.h"

#include <string.h>

#include "common/grpc/call_http2.h"
#include "common/grpc/call_http2_body.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_clock.h"
#include "common/grpc/connection_shed.h"
#include "common/grpc/connection_write.h"

static const uint8_t drain_ping[8] = {'d', 'r', 'a', 'i', 'n', 0, 0, 0};

enum {
    CONTINUATIONS_MAX = 8,
    OUTBOUND_ACKS_MAX = 1000,
    SETTINGS_MAX = 32, // in one frame
    // Of a header block, far over what is answered: what HPACK makes of a few bytes (a bomb).
    BLOCK_FIELDS_MAX = 1024,
    BLOCK_BYTES_MAX = 128 * 1024,
    STREAM_ID_MAX = 1610612736, // three quarters of all that there are: time for a new connection
};

// Of a client that has been told to go: how long calls may be on their way that it sent before it heard.
#define GOAWAY_PATIENCE_NS (UINT64_C(10) * 1000000000)

// The library hands nothing more to a session that has failed so; what is queued can still be written.
static int end_with_calm(struct grpc_connection *connection, enum grpc_close why) {
    const char *name = grpc_close_get_name(why);
    (void)nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(connection->session),
                                NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)name, strlen(name));
    connection_condemn(connection, why);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static struct flood_moment get_moment(const struct grpc_connection *connection) {
    return (struct flood_moment){.now_ns = loop_get_monotonic_ns(connection->home->loop),
                                 .work =
                                     connection->sent_frames + connection->excused_resets * FLOOD_RESET_WORK,
                                 .has_calls = connection->calls != NULL};
}

static int pass_many(struct grpc_connection *connection, enum flood kind, size_t count) {
    struct flood_moment moment = get_moment(connection);
    if (flood_guard_pass(&connection->flood, &connection->home->server->flood_limits, kind, count, &moment))
        return 0;
    return end_with_calm(connection, flood_get_close(kind));
}

static int pass(struct grpc_connection *connection, enum flood kind) {
    return pass_many(connection, kind, 1);
}

void connection_frames_note_inflated(struct grpc_connection *connection, size_t from_bytes, size_t to_bytes) {
    if (to_bytes / FLOOD_INFLATION_FREE > from_bytes)
        (void)pass_many(connection, FLOOD_INFLATION, to_bytes / COMPRESSION_STEP_BYTES + 1);
}

static void remember_gap(struct grpc_connection *connection, int32_t first, int32_t last) {
    connection->gap_first = first;
    connection->gap_last = last;
}

// A stream that a client has skipped is closed (RFC 9113, 5.1.1). The library ignores HEADERS for it; they
// end the connection here. Only the latest gap is remembered: clients count by two and leave none.
static void check_stream_id(struct grpc_connection *connection, int32_t id) {
    int64_t expected = (int64_t)connection->last_stream_id + 2; // behind the last one that there can be, too
    if (id >= expected) {
        if (id > expected)
            remember_gap(connection, (int32_t)expected, id - 2);
        connection->last_stream_id = id;
        if (id > STREAM_ID_MAX)
            connection_drain(connection, GRPC_CLOSE_STREAM_IDS_USED);
    } else if (id >= connection->gap_first && id <= connection->gap_last) {
        (void)nghttp2_session_terminate_session(connection->session, NGHTTP2_PROTOCOL_ERROR);
    }
}

// The library passes over what comes behind GOAWAY, but reads it. Who goes on all the same, and keeps the
// connection by a call that never ends, would have a loop's time for nothing, unseen by every limit.
static bool heeds_goaway(const struct grpc_connection *connection, int32_t id) {
    return !connection->is_final || id <= connection->last_stream_id ||
           loop_get_monotonic_ns(connection->home->loop) - connection->drain_ns < GOAWAY_PATIENCE_NS;
}

// why: the library hashes the number at each question, and the fields of a header block, and mostly its body
// too, follow each other.
static struct grpc_call *find_call(struct grpc_connection *connection, int32_t stream_id) {
    if (!connection->recent || connection->recent->stream_id != stream_id)
        connection->recent = nghttp2_session_get_stream_user_data(connection->session, stream_id);
    return connection->recent;
}

// Of a stream that has ended, and that the library has forgotten, or about to be reset, which waits where the
// client reads nothing: it decodes the block, for HPACK's sake, and tells of it here alone.
static bool is_for_nothing(struct grpc_connection *connection, int32_t id) {
    return id <= connection->last_stream_id &&
           (!find_call(connection, id) || connection_write_is_behind(connection));
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    if (hd->type == NGHTTP2_HEADERS && !heeds_goaway(connection, hd->stream_id)) {
        connection_condemn(connection, connection->drain_reason);
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    connection->unread_frame_bytes = hd->length;
    // Here, because the library says no more of those for streams that have ended.
    if (hd->type == NGHTTP2_WINDOW_UPDATE)
        return pass(connection, FLOOD_WINDOW_UPDATES);
    if (hd->type != NGHTTP2_HEADERS)
        return 0;
    bool is_useless = is_for_nothing(connection, hd->stream_id);
    check_stream_id(connection, hd->stream_id);
    return is_useless ? pass(connection, FLOOD_OTHER_FRAMES) : 0;
}

// False when out of memory.
static bool begin_call(struct grpc_connection *connection, int32_t stream_id) {
    // GOAWAY, which is about to leave, says that nothing was done for it. With it the library ends the
    // stream.
    if (connection->is_final)
        return true;
    bool is_over_quota = connection_shed_is_due(connection);
    if (is_over_quota && connection_shed_begin(connection, stream_id))
        return true;
    struct grpc_call *call = call_http2_new(connection, stream_id);
    if (!call)
        return false;
    call->is_over_quota = is_over_quota;
    connection->has_had_call = true;
    nghttp2_session_set_stream_user_data(connection->session, stream_id, call);
    connection->recent = call;
    connection_clock_note_call(connection);
    return true;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct grpc_connection *connection = user_data;
    (void)session;
    connection->block_fields = connection->block_bytes = 0;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && !begin_call(connection, frame->hd.stream_id))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    connection->has_open_headers = true;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data) {
    (void)session, (void)flags;
    struct grpc_connection *connection = user_data;
    connection->block_bytes += (uint32_t)(name_len + value_len);
    if (++connection->block_fields > BLOCK_FIELDS_MAX || connection->block_bytes > BLOCK_BYTES_MAX)
        return end_with_calm(connection, GRPC_CLOSE_TOO_MANY_FIELDS);
    if (connection_shed_has(connection, frame->hd.stream_id)) {
        connection_shed_add_field(connection, bytes_of(name, name_len), bytes_of(value, value_len));
        return 0;
    }
    // A client's trailers say nothing to us.
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_call *call = find_call(connection, frame->hd.stream_id);
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
    connection->unread_frame_bytes -= len;
    // why not by the flag alone: it is that of the frame, of which the rest may never come.
    bool is_last = flags & NGHTTP2_FLAG_END_STREAM && connection->unread_frame_bytes == 0;
    if (call)
        call_on_data(call, bytes_of(data, len), is_last);
    else
        connection->unconsumed_bytes += len;
    return connection->is_condemned ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_headers_end(struct grpc_connection *connection, const nghttp2_frame *frame,
                          struct grpc_call *call) {
    connection->has_open_headers = false;
    bool is_large = connection->block_fields > REQUEST_HEAD_FIELDS_MAX || (call && call->head.is_too_large);
    if (call && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        connection->content_type = call->head.content_type;
        call_on_headers(call);
    } else if (connection_shed_has(connection, frame->hd.stream_id)) {
        connection_shed_answer(connection);
    }
    return is_large ? pass(connection, FLOOD_LARGE_HEADERS) : 0;
}

static bool is_empty(const nghttp2_frame *frame) {
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    return frame->hd.length == frame->data.padlen && !is_last;
}

static int on_request_frame(struct grpc_connection *connection, const nghttp2_frame *frame) {
    int result = 0;
    struct grpc_call *call = find_call(connection, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_HEADERS)
        result = on_headers_end(connection, frame, call);
    else if (is_empty(frame))
        result = pass(connection, FLOOD_EMPTY_FRAMES);
    if (call && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        call_on_half_close(call); // where a bare message is inflated
    return connection->is_condemned ? NGHTTP2_ERR_CALLBACK_FAILURE : result;
}

static int on_ping(struct grpc_connection *connection, const nghttp2_ping *ping) {
    if (ping->hd.flags & NGHTTP2_FLAG_ACK) {
        if (memcmp(ping->opaque_data, drain_ping, sizeof(drain_ping)) == 0 && connection->is_draining)
            connection_end_drain(connection);
        return pass(connection, FLOOD_OTHER_FRAMES); // ours are rare
    }
    struct flood_moment moment = get_moment(connection);
    if (flood_guard_pass_ping(&connection->flood, &connection->home->server->flood_limits, &moment))
        return 0;
    return end_with_calm(connection, GRPC_CLOSE_TOO_MANY_PINGS);
}

static int on_settings(struct grpc_connection *connection, const nghttp2_settings *settings) {
    connection->has_preface = true;
    if (settings->hd.flags & NGHTTP2_FLAG_ACK) // as many as we have sent; the library sees to it
        return 0;
    connection->owes_table_size = true;
    return pass(connection, FLOOD_SETTINGS);
}

// A client whose deadline passes resets the call. That it is late may be our own doing, and costs no more
// than the deadline itself, which ends the call here too: half of the time counts as all of it, for what the
// request has waited in the socket.
static bool is_out_of_time(const struct grpc_call *call) {
    struct loop *loop = call->home->loop;
    uint64_t elapsed_ns = loop_get_monotonic_ns(loop) - call->started_ns + loop_get_lag_ns(loop);
    return call_http2_has_fair_timeout(call) && elapsed_ns >= grpc_call_get_timeout_ns(call) / 2;
}

static enum flood get_kind_of_reset(struct grpc_connection *connection, int32_t stream_id) {
    const struct grpc_call *call = find_call(connection, stream_id);
    return call && is_out_of_time(call) ? FLOOD_LATE_RESETS : FLOOD_RESETS;
}

static int on_frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: return on_request_frame(connection, frame);
    case NGHTTP2_PING: return on_ping(connection, &frame->ping);
    case NGHTTP2_SETTINGS: return on_settings(connection, &frame->settings);
    case NGHTTP2_RST_STREAM: return pass(connection, get_kind_of_reset(connection, frame->hd.stream_id));
    case NGHTTP2_PRIORITY: return pass(connection, FLOOD_PRIORITIES);
    case NGHTTP2_GOAWAY: connection->is_forsaken = true; return pass(connection, FLOOD_OTHER_FRAMES);
    default: return 0;
    }
}

// Of a type that HTTP/2 does not have: to be ignored (RFC 9113, 5.5).
static int on_unknown_frame(nghttp2_session *session, void **ret_payload, const nghttp2_frame_hd *hd,
                            void *user_data) {
    (void)session, (void)ret_payload, (void)hd;
    int result = pass(user_data, FLOOD_OTHER_FRAMES);
    return result == 0 ? NGHTTP2_ERR_CANCEL : result;
}

// What the library refuses by itself has ended as well. DATA that it passes over, because their stream has
// ended, it tells of with 0005-tell-of-late-data.patch alone.
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user_data) {
    (void)session, (void)error;
    struct grpc_connection *connection = user_data;
    if (frame->hd.type == NGHTTP2_HEADERS)
        connection->has_open_headers = false;
    return frame->hd.type == NGHTTP2_DATA ? pass(connection, FLOOD_LATE_DATA) : 0;
}

// RFC 9113, 8.1: a complete answer to a request that is not complete is followed by a reset without an error.
static void end_early_answer(struct grpc_connection *connection, int32_t stream_id) {
    if (nghttp2_session_get_stream_remote_close(connection->session, stream_id) == 0)
        (void)nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_NO_ERROR);
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
        connection->sent_frames++;
        connection->owes_table_size &= frame->hd.type != NGHTTP2_HEADERS;
        if (is_last && (connection->early_answers > 0 || connection->shed.has_refused))
            end_early_answer(connection, frame->hd.stream_id);
        break;
    case NGHTTP2_RST_STREAM:
        // A client that makes us reset is counted like one that resets, also where an answer came before the
        // end of its request. The GOAWAY is to leave, so this is no failure.
        (void)pass(connection, get_kind_of_reset(connection, frame->hd.stream_id));
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
    (void)error_code;
    struct grpc_connection *connection = user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (!call)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    call_on_stream_closed(call);
    if (!connection->calls)
        connection_clock_note_idle(connection);
    return 0;
}

enum status connection_frames_new_callbacks(nghttp2_session_callbacks **ret_callbacks) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return STATUS_NO_MEMORY;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_received);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_unknown_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, call_http2_send_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    *ret_callbacks = callbacks;
    return STATUS_OK;
}

enum status connection_frames_new_options(nghttp2_option **ret_options) {
    nghttp2_option *options;
    if (nghttp2_option_new(&options) != 0)
        return STATUS_NO_MEMORY;
    // why: SETTINGS_NO_RFC7540_PRIORITIES is not sent and closed streams are remembered (the library's
    // defaults). Both together let it answer frames on closed streams and malformed PRIORITY as RFC 9113
    // says, at no cost that can be measured; a flood of PRIORITY frames is bounded by its budget.
    // Windows open as messages are taken, not as bytes arrive.
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_settings(options, SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(options, OUTBOUND_ACKS_MAX);
    nghttp2_option_set_max_continuations(options, CONTINUATIONS_MAX);
    // why: those that nobody has asked for are skipped in silence.
    for (int type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++)
        nghttp2_option_set_user_recv_extension_type(options, (uint8_t)type);
    // The library's default of 33 a second ends honest clients, whose deadlines arrive as resets; they have a
    // budget in flood_guard.h.
    nghttp2_option_set_stream_reset_rate_limit(options, UINT32_MAX, UINT32_MAX);
    *ret_options = options;
    return STATUS_OK;
}
