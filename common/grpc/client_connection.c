// nghttp2's client session over a non-blocking socket, driven by poll(2) while an exchange waits.
#include "common/grpc/client_connection.h"

#include <assert.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/grpc/client_socket.h"

#define READ_BYTES 16384
#define WINDOW_BYTES (1 << 20) // of the connection and of each stream: a list's page arrives without a stall
#define FIELDS_MAX 32

// What the first byte of an answer gives away. HTTP/2 begins with the length of a SETTINGS frame: zero.
#define FIRST_BYTE_OF_HTTP1 'H'
#define FIRST_BYTE_OF_TLS_ALERT 0x15

struct client_connection {
    nghttp2_session *session;
    const struct clock *clock;
    int fd;
    struct buffer out;       // what the socket has not taken yet
    bool has_answered;       // at least one byte has come
    bool is_leaving;         // the peer said GOAWAY: what runs is finished, nothing new begins
    enum client_end failure; // the first one; COMPLETE = none
    // The exchange that runs; stream 0 = none.
    const struct client_exchange *exchange;
    size_t body_offset;
    int32_t stream;
    bool is_written; // the whole request is in `out` or beyond
    bool is_ended;   // the stream is closed
    bool is_given_up;
    uint32_t error_code;
};

static void fail(struct client_connection *connection, enum client_end failure) {
    if (connection->failure == CLIENT_END_COMPLETE)
        connection->failure = failure;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *context) {
    struct client_connection *connection = context;
    (void)session, (void)flags;
    if (frame->hd.stream_id != connection->stream || connection->is_given_up)
        return 0;
    const struct client_sink *sink = &connection->exchange->sink;
    if (!sink->add_header(sink->context, bytes_of(name, name_len), bytes_of(value, value_len)))
        connection->is_given_up = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
                   void *context) {
    struct client_connection *connection = context;
    (void)session, (void)flags;
    if (stream != connection->stream || connection->is_given_up)
        return 0;
    const struct client_sink *sink = &connection->exchange->sink;
    if (!sink->add_data(sink->context, bytes_of(data, len)))
        connection->is_given_up = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error_code, void *context) {
    struct client_connection *connection = context;
    (void)session;
    if (stream != connection->stream)
        return 0;
    connection->is_ended = true;
    connection->error_code = error_code;
    return 0;
}

static int on_frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct client_connection *connection = context;
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        connection->is_leaving = true;
    return 0;
}

static int on_frame_written(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct client_connection *connection = context;
    (void)session;
    if (frame->hd.stream_id == connection->stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        connection->is_written = true;
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context) {
    struct client_connection *connection = context;
    (void)session, (void)stream, (void)source;
    struct bytes body = connection->exchange->body;
    size_t left = body.len - connection->body_offset;
    size_t len = left < room ? left : room;
    if (len > 0)
        memcpy(to, body.data + connection->body_offset, len);
    connection->body_offset += len;
    if (len == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static bool begin_session(struct client_connection *connection) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_written);
    int result = nghttp2_session_client_new(&connection->session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    if (result != 0)
        return false;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
    };
    return nghttp2_submit_settings(connection->session, 0, settings, ARRAY_LENGTH(settings)) == 0 &&
           nghttp2_session_set_local_window_size(connection->session, 0, 0, WINDOW_BYTES) == 0;
}

struct client_connection *client_connection_open(const struct client_target *target, uint64_t deadline_ns,
                                                 const struct clock *clock, struct fault *fault) {
    struct client_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
        return NULL;
    }
    connection->clock = clock;
    connection->fd = -1;
    if (client_socket_open(target, deadline_ns, clock, &connection->fd, fault) != STATUS_OK)
        goto failed;
    if (!begin_session(connection)) {
        fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
        goto failed;
    }
    return connection;

failed:
    client_connection_close(connection);
    return NULL;
}

void client_connection_close(struct client_connection *connection) {
    if (!connection)
        return;
    nghttp2_session_del(connection->session);
    buffer_fini(&connection->out);
    if (connection->fd >= 0)
        close(connection->fd);
    free(connection);
}

static enum client_end recognise(uint8_t first_byte) {
    if (first_byte == FIRST_BYTE_OF_HTTP1)
        return CLIENT_END_SPEAKS_HTTP1;
    return first_byte == FIRST_BYTE_OF_TLS_ALERT ? CLIENT_END_SPEAKS_TLS : CLIENT_END_NOT_HTTP2;
}

static void take_in(struct client_connection *connection, const uint8_t *data, size_t len) {
    if (!connection->has_answered && data[0] != 0) {
        fail(connection, recognise(data[0]));
        return;
    }
    connection->has_answered = true;
    ssize_t result = nghttp2_session_mem_recv(connection->session, data, len);
    if (result == NGHTTP2_ERR_NOMEM)
        fail(connection, CLIENT_END_NO_MEMORY);
    else if (result < 0)
        fail(connection, CLIENT_END_NOT_HTTP2);
}

