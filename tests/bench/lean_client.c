#include "tests/bench/lean_client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum {
    HEAD_BYTES = 9,
    REQUEST_BYTES_MAX = 8192,
    CANCEL = 8,
    MAX_CONCURRENT_STREAMS = 3,
    INITIAL_WINDOW_SIZE = 4
};
enum { WINDOW_AT_FIRST = 65535, STREAMS_AT_FIRST = 100, LARGE_WINDOW = 1 << 30 };

#define BACKOFF_S 1.0
#define BACKOFF_TIMES 1.6
#define BACKOFF_JITTER 0.2
#define BACKOFF_MAX_S 120.0

// HPACK: entries of the static table, and where the dynamic one begins.
enum { METHOD_POST = 0x83, SCHEME_HTTP = 0x86, INDEXED = 0x80, LITERAL = 0x40, FIRST_DYNAMIC = 62 };

void lean_fail(const char *what) {
    fprintf(stderr, "bench-open-loop: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint32_t read_u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// ---- what leaves ----

static void put_byte(struct lean_connection *connection, uint8_t byte) {
    connection->out[connection->out_end++] = byte;
}

static void put(struct lean_connection *connection, const void *data, size_t len) {
    memcpy(connection->out + connection->out_end, data, len);
    connection->out_end += len;
}

static void put_u32(struct lean_connection *connection, uint32_t value) {
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    put(connection, bytes, sizeof(bytes));
}

static void put_head(struct lean_connection *connection, size_t len, uint8_t type, uint8_t flags,
                     uint32_t stream) {
    const uint8_t head[] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags};
    put(connection, head, sizeof(head));
    put_u32(connection, stream);
}

static void put_setting(struct lean_connection *connection, uint16_t id, uint32_t value) {
    put_byte(connection, (uint8_t)(id >> 8));
    put_byte(connection, (uint8_t)id);
    put_u32(connection, value);
}

static void put_text(struct lean_connection *connection, const char *text) {
    size_t len = strlen(text);
    if (len > 126)
        lean_fail("a header field is too long");
    put_byte(connection, (uint8_t)len);
    put(connection, text, len);
}

struct field {
    const char *name, *value;
};

// The first block of a connection puts the fields into HPACK's table, the others point there.
static void put_block(struct lean_connection *connection, const struct field *fields, size_t count) {
    put_byte(connection, METHOD_POST);
    put_byte(connection, SCHEME_HTTP);
    for (size_t i = 0; i < count; i++) {
        if (connection->next_stream > 1) {
            put_byte(connection, (uint8_t)(INDEXED | (FIRST_DYNAMIC + count - 1 - i)));
            continue;
        }
        put_byte(connection, LITERAL);
        put_text(connection, fields[i].name);
        put_text(connection, fields[i].value);
    }
}

static void put_headers(struct lean_connection *connection, uint32_t stream) {
    const struct lean_options *options = connection->options;
    struct field fields[7] = {{":path", options->path},
                              {":authority", connection->authority},
                              {"content-type", "application/grpc"},
                              {"te", "trailers"},
                              {"user-agent", "grpc-bench"}};
    size_t count = 5, begin = connection->out_end;
    if (options->deadline_ns > 0)
        fields[count++] = (struct field){"grpc-timeout", connection->timeout};
    if (*options->authorization)
        fields[count++] = (struct field){"authorization", options->authorization};
    put_head(connection, 0, HEADERS, END_HEADERS, stream);
    put_block(connection, fields, count);
    size_t len = connection->out_end - begin - HEAD_BYTES;
    connection->out[begin + 1] = (uint8_t)(len >> 8);
    connection->out[begin + 2] = (uint8_t)len;
}

static struct lean_call *slot_of(struct lean_connection *connection, uint32_t stream) {
    return &connection->calls[stream / 2 % LEAN_STREAMS_MAX];
}

static void put_request(struct lean_connection *connection, uint64_t due_ns) {
    const struct lean_options *options = connection->options;
    uint32_t stream = connection->next_stream;
    const struct lean_body *body = &options->bodies[connection->next_body++ % options->body_count];
    put_headers(connection, stream);
    put_head(connection, body->len, DATA, END_STREAM, stream);
    put(connection, body->data, body->len);
    connection->window -= (int64_t)body->len;
    *slot_of(connection, stream) = (struct lean_call){due_ns, stream, false};
    connection->next_stream += 2;
    connection->open++;
}

static bool has_room(const struct lean_connection *connection, size_t len) {
    return connection->out_end + len <= LEAN_BUFFER_SIZE;
}

static bool may_leave(struct lean_connection *connection) {
    return connection->waiting_begin != connection->waiting_end && connection->is_ready &&
           !connection->is_leaving && has_room(connection, REQUEST_BYTES_MAX) &&
           connection->open < connection->max_streams && connection->window >= REQUEST_BYTES_MAX &&
           slot_of(connection, connection->next_stream)->stream == 0;
}

static void flush(struct lean_connection *connection) {
    size_t len = connection->out_end - connection->out_begin;
    if (len == 0)
        return;
    connection->out_begin += lean_wire_send(&connection->wire, connection->out + connection->out_begin, len);
    if (connection->out_begin == connection->out_end)
        connection->out_begin = connection->out_end = 0;
}

// ---- what has ended ----

static void end_call(struct lean_connection *connection, struct lean_call *call, bool is_ok) {
    uint64_t due_ns = call->due_ns;
    call->stream = 0;
    connection->open--;
    connection->options->on_end(due_ns, is_ok);
}

static bool is_late(const struct lean_connection *connection, uint64_t due_ns, uint64_t now_ns) {
    uint64_t deadline_ns = connection->options->deadline_ns;
    return deadline_ns > 0 && due_ns + deadline_ns <= now_ns;
}

static void reset(struct lean_connection *connection, struct lean_call *call) {
    put_head(connection, 4, RST_STREAM, 0, call->stream);
    put_u32(connection, CANCEL);
    end_call(connection, call, false);
}

static void give_up_late(struct lean_connection *connection, uint64_t now_ns) {
    for (; connection->first_stream < connection->next_stream; connection->first_stream += 2) {
        struct lean_call *call = slot_of(connection, connection->first_stream);
        if (call->stream != connection->first_stream)
            continue; // has ended
        if (!is_late(connection, call->due_ns, now_ns) || !has_room(connection, HEAD_BYTES + 4))
            break;
        reset(connection, call);
    }
    for (; connection->waiting_begin != connection->waiting_end; connection->waiting_begin++) {
        uint64_t due_ns = connection->waiting[connection->waiting_begin % LEAN_WAITING_MAX];
        if (!is_late(connection, due_ns, now_ns))
            break;
        connection->options->on_end(due_ns, false);
    }
}

// ---- connecting ----

// Calls that have left: those that were not begun go back to where they waited.
static void end_open_calls(struct lean_connection *connection) {
    for (uint32_t stream = connection->next_stream; stream > connection->first_stream;) {
        stream -= 2;
        struct lean_call *call = slot_of(connection, stream);
        if (call->stream != stream)
            continue;
        bool is_begun = !connection->is_leaving || stream <= connection->last_begun;
        if (is_begun) {
            end_call(connection, call, false);
            continue;
        }
        connection->waiting[--connection->waiting_begin % LEAN_WAITING_MAX] = call->due_ns;
        call->stream = 0;
        connection->open--;
    }
}

static void fail_waiting(struct lean_connection *connection) {
    for (; connection->waiting_begin != connection->waiting_end; connection->waiting_begin++)
        connection->options->on_end(connection->waiting[connection->waiting_begin % LEAN_WAITING_MAX], false);
}

static void connect_now(struct lean_connection *connection) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    connection->is_ready = connection->is_leaving = false;
    connection->first_stream = connection->next_stream = 1;
    connection->out_begin = connection->out_end = connection->in_len = 0;
    connection->max_streams = STREAMS_AT_FIRST;
    connection->window = WINDOW_AT_FIRST;
    if (!lean_wire_open(&connection->wire, connection->options->port, connection->options->tls))
        lean_fail("cannot connect");
    put(connection, preface, sizeof(preface) - 1);
    put_head(connection, 6, SETTINGS, 0, 0);
    put_setting(connection, INITIAL_WINDOW_SIZE, LARGE_WINDOW);
    put_head(connection, 4, WINDOW_UPDATE, 0, 0); // for all answers that there will be
    put_u32(connection, LARGE_WINDOW);
    flush(connection);
    connection->options->on_connect(connection);
}

