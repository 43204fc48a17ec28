// why the trailers of nearly every call are written here as well, behind its last DATA, which nghttp2 takes
// for the end of the stream: as a frame of their own they would go through its queue and its compressor for
// what is always the same. A literal that is not indexed leaves the client's table as it is; but the first
// header block after the client has changed the size of its table has to say so (RFC 7541, 4.2), and is the
// compressor's.
#include "common/grpc/call_http2_body.h"

#include <assert.h>
#include <string.h>

#include "common/grpc/connection_write.h"
#include "common/grpc/http2_frame.h"

enum { FLAGS_AT = 4 };

static bool ends_plainly(const struct grpc_call *call) {
    return call->trailer_rows == call_ok_trailers && !call->connection->owes_table_size;
}

static ssize_t measure_body(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    (void)buffer, (void)user_data;
    struct grpc_call *call = source->ptr;
    bool is_all;
    size_t len = call_measure_body(call, room, &is_all);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!is_all)
        return (ssize_t)len;
    if (!call->is_complete) {
        call->is_deferred = len == 0;
        return call->is_deferred ? NGHTTP2_ERR_DEFERRED : (ssize_t)len;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (call->trailer_count == 0 || ends_plainly(call))
        return (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    // Fails only without memory; the stream is then reset.
    int result = nghttp2_submit_trailer(session, stream_id, call->trailer_rows, call->trailer_count);
    return result == 0 ? (ssize_t)len : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void write_data(struct grpc_call *call, uint8_t *to, const uint8_t *head, size_t len) {
    memcpy(to, head, HTTP2_FRAME_HEAD_BYTES);
    size_t read = call_read_body(call, to + HTTP2_FRAME_HEAD_BYTES, len);
    assert(read == len);
}

int call_http2_send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                         nghttp2_data_source *source, void *user_data) {
    (void)session;
    struct grpc_connection *connection = user_data;
    struct grpc_call *call = source->ptr;
    bool has_ok = frame->hd.flags & NGHTTP2_FLAG_END_STREAM && ends_plainly(call);
    size_t data_bytes = len > 0 || !has_ok ? HTTP2_FRAME_HEAD_BYTES + len : 0;
    uint8_t *to = connection_write_reserve(connection, data_bytes + (has_ok ? HTTP2_FRAME_OK_BYTES : 0));
    if (!to)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (data_bytes > 0)
        write_data(call, to, head, len);
    if (has_ok) {
        http2_frame_write_ok(to + data_bytes, frame->hd.stream_id);
        connection->sent_frames++;
        if (data_bytes > 0)
            to[FLAGS_AT] = NGHTTP2_FLAG_NONE;
    }
    return connection_write_is_behind(connection) ? NGHTTP2_ERR_PAUSE : 0;
}

nghttp2_data_provider call_http2_body_of(struct grpc_call *call) {
    return (nghttp2_data_provider){.source.ptr = call, .read_callback = measure_body};
}
