// nghttp2's client session over a transport that never blocks, driven while an exchange is waited for.
#include "common/grpc_client/client_connection.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/crypto/secret.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_transport.h"

#define READ_BYTES 16384
#define WINDOW_BYTES (1 << 20) // of the connection and of each stream: a list's page arrives without a stall
#define FIELDS_MAX 32

// What the first byte of an answer gives away. HTTP/2 begins with the length of a SETTINGS frame: zero.
#define FIRST_BYTE_OF_HTTP1 'H'
#define FIRST_BYTE_OF_TLS_ALERT 0x15

struct keepalive {
    uint64_t time_ns, timeout_ns;
    uint64_t since_ns; // when the peer was last heard, or the PING sent
    bool is_pinged;
};

struct client_connection {
    unsigned holders;
    nghttp2_session *session;
    const struct clock *clock;
    struct client_transport *transport;
    bool is_tls;
    struct buffer out; // what the transport has not taken yet
    struct keepalive keepalive;
    uint8_t first_byte;      // of all that came; where it is no HTTP/2
    bool has_answered;       // at least one byte has come
    bool is_settled;         // the peer's SETTINGS have come
    bool has_heard;          // something came since the last exchange began
    bool is_leaving;         // the peer said GOAWAY: what runs is finished, nothing new begins
    enum client_end failure; // the first one; COMPLETE = none
};

static void fail(struct client_connection *connection, enum client_end failure) {
    if (connection->failure == CLIENT_END_COMPLETE)
        connection->failure = failure;
}

// ---- what nghttp2 tells ----

// NULL for one that was cancelled.
static struct client_exchange *find_exchange(nghttp2_session *session, int32_t id) {
    return id > 0 ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *context) {
    struct client_exchange *exchange = find_exchange(session, frame->hd.stream_id);
    (void)flags, (void)context;
    if (!exchange || exchange->is_given_up)
        return 0;
    const struct client_sink *sink = &exchange->sink;
    if (!sink->add_header(sink->context, bytes_of(name, name_len), bytes_of(value, value_len)))
        exchange->is_given_up = true;
    return 0;
}

// What is not paced has found its place with the sink.
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *context) {
    struct client_exchange *exchange = find_exchange(session, id);
    (void)flags, (void)context;
    bool is_wanted = exchange && !exchange->is_given_up;
    int result = is_wanted && exchange->is_paced ? nghttp2_session_consume_connection(session, len)
                                                 : nghttp2_session_consume(session, id, len);
    if (result != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!is_wanted)
        return 0;
    const struct client_sink *sink = &exchange->sink;
    if (!sink->add_data(sink->context, bytes_of(data, len)))
        exchange->is_given_up = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *context) {
    struct client_exchange *exchange = find_exchange(session, id);
    (void)context;
    if (!exchange)
        return 0;
    exchange->is_ended = true;
    exchange->error_code = error_code;
    return 0;
}

static int on_frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct client_connection *connection = context;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        connection->is_leaving = true;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        connection->is_settled = true;
    struct client_exchange *exchange = find_exchange(session, frame->hd.stream_id);
    if (!exchange || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        exchange->is_answered = true;
    else
        exchange->is_headed = true;
    return 0;
}

static int on_frame_written(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct client_exchange *exchange = find_exchange(session, frame->hd.stream_id);
    (void)context;
    if (exchange && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        exchange->is_written = true;
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context) {
    struct client_exchange *exchange = find_exchange(session, id);
    (void)source, (void)context;
    if (!exchange)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    exchange->is_kept_waiting = exchange->unsent.len == 0 && !exchange->is_last;
    if (exchange->is_kept_waiting)
        return NGHTTP2_ERR_DEFERRED;
    size_t len = exchange->unsent.len < room ? exchange->unsent.len : room;
    if (len > 0)
        memcpy(to, exchange->unsent.data, len);
    exchange->unsent = bytes_of(exchange->unsent.data + len, exchange->unsent.len - len);
    if (exchange->unsent.len == 0 && exchange->is_last)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static bool new_session(struct client_connection *connection) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *options = NULL;
    int result = NGHTTP2_ERR_NOMEM;
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0)
        goto done;
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_written);
    result = nghttp2_session_client_new2(&connection->session, callbacks, connection, options);