// Takes in all that has arrived, without waiting.
static void read_in(struct client_connection *connection) {
    uint8_t data[READ_BYTES];
    for (;;) {
        ssize_t len = recv(connection->fd, data, sizeof(data), 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && errno == EAGAIN)
            return;
        if (len <= 0) {
            fail(connection, connection->has_answered ? CLIENT_END_LOST : CLIENT_END_SILENT);
            return;
        }
        take_in(connection, data, (size_t)len);
        if (connection->is_ended || connection->is_given_up)
            return;
    }
}

// Collects the frames that nghttp2 wants sent, so that a request leaves in one packet.
static void gather(struct client_connection *connection) {
    const uint8_t *data;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(connection->session, &data)) > 0)
        buffer_append(&connection->out, bytes_of(data, (size_t)len));
    if (len < 0 || connection->out.failed)
        fail(connection, CLIENT_END_NO_MEMORY);
}

// Hands on what the socket takes without waiting.
static void write_out(struct client_connection *connection) {
    gather(connection);
    while (connection->out.len > 0 && connection->failure == CLIENT_END_COMPLETE) {
        ssize_t taken = send(connection->fd, connection->out.data, connection->out.len, MSG_NOSIGNAL);
        if (taken >= 0) {
            buffer_consume(&connection->out, (size_t)taken);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            // The peer may have said why before it closed.
            read_in(connection);
            fail(connection, CLIENT_END_LOST);
        }
    }
}

bool client_connection_is_usable(struct client_connection *connection) {
    read_in(connection);
    return connection->failure == CLIENT_END_COMPLETE && !connection->is_leaving;
}

static bool submit(struct client_connection *connection, const struct client_exchange *exchange) {
    assert(exchange->field_count <= FIELDS_MAX);
    nghttp2_nv fields[FIELDS_MAX];
    for (size_t i = 0; i < exchange->field_count; i++) {
        const struct client_field *field = &exchange->fields[i];
        // nghttp2 takes pointers to mutable bytes, but with these flags it neither copies nor writes.
        fields[i] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)field->name.data,
                                 .namelen = field->name.len,
                                 .value = (uint8_t *)(uintptr_t)field->value.data,
                                 .valuelen = field->value.len,
                                 .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE |
                                          (field->is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : 0)};
    }
    connection->exchange = exchange;
    connection->body_offset = 0;
    connection->is_written = connection->is_ended = connection->is_given_up = false;
    connection->error_code = NGHTTP2_NO_ERROR;
    const nghttp2_data_provider body = {.read_callback = read_body};
    connection->stream =
        nghttp2_submit_request(connection->session, NULL, fields, exchange->field_count, &body, NULL);
    return connection->stream > 0;
}

// Whether the connection can bring no more of the running exchange.
static bool is_over(const struct client_connection *connection) {
    return connection->is_ended || connection->is_given_up || connection->failure != CLIENT_END_COMPLETE;
}

static enum client_end get_end(const struct client_connection *connection) {
    if (connection->is_given_up)
        return CLIENT_END_GIVEN_UP;
    if (connection->is_ended && connection->error_code == NGHTTP2_REFUSED_STREAM)
        return CLIENT_END_UNSEEN;
    if (connection->is_ended)
        return connection->error_code == NGHTTP2_NO_ERROR ? CLIENT_END_COMPLETE : CLIENT_END_RESET;
    bool was_sent = connection->is_written && connection->out.len == 0;
    return connection->failure == CLIENT_END_LOST && !was_sent ? CLIENT_END_UNSEEN : connection->failure;
}

static void run(struct client_connection *connection, uint64_t deadline_ns) {
    for (;;) {
        write_out(connection);
        // nghttp2 has told the peer of its mistake (GOAWAY) and wants no more of it.
        if (!nghttp2_session_want_read(connection->session))
            fail(connection, CLIENT_END_NOT_HTTP2);
        if (is_over(connection))
            return;
        short events = connection->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
        if (!client_socket_wait(connection->fd, events, deadline_ns, connection->clock))
            fail(connection, CLIENT_END_TIMED_OUT);
        else
            read_in(connection);
    }
}

enum client_end client_connection_exchange(struct client_connection *connection,
                                           const struct client_exchange *exchange, uint32_t *ret_error_code) {
    if (submit(connection, exchange))
        run(connection, exchange->deadline_ns);
    else
        fail(connection, CLIENT_END_NO_MEMORY);
    enum client_end end = get_end(connection);
    // The stream may still be open there: nothing of it may reach the next exchange.
    if (end != CLIENT_END_COMPLETE && end != CLIENT_END_RESET)
        fail(connection, end);
    connection->stream = 0;
    connection->exchange = NULL;
    *ret_error_code = connection->error_code;
    return end;
}
