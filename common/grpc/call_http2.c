// nghttp2 copies no string that it is given: constants live for ever, the rest in one of the call's arenas
// until the stream is closed.
#include "common/grpc/call_http2.h"

#include "common/grpc/call_gather.h"
#include "common/grpc/call_http2_answer.h"
#include "common/grpc/call_http2_body.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_clock.h"

static void link_call(struct grpc_connection *connection, struct grpc_call *call) {
    call->next = connection->calls;
    call->link = &connection->calls;
    if (call->next)
        call->next->link = &call->next;
    connection->calls = call;
}

static void unlink_call(struct grpc_call *call) {
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    call->next = NULL;
    call->link = NULL;
}

static void unlist_writable(struct grpc_call *call) {
    if (!call->is_writable_listed)
        return;
    struct grpc_call **at = &call->connection->writable;
    while (*at && *at != call)
        at = &(*at)->next_writable;
    if (*at)
        *at = call->next_writable;
}

// Where there is no memory even for that, the connection says it.
static void submit_reset(struct grpc_call *call) {
    if (nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_INTERNAL_ERROR) != 0)
        connection_condemn(call->connection, GRPC_CLOSE_NO_MEMORY);
}

// Fails only without memory.
void call_http2_submit(struct grpc_call *call, const nghttp2_nv *rows, size_t count, enum call_body body) {
    nghttp2_data_provider provider = call_http2_body_of(call);
    if (nghttp2_submit_response(call->connection->session, call->stream_id, rows, count,
                                body == CALL_WITH_BODY ? &provider : NULL) != 0)
        submit_reset(call);
}

static void submit_headers(struct grpc_call *call, const nghttp2_nv *rows, size_t count, bool has_body) {
    if (!call_http2_answer_wait(call, rows))
        call_http2_submit(call, rows, count, has_body ? CALL_WITH_BODY : CALL_WITHOUT_BODY);
}

static void resume_body(struct grpc_call *call) {
    if (call->is_deferred)
        (void)nghttp2_session_resume_data(call->connection->session, call->stream_id);
    call->is_deferred = false;
}

static void schedule(struct grpc_call *call) {
    connection_schedule(call->connection);
}

static void note_end(struct grpc_call *call) {
    connection_clock_note_answer(call->connection);
    call->is_early = !call->is_half_closed;
    call->connection->early_answers += call->is_early;
}

// With the stream's end in sight only the connection's window matters.
static void consume(struct grpc_call *call, size_t len) {
    struct grpc_connection *connection = call->connection;
    connection->unconsumed_bytes += len;
    if (!call->is_half_closed && len > 0)
        (void)nghttp2_session_consume_stream(connection->session, call->stream_id, len);
}

static void note_room(struct grpc_call *call) {
    struct grpc_connection *connection = call->connection;
    if (call->is_writable_listed)
        return;
    call->is_writable_listed = true;
    call->next_writable = connection->writable;
    connection->writable = call;
}

static bool start_work(struct grpc_call *call) {
    struct grpc_connection *connection = call->connection;
    const struct grpc_server_settings *settings = &call->home->server->settings;
    if (connection->executing >= (size_t)settings->max_executing ||
        connection->unread_bytes > (size_t)settings->unread_answer_bytes)
        return false;
    connection->executing++;
    return true;
}

static void end_work(struct grpc_call *call) {
    call->connection->executing--;
}

static void leave(struct grpc_call *call) {
    struct grpc_connection *connection = call->connection;
    unlink_call(call);
    unlist_writable(call);
    call_http2_answer_forget(call);
    call_gather_remove(call);
    if (connection->recent == call)
        connection->recent = NULL;
    connection->early_answers -= call->is_early;
    bool is_late = call->code == GRPC_CODE_DEADLINE_EXCEEDED && call_http2_has_fair_timeout(call);
    connection->excused_resets += is_late || call->is_over_quota;
    connection->unconsumed_bytes += call->held.len - call->held_at;
}

static void close_call(struct grpc_call *call) {
    connection_on_call_ended(call->connection);
}

static const struct call_wire http2_wire = {
    .submit_headers = submit_headers,
    .resume_body = resume_body,
    .reset = submit_reset,
    .schedule = schedule,
    .note_end = note_end,
    .consume = consume,
    .note_room = note_room,
    .start_work = start_work,
    .end_work = end_work,
    .leave = leave,
    .close = close_call,
};

struct grpc_call *call_http2_new(struct grpc_connection *connection, int32_t stream_id) {
    struct grpc_call *call = call_new(connection->home, &http2_wire);
    if (!call)
        return NULL;
    call->connection = connection;
    call->stream_id = stream_id;
    call->peer = *stream_get_peer(connection->stream);
    call->is_peer_local = stream_is_peer_local(connection->stream);
    link_call(connection, call);
    return call;
}