static void back_off(struct lean_connection *connection) {
    double delay_s = BACKOFF_S * pow(BACKOFF_TIMES, connection->attempts++);
    double jitter = 1 + BACKOFF_JITTER * (2 * drand48() - 1);
    connection->next_attempt_ns =
        clock_get_monotonic_ns(clock_get_system()) + (uint64_t)(fmin(delay_s, BACKOFF_MAX_S) * jitter * 1e9);
}

static void on_lost(struct lean_connection *connection) {
    lean_wire_close(&connection->wire);
    end_open_calls(connection);
    if (connection->is_ready) {
        connection->next_attempt_ns = 0;
    } else {
        back_off(connection);
        fail_waiting(connection);
    }
    connection->is_ready = false;
}

static void on_goaway(struct lean_connection *connection, const uint8_t *payload) {
    connection->is_leaving = true;
    connection->last_begun = read_u32(payload);
}

// ---- what is to leave ----

void lean_submit(struct lean_connection *connection, uint64_t due_ns) {
    if (connection->waiting_end - connection->waiting_begin == LEAN_WAITING_MAX)
        lean_fail("too many calls wait to be sent");
    connection->waiting[connection->waiting_end++ % LEAN_WAITING_MAX] = due_ns;
}

void lean_send(struct lean_connection *connection, uint64_t now_ns) {
    if (connection->wire.fd < 0 && now_ns >= connection->next_attempt_ns)
        connect_now(connection);
    if (connection->wire.fd < 0) {
        fail_waiting(connection);
        return;
    }
    give_up_late(connection, now_ns);
    do {
        for (; may_leave(connection); connection->waiting_begin++)
            put_request(connection, connection->waiting[connection->waiting_begin % LEAN_WAITING_MAX]);
        flush(connection);
    } while (may_leave(connection));
}

