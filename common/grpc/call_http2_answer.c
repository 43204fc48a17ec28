// why past nghttp2: its queues, its compressor and its tree of priorities cost a plain answer more than the
// decision in it.
#include "common/grpc/call_http2_answer.h"

#include <assert.h>

#include "common/grpc/call_http2.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_write.h"
#include "common/grpc/http2_frame.h"

enum { BODY_BYTES_MAX = 16384, FRAMES = 3 };

// cmake/nghttp2/0004-let-answers-be-written.patch, which says what they do; NULL in a library without it.
__attribute__((weak)) int nghttp2_session_may_answer(nghttp2_session *session, int32_t stream_id,
                                                     size_t data_len);
__attribute__((weak)) int nghttp2_session_note_answer(nghttp2_session *session, int32_t stream_id,
                                                      size_t data_len);

bool call_http2_answer_wait(struct grpc_call *call, const nghttp2_nv *rows) {
    struct grpc_connection *connection = call->connection;
    bool is_plain = rows == call_begin_rows[call->head.content_type] && call->is_complete &&
                    call->trailer_rows == call_ok_trailers;
    if (!nghttp2_session_may_answer || !is_plain)
        return false;
    call->next_answer = NULL;
    call->answer_link = connection->answers_end;
    *connection->answers_end = call;
    connection->answers_end = &call->next_answer;
    return true;
}

void call_http2_answer_forget(struct grpc_call *call) {
    if (!call->answer_link)
        return;
    *call->answer_link = call->next_answer;
    if (call->next_answer)
        call->next_answer->answer_link = call->answer_link;
    else
        call->connection->answers_end = call->answer_link;
    call->answer_link = NULL;
}

static struct bytes get_content_type(const struct grpc_call *call) {
    const nghttp2_nv *row = &call_begin_rows[call->head.content_type][CALL_BEGIN_CONTENT_TYPE];
    return bytes_of(row->value, row->valuelen);
}

static bool may_leave(const struct grpc_call *call, size_t *ret_body_bytes) {
    struct grpc_connection *connection = call->connection;
    bool is_all;
    *ret_body_bytes = call_measure_body(call, BODY_BYTES_MAX, &is_all);
    return is_all && !connection->owes_table_size && !connection_write_is_behind(connection) &&
           nghttp2_session_may_answer(connection->session, call->stream_id, *ret_body_bytes);
}

static bool write_frames(struct grpc_call *call, size_t body_bytes) {
    struct grpc_connection *connection = call->connection;
    struct bytes content_type = get_content_type(call);
    size_t size =
        http2_frame_measure_begin(content_type) + HTTP2_FRAME_HEAD_BYTES + body_bytes + HTTP2_FRAME_OK_BYTES;
    uint8_t *to = connection_write_reserve(connection, size);
    if (!to)
        return false;
    to = http2_frame_write_begin(to, call->stream_id, content_type);
    to = http2_frame_write_head(to, NGHTTP2_DATA, NGHTTP2_FLAG_NONE, call->stream_id, body_bytes);
    size_t read = call_read_body(call, to, body_bytes);
    assert(read == body_bytes);
    (void)http2_frame_write_ok(to + body_bytes, call->stream_id);
    connection->sent_frames += FRAMES;
    return true;
}

// The call is gone when it returns.
static bool write_answer(struct grpc_call *call, size_t body_bytes) {
    struct grpc_connection *connection = call->connection;
    if (!write_frames(call, body_bytes))
        return false;
    if (nghttp2_session_note_answer(connection->session, call->stream_id, body_bytes) == 0)
        return true;
    connection_condemn(connection, GRPC_CLOSE_NO_MEMORY);
    return false;
}

bool call_http2_answer_write(struct grpc_connection *connection) {
    while (connection->answers) {
        struct grpc_call *call = connection->answers;
        size_t body_bytes;
        call_http2_answer_forget(call);
        if (!may_leave(call, &body_bytes))
            call_http2_submit(call, call_begin_rows[call->head.content_type], CALL_BEGIN_COUNT,
                              CALL_WITH_BODY);
        else if (!write_answer(call, body_bytes))
            return false;
    }
    return true;
}
