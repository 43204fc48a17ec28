// nghttp2 hands out a frame at a time, or lets DATA be written here (call_http2_body.c); they are put
// together in the loop's scratch memory, so that a turn is one write.
#include "common/grpc/connection_write.h"

#include <assert.h>
#include <string.h>

#include "common/grpc/call_http2_answer.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_pace.h"

enum { QUEUED_FRAMES_PAUSE = 2000, QUEUED_FRAMES_MAX = 20000 };

static bool write_out(struct grpc_connection *connection) {
    struct bytes bytes = bytes_of(loop_get_scratch(connection->home->loop), connection->output_bytes);
    if (bytes.len == 0)
        return true;
    connection->output_bytes = 0;
    stats_add(&connection->home->stats.sent_bytes, bytes.len);
    enum status status = stream_write(connection->stream, bytes);
    if (status == STATUS_OK)
        return true;
    connection_condemn(connection,
                       status == STATUS_CLOSED ? GRPC_CLOSE_PEER_RESET : GRPC_CLOSE_WRITE_STALLED);
    return false;
}

uint8_t *connection_write_reserve(struct grpc_connection *connection, size_t size) {
    assert(size <= LOOP_SCRATCH_BYTES);
    if (size > LOOP_SCRATCH_BYTES - connection->output_bytes && !write_out(connection))
        return NULL;
    uint8_t *room = loop_get_scratch(connection->home->loop) + connection->output_bytes;
    connection->output_bytes += size;
    return room;
}

bool connection_write_is_behind(const struct grpc_connection *connection) {
    return stream_get_pending_bytes(connection->stream) > 0;
}

bool connection_write_session(struct grpc_connection *connection) {
    if (!call_http2_answer_write(connection))
        return false;
    while (!connection_write_is_behind(connection)) {
        const uint8_t *data;
        ssize_t len = nghttp2_session_mem_send(connection->session, &data);
        if (len < 0) {
            connection_condemn(connection, GRPC_CLOSE_NO_MEMORY);
            return false;
        }
        if (len == 0)
            break;
        uint8_t *to = connection_write_reserve(connection, (size_t)len);
        if (!to)
            return false;
        memcpy(to, data, (size_t)len);
    }
    return write_out(connection);
}

static void tell(struct grpc_call *call) {
    bool is_waiting = call->is_waiting_for_room && call->state == CALL_RUNNING;
    call->is_writable_listed = call->is_waiting_for_room = false;
    if (is_waiting && call->method->handler->on_writable)
        call->method->handler->on_writable(call);
}

// why not all at once: what each of a thousand handlers has to send keeps the loop from everybody else.
void connection_write_tell_writable(struct grpc_connection *connection) {
    connection->is_telling_writable = true;
    while (connection->writable && connection->turn_bytes < CALL_TURN_BYTES_MAX) {
        struct grpc_call *call = connection->writable;
        connection->writable = call->next_writable;
        tell(call);
    }
    if (connection->writable)
        connection_schedule(connection);
    connection->is_telling_writable = false;
}

void connection_write_update_reading(struct grpc_connection *connection) {
    bool is_behind = connection_write_is_behind(connection) &&
                     nghttp2_session_get_outbound_queue_size(connection->session) > QUEUED_FRAMES_PAUSE;
    bool must_pause = is_behind || !connection_pace_permits(connection);
    if (must_pause == connection->is_reading_paused)
        return;
    connection->is_reading_paused = must_pause;
    if (must_pause)
        stream_pause_reading(connection->stream);
    else
        stream_resume_reading(connection->stream);
}

void connection_write_check_queue(struct grpc_connection *connection) {
    if (nghttp2_session_get_outbound_queue_size(connection->session) > QUEUED_FRAMES_MAX)
        connection_condemn(connection, GRPC_CLOSE_TOO_MANY_QUEUED);
}