// ---- what comes ----

static void on_settings(struct lean_connection *connection, uint8_t flags, const uint8_t *payload,
                        size_t len) {
    if (flags & ACK)
        return;
    connection->is_ready = true;
    connection->attempts = 0;
    connection->max_streams = UINT32_MAX;
    for (size_t at = 0; at + 6 <= len; at += 6)
        if (payload[at] == 0 && payload[at + 1] == MAX_CONCURRENT_STREAMS)
            connection->max_streams = read_u32(payload + at + 2);
    put_head(connection, 0, SETTINGS, ACK, 0);
}

static void on_ping(struct lean_connection *connection, uint8_t flags, const uint8_t *payload) {
    if (flags & ACK)
        return;
    put_head(connection, 8, PING, ACK, 0);
    put(connection, payload, 8);
}

static void on_stream_frame(struct lean_connection *connection, uint8_t type, uint8_t flags,
                            uint32_t stream) {
    struct lean_call *call = slot_of(connection, stream);
    if (call->stream != stream)
        return; // given up
    call->has_message |= type == DATA;
    if (type == RST_STREAM)
        end_call(connection, call, false);
    else if (flags & END_STREAM)
        end_call(connection, call, call->has_message && type == HEADERS);
}

static void on_frame(struct lean_connection *connection, const uint8_t *head, const uint8_t *payload,
                     size_t len) {
    uint8_t type = head[3], flags = head[4];
    uint32_t stream = read_u32(head + 5);
    switch (type) {
    case DATA:
    case HEADERS:
    case RST_STREAM: on_stream_frame(connection, type, flags, stream); break;
    case SETTINGS: on_settings(connection, flags, payload, len); break;
    case PING: on_ping(connection, flags, payload); break;
    case WINDOW_UPDATE: connection->window += stream == 0 ? read_u32(payload) : 0; break;
    case GOAWAY: on_goaway(connection, payload); break;
    default: break;
    }
}

void lean_receive(struct lean_connection *connection) {
    ssize_t len = lean_wire_receive(&connection->wire, connection->in + connection->in_len,
                                    LEAN_BUFFER_SIZE - connection->in_len);
    if (len == 0)
        return;
    if (len < 0) {
        on_lost(connection);
        return;
    }
    connection->in_len += (size_t)len;
    size_t at = 0;
    // A frame is answered with one of thirteen bytes at most.
    while (connection->in_len - at >= HEAD_BYTES && has_room(connection, 2 * HEAD_BYTES)) {
        const uint8_t *head = connection->in + at;
        size_t payload_len = read_u32(head) >> 8;
        if (connection->in_len - at < HEAD_BYTES + payload_len)
            break;
        on_frame(connection, head, head + HEAD_BYTES, payload_len);
        at += HEAD_BYTES + payload_len;
    }
    connection->in_len -= at;
    memmove(connection->in, connection->in + at, connection->in_len);
}

// ---- the beginning ----

void lean_open(struct lean_connection *connection, const struct lean_options *options) {
    snprintf(connection->authority, sizeof(connection->authority), "127.0.0.1:%u", options->port);
    snprintf(connection->timeout, sizeof(connection->timeout), "%lum", options->deadline_ns / 1000000);
    connection->options = options;
    connect_now(connection);
}
