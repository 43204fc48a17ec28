#include "tests/unit/memory_client.h"

#include <string.h>

#include "common/net/loop_internal.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { PIECE_BYTES = 700, FIELDS_MAX = 16 };

// ---- what comes ----

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data) {
    (void)session, (void)frame, (void)flags;
    struct buffer *fields = &((struct memory_client *)user_data)->answer.fields;
    buffer_append(fields, bytes_of(name, name_len));
    buffer_append_text(fields, ": ");
    buffer_append(fields, bytes_of(value, value_len));
    buffer_append_text(fields, "\n");
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user_data) {
    (void)session, (void)flags, (void)stream_id;
    buffer_append(&((struct memory_client *)user_data)->answer.body, bytes_of(data, len));
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)session;
    struct memory_answer *answer = &((struct memory_client *)user_data)->answer;
    bool is_of_call = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (is_of_call && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        answer->is_complete = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        answer->is_reset = true;
    return 0;
}

// ---- what leaves ----

ssize_t memory_client_read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                                uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    (void)session, (void)stream_id, (void)user_data;
    struct bytes *left = source->ptr;
    size_t len = left->len < room ? left->len : room;
    memcpy(to, left->data, len);
    *left = bytes_of(left->data + len, left->len - len);
    *flags |= left->len == 0 ? NGHTTP2_DATA_FLAG_EOF : 0;
    return (ssize_t)len;
}

// Before its handshake is complete a client of TLS has nothing to say but that.
static void collect(struct memory_client *client) {
    const uint8_t *data;
    if (client->tls && !tls_session_is_open(client->tls))
        return;
    for (ssize_t len; (len = nghttp2_session_mem_send(client->session, &data)) > 0;) {
        struct bytes bytes = bytes_of(data, (size_t)len);
        if (!client->tls)
            buffer_append(&client->output, bytes);
        else if (!client->is_tls_over)
            client->is_tls_over = tls_session_send(client->tls, bytes, &client->output) != STATUS_OK;
    }
}

static void understand(struct memory_client *client, struct bytes bytes) {
    ssize_t taken = nghttp2_session_mem_recv(client->session, bytes.data, bytes.len);
    assert_int_equal(taken, bytes.len); // whatever happens, it is HTTP/2
}

static void receive(struct memory_client *client) {
    struct bytes bytes = buffer_get_bytes(&client->stream.written);
    struct buffer plain = {0};
    if (client->tls && !client->is_tls_over) {
        client->is_tls_over = tls_session_receive(client->tls, bytes, &plain, &client->output) != STATUS_OK;
        understand(client, buffer_get_bytes(&plain));
    } else if (!client->tls) {
        understand(client, bytes);
    }
    buffer_fini(&plain);
    buffer_reset(&client->stream.written);
}

// ---- both ----

static void turn(struct memory_client *client) {
    uv_run(loop_get_uv(client->stream.base.loop), UV_RUN_NOWAIT);
}

static void deliver(struct memory_client *client) {
    for (size_t from = 0; from < client->output.len; from += PIECE_BYTES) {
        size_t left = client->output.len - from, len = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (!client->stream.is_closed)
            memory_stream_receive(&client->stream, bytes_of(client->output.data + from, len));
        turn(client);
    }
}

void memory_client_talk(struct memory_client *client) {
    bool has_moved;
    do {
        allocation_failure_suspend();
        collect(client);
        allocation_failure_resume();
        has_moved = client->output.len > 0;
        deliver(client);
        turn(client);
        buffer_reset(&client->output);
        allocation_failure_suspend();
        has_moved |= client->stream.written.len > 0;
        receive(client);
        has_moved |= client->output.len > 0;
        allocation_failure_resume();
    } while (has_moved);
}

#define FIELD(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE }

void memory_client_submit(struct memory_client *client, const char *path, const nghttp2_nv *fields,
                          size_t field_count, struct bytes body) {
    nghttp2_nv all[FIELDS_MAX] = {FIELD(":method", "POST"), FIELD(":scheme", "http"),
                                  FIELD(":authority", "test"), FIELD(":path", path)};
    assert_true(field_count <= FIELDS_MAX - 4);
    memcpy(all + 4, fields, field_count * sizeof(*fields));
    client->body = body;
    nghttp2_data_provider provider = {.source.ptr = &client->body, .read_callback = memory_client_read_body};
    assert_true(nghttp2_submit_request(client->session, NULL, all, 4 + field_count, &provider, NULL) > 0);
}

nghttp2_session *memory_client_new_session(nghttp2_on_header_callback header,
                                           nghttp2_on_frame_recv_callback frame,
                                           nghttp2_on_data_chunk_recv_callback data, void *context) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame);
    assert_int_equal(nghttp2_session_client_new(&session, callbacks, context), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    return session;
}

void memory_client_init(struct memory_client *client, struct loop *loop, struct tls_session *tls) {
    const struct ip_address far = {.family = IP_FAMILY_V4, .bytes = {198, 51, 100, 1}};
    *client = (struct memory_client){.tls = tls};
    memory_stream_init(&client->stream, loop, &far);
    client->session = memory_client_new_session(on_header, on_frame, on_data, client);
    if (tls)
        assert_int_equal(tls_session_receive(tls, BYTES_EMPTY, &client->answer.body, &client->output),
                         STATUS_OK);
}

void memory_client_fini(struct memory_client *client) {
    nghttp2_session_del(client->session);
    tls_session_free(client->tls);
    buffer_fini(&client->output);
    buffer_fini(&client->answer.fields);
    buffer_fini(&client->answer.body);
    memory_stream_fini(&client->stream);
}