done:
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return result == 0;
}

static bool begin_session(struct client_connection *connection) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
    };
    return new_session(connection) &&
           nghttp2_submit_settings(connection->session, 0, settings, ARRAY_LENGTH(settings)) == 0 &&
           nghttp2_session_set_local_window_size(connection->session, 0, 0, WINDOW_BYTES) == 0;
}

// ---- bytes in and out ----

static void take_in(struct client_connection *connection, const uint8_t *data, size_t len) {
    if (!connection->has_answered)
        connection->first_byte = data[0];
    connection->has_answered = true;
    if (connection->first_byte != 0) {
        fail(connection, CLIENT_END_NOT_HTTP2);
        return;
    }
    ssize_t result = nghttp2_session_mem_recv(connection->session, data, len);
    bool has_no_memory = result == NGHTTP2_ERR_NOMEM || result == NGHTTP2_ERR_CALLBACK_FAILURE;
    if (result < 0)
        fail(connection, has_no_memory ? CLIENT_END_NO_MEMORY : CLIENT_END_NOT_HTTP2);
}

static void on_heard(struct client_connection *connection) {
    connection->keepalive.since_ns = clock_get_monotonic_ns(connection->clock);
    connection->keepalive.is_pinged = false;
    connection->has_heard = true;
}

// Takes in all that has arrived, without waiting.
static void read_in(struct client_connection *connection) {
    uint8_t data[READ_BYTES];
    ssize_t len;
    while (connection->failure == CLIENT_END_COMPLETE &&
           (len = client_transport_read(connection->transport, data, sizeof(data))) != 0) {
        if (len < 0) {
            fail(connection, CLIENT_END_LOST);
            return;
        }
        on_heard(connection);
        take_in(connection, data, (size_t)len);
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

// Hands on what the transport takes without waiting.
static void write_out(struct client_connection *connection) {
    gather(connection);
    while (connection->out.len > 0 && connection->failure == CLIENT_END_COMPLETE) {
        ssize_t taken = client_transport_write(connection->transport, buffer_get_bytes(&connection->out));
        if (taken == 0)
            return;
        if (taken > 0) {
            buffer_consume(&connection->out, (size_t)taken);
        } else {
            // The peer may have said why before it closed.
            read_in(connection);
            fail(connection, CLIENT_END_LOST);
        }
    }
}

// ---- waiting ----

static uint64_t get_keepalive_at_ns(const struct client_connection *connection) {
    const struct keepalive *keepalive = &connection->keepalive;
    if (keepalive->time_ns == 0)
        return UINT64_MAX;
    return keepalive->since_ns + (keepalive->is_pinged ? keepalive->timeout_ns : keepalive->time_ns);
}

static void ping(struct client_connection *connection) {
    struct keepalive *keepalive = &connection->keepalive;
    if (keepalive->is_pinged) {
        fail(connection, CLIENT_END_LOST);
        return;
    }
    keepalive->is_pinged = true;
    keepalive->since_ns = clock_get_monotonic_ns(connection->clock);
    if (nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        fail(connection, CLIENT_END_NO_MEMORY);
}

// Writes what is to be written and takes in what comes. False when the deadline passed first.
static bool turn(struct client_connection *connection, uint64_t deadline_ns) {
    write_out(connection);
    // nghttp2 has told the peer of its mistake (GOAWAY) and wants no more of it.
    if (!nghttp2_session_want_read(connection->session))
        fail(connection, CLIENT_END_NOT_HTTP2);
    if (connection->failure != CLIENT_END_COMPLETE)
        return true;
    uint64_t ping_at_ns = get_keepalive_at_ns(connection);
    uint64_t until_ns = ping_at_ns < deadline_ns ? ping_at_ns : deadline_ns;
    if (client_transport_wait(connection->transport, connection->out.len > 0, until_ns))
        read_in(connection);
    else if (until_ns == deadline_ns || clock_get_monotonic_ns(connection->clock) < until_ns)
        return false; // in the second case it was woken
    else
        ping(connection);
    return true;
}

// ---- opening ----

static bool is_tls_wanted(const struct client_connection *connection) {
    return connection->has_answered && connection->first_byte == FIRST_BYTE_OF_TLS_ALERT;
}

// What ended a connection before the peer had said its SETTINGS. The text follows the server's name.
static const char *explain(const struct client_connection *connection) {
    if (!connection->has_answered)
        return connection->is_tls
                   ? "closed the connection behind the TLS handshake: it may want a client certificate, or "
                     "another one"
                   : "closed the connection without a word: it may want TLS, or speak another protocol";
    if (connection->first_byte == FIRST_BYTE_OF_HTTP1)
        return "speaks HTTP/1, not gRPC: it may be an admin port, or another program";
    return is_tls_wanted(connection) ? "takes only TLS, and was called without it" : "does not speak gRPC";
}

static void tell_failure(const struct client_connection *connection, const char *peer,
                         struct client_failure *failure) {
    const char *refusal = client_transport_find_refusal(connection->transport);
    if (connection->failure == CLIENT_END_NO_MEMORY)
        client_failure_set(failure, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
    else if (refusal)
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_TLS_FAILED,
                           "the TLS handshake with %s failed: %s", peer, refusal);
    else
        client_failure_set(failure, STATUS_UNAVAILABLE,
                           is_tls_wanted(connection) ? GRPC_CLIENT_TLS_REQUIRED : GRPC_CLIENT_NOT_GRPC,
                           "%s %s", peer, explain(connection));
}

static bool settle(struct client_connection *connection, const char *peer, uint64_t deadline_ns,
                   struct client_failure *failure) {
    while (!connection->is_settled && connection->failure == CLIENT_END_COMPLETE) {
        if (turn(connection, deadline_ns))
            continue;
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_CONNECT_TIMEOUT,
                           "%s took the connection and did not say in time that it speaks gRPC", peer);
        return false;
    }
    if (!connection->is_settled)
        tell_failure(connection, peer, failure);
    return connection->is_settled;
}

struct client_connection *client_connection_open_over(struct client_transport *transport, const char *peer,
                                                      const struct client_connection_options *options,
                                                      uint64_t deadline_ns, struct client_failure *failure) {
    struct client_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        client_failure_set(failure, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
        client_transport_close(transport);
        return NULL;
    }
    connection->holders = 1;
    connection->clock = options->clock;
    connection->is_tls = options->tls != NULL;
    connection->transport = transport;
    if (!begin_session(connection))
        fail(connection, CLIENT_END_NO_MEMORY);
    if (!settle(connection, peer, deadline_ns, failure)) {
        client_connection_close(connection);
        return NULL;
    }
    connection->keepalive = (struct keepalive){.time_ns = options->keepalive_time_ns,
                                               .timeout_ns = options->keepalive_timeout_ns};
    return connection;
}

struct client_connection *client_connection_open(const struct client_address *address,
                                                 const struct client_connection_options *options,
                                                 uint64_t deadline_ns, struct client_failure *failure) {
    struct client_transport *transport =
        client_transport_open(address, options->tls, deadline_ns, options->clock, failure);
    if (!transport)
        return NULL;
    return client_connection_open_over(transport, address->target->text, options, deadline_ns, failure);
}

void client_connection_hold(struct client_connection *connection) {
    connection->holders++;
}

void client_connection_close(struct client_connection *connection) {
    if (!connection || --connection->holders > 0)
        return;
    nghttp2_session_del(connection->session);
    if (connection->out.data)
        secret_wipe(connection->out.data, connection->out.capacity);
    buffer_fini(&connection->out);
    client_transport_close(connection->transport);
    free(connection);
}

bool client_connection_is_usable(struct client_connection *connection) {
    read_in(connection);
    return connection->failure == CLIENT_END_COMPLETE && !connection->is_leaving;
}

// ---- exchanges ----

void client_connection_begin(struct client_connection *connection, struct client_exchange *exchange,
                             const struct client_field *fields, size_t field_count) {
    assert(field_count <= FIELDS_MAX);
    nghttp2_nv pairs[FIELDS_MAX];
    for (size_t i = 0; i < field_count; i++) {
        const struct client_field *field = &fields[i];
        // nghttp2 takes pointers to mutable bytes, but with these flags it neither copies nor writes.
        pairs[i] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)field->name.data,
                                .namelen = field->name.len,
                                .value = (uint8_t *)(uintptr_t)field->value.data,
                                .valuelen = field->value.len,
                                .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE |
                                         (field->is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : 0)};
    }
    on_heard(connection); // silence counts from here
    connection->has_heard = false;
    const nghttp2_data_provider body = {.read_callback = read_body};
    exchange->stream = nghttp2_submit_request(connection->session, NULL, pairs, field_count, &body, exchange);
    if (exchange->stream < 0)
        fail(connection, CLIENT_END_NO_MEMORY);
    write_out(connection);
}

// Whether the connection can bring no more of the exchange.
static bool is_over(const struct client_connection *connection, const struct client_exchange *exchange) {
    return exchange->is_ended || exchange->is_given_up || connection->failure != CLIENT_END_COMPLETE;
}

enum client_wait client_connection_wait(struct client_connection *connection,
                                        const struct client_exchange *exchange,
                                        bool (*is_enough)(void *context), void *context,
                                        uint64_t deadline_ns) {
    for (;;) {
        if (is_enough && is_enough(context))
            return CLIENT_WAIT_ENOUGH;
        if (is_over(connection, exchange))
            return CLIENT_WAIT_OVER;
        if (!turn(connection, deadline_ns))
            return CLIENT_WAIT_TIMED_OUT;
    }
}

void client_connection_set_wake(struct client_connection *connection, int fd) {
    client_transport_set_wake(connection->transport, fd);
}

enum client_end client_connection_get_end(const struct client_connection *connection,
                                          const struct client_exchange *exchange) {
    if (exchange->is_given_up)
        return CLIENT_END_GIVEN_UP;
    if (exchange->is_ended && exchange->error_code == NGHTTP2_REFUSED_STREAM)
        return CLIENT_END_UNSEEN;
    if (exchange->is_ended)
        return exchange->error_code == NGHTTP2_NO_ERROR ? CLIENT_END_COMPLETE : CLIENT_END_RESET;
    bool was_sent = exchange->is_written && connection->out.len == 0;
    return connection->failure == CLIENT_END_LOST && !was_sent ? CLIENT_END_UNSEEN : connection->failure;
}

void client_connection_send(struct client_connection *connection, struct client_exchange *exchange) {
    if (exchange->is_kept_waiting && nghttp2_session_resume_data(connection->session, exchange->stream) != 0)
        fail(connection, CLIENT_END_NO_MEMORY);
    write_out(connection);
}

void client_connection_cancel(struct client_connection *connection, struct client_exchange *exchange) {
    if (exchange->stream <= 0 || exchange->is_ended)
        return;
    nghttp2_session_set_stream_user_data(connection->session, exchange->stream, NULL);
    if (connection->failure != CLIENT_END_COMPLETE)
        return;
    if (nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, exchange->stream, NGHTTP2_CANCEL) !=
        0)
        fail(connection, CLIENT_END_NO_MEMORY);
    write_out(connection);
}

void client_connection_take(struct client_connection *connection, struct client_exchange *exchange,
                            size_t len) {
    if (nghttp2_session_consume_stream(connection->session, exchange->stream, len) != 0)
        fail(connection, CLIENT_END_NO_MEMORY);
    write_out(connection);
}

void client_connection_doubt(struct client_connection *connection) {
    if (!connection->has_heard)
        fail(connection, CLIENT_END_LOST);
}
