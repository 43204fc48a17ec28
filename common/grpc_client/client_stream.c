// Messages wait in one buffer, each behind its length, from the sink that takes them off the connection to
// the reader that gives their room back to the server.
#include "common/grpc_client/client_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/crypto/secret.h"
#include "common/grpc/framing.h"
#include "common/grpc_client/client_internal.h"
#include "common/grpc_client/client_request.h"
#include "common/grpc_client/client_response.h"
#include "common/protobuf/message.h"

#define NS_PER_MS UINT64_C(1000000)

struct grpc_client_stream {
    struct grpc_client *client;
    const ProtobufCMessageDescriptor *type; // of what is read
    struct client_link link;                // its connection is held
    uint64_t deadline_ns;
    int wake_fd;                    // ends a read; -1 = none
    struct arena arena;             // of the request's head and the answer's end
    struct grpc_metadata *metadata; // copies in the arena, wiped at the end
    size_t metadata_count;
    struct client_request_head head;
    struct client_response response;
    struct client_sink response_sink; // that ours hands on to
    struct client_exchange exchange;
    size_t owed_len;       // bytes that came and whose room the server has not got back
    struct buffer waiting; // messages not read yet, each framed as it came
    size_t read_len;       // of `waiting`, from its front
};

static uint64_t now_ns(const struct grpc_client_stream *stream) {
    return clock_get_monotonic_ns(stream->client->options.clock);
}

static bool add_header(void *context, struct bytes name, struct bytes value) {
    const struct client_sink *sink = &((struct grpc_client_stream *)context)->response_sink;
    return sink->add_header(sink->context, name, value);
}

static bool add_data(void *context, struct bytes data) {
    struct grpc_client_stream *stream = context;
    stream->owed_len += data.len;
    return stream->response_sink.add_data(stream->response_sink.context, data);
}

static bool on_message(void *context, struct bytes message) {
    struct grpc_client_stream *stream = context;
    uint8_t prefix[FRAMING_PREFIX_BYTES];
    framing_write_prefix(prefix, (uint32_t)message.len);
    buffer_append(&stream->waiting, bytes_of(prefix, sizeof(prefix)));
    buffer_append(&stream->waiting, message);
    return !stream->waiting.failed;
}

// ---- opening ----

static void write_head(struct grpc_client_stream *stream, const struct grpc_client_call *call,
                       struct client_request_head *ret_head) {
    uint64_t now = now_ns(stream);
    const struct client_request_options options = {
        .path = call->path,
        .authority = stream->link.authority,
        .user_agent = stream->client->options.user_agent,
        .is_tls = stream->link.is_tls,
        .has_timeout = stream->deadline_ns != UINT64_MAX,
        .timeout_ns = stream->deadline_ns > now ? stream->deadline_ns - now : 0,
        .metadata = call->metadata,
        .metadata_count = call->metadata_count};
    client_request_write_head(ret_head, &options);
}

static enum status connect_stream(struct grpc_client_stream *stream, const struct grpc_client_call *call,
                                  struct fault *fault) {
    const struct grpc_client *client = stream->client;
    bool is_patient = call->wait_for_ready ||
                      service_config_get_method(client->config, bytes_of_text(call->path))->wait_for_ready;
    enum status status = client_channel_get(client->channel, is_patient ? CLIENT_WAITS : CLIENT_FAILS_FAST,
                                            stream->deadline_ns, &stream->link, fault);
    if (status == STATUS_OK)
        client_connection_hold(stream->link.connection);
    return status;
}

static bool copy_metadata(struct grpc_client_stream *stream, const struct grpc_client_call *call) {
    stream->metadata = ARENA_NEW_ARRAY(&stream->arena, struct grpc_metadata, call->metadata_count);
    for (size_t i = 0; stream->metadata && i < call->metadata_count; i++) {
        const char *key = arena_copy_text(&stream->arena, call->metadata[i].key);
        const char *value = arena_copy_text(&stream->arena, call->metadata[i].value);
        if (!key || !value)
            return false;
        stream->metadata[stream->metadata_count++] = (struct grpc_metadata){key, value};
    }
    return stream->metadata != NULL;
}

// The texts of the call are the stream's own: a full connection may put off when they leave.
static bool copy_call(struct grpc_client_stream *stream, const struct grpc_client_call *call,
                      struct grpc_client_call *ret_copy) {
    *ret_copy = *call;
    ret_copy->path = arena_copy_text(&stream->arena, call->path);
    if (!ret_copy->path || !copy_metadata(stream, call))
        return false;
    ret_copy->metadata = stream->metadata;
    return true;
}

static void wipe_metadata(struct grpc_client_stream *stream) {
    for (size_t i = 0; i < stream->metadata_count; i++) {
        // The copies are ours; `const` only keeps others from writing.
        char *value = (char *)(uintptr_t)stream->metadata[i].value;
        secret_wipe(value, strlen(value));
    }
}

static enum status begin(struct grpc_client_stream *stream, const struct grpc_client_call *call,
                         struct fault *fault) {
    struct grpc_client_call copy;
    struct bytes body = BYTES_EMPTY;
    if (!copy_call(stream, call, &copy) ||
        (call->request && !client_request_pack(call->request, &stream->arena, &body)))
        return fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory for the request");
    if (connect_stream(stream, call, fault) != STATUS_OK)
        return fault->status;
    write_head(stream, &copy, &stream->head);
    stream->response.on_message = on_message;
    stream->response.context = stream;
    stream->response_sink = client_response_get_sink(&stream->response);
    stream->exchange = (struct client_exchange){.sink = {add_header, add_data, stream},
                                                .unsent = body,
                                                .is_last = call->request != NULL,
                                                .is_paced = true};
    client_connection_begin(stream->link.connection, &stream->exchange, stream->head.fields,
                            stream->head.count);
    return STATUS_OK;
}

enum status grpc_client_stream_open(struct grpc_client *client, const struct grpc_client_call *call,
                                    struct grpc_client_stream **ret_stream, struct fault *fault) {
    assert(fault->status == STATUS_OK);
    struct grpc_client_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory for the call");
    stream->client = client;
    stream->type = call->response;
    stream->wake_fd = -1;
    arena_init(&stream->arena, 0);
    client_response_init(&stream->response, &stream->arena, client->options.max_response_bytes);
    stream->deadline_ns =
        call->timeout_ms > 0 ? now_ns(stream) + (uint64_t)call->timeout_ms * NS_PER_MS : UINT64_MAX;
    enum status status = begin(stream, call, fault);
    if (status == STATUS_OK)
        *ret_stream = stream;
    else
        grpc_client_stream_free(stream);
    return status;
}

void grpc_client_stream_free(struct grpc_client_stream *stream) {
    if (!stream)
        return;
    if (stream->link.connection) {
        client_connection_cancel(stream->link.connection, &stream->exchange);
        client_connection_close(stream->link.connection);
    }
    wipe_metadata(stream);
    client_response_fini(&stream->response);
    buffer_fini(&stream->waiting);
    arena_fini(&stream->arena);
    free(stream);
}

// ---- how it ended ----

static bool has_ended(const struct grpc_client_stream *stream) {
    return stream->exchange.is_answered || stream->exchange.is_ended || stream->exchange.is_given_up;
}

// CLOSED, or the fault that ended it.
static enum status tell_end(const struct grpc_client_stream *stream, struct fault *fault) {
    const struct client_exchange *exchange = &stream->exchange;
    enum client_end end = exchange->is_answered && !exchange->is_given_up
                              ? CLIENT_END_COMPLETE
                              : client_connection_get_end(stream->link.connection, exchange);
    bool is_said = end == CLIENT_END_COMPLETE || end == CLIENT_END_GIVEN_UP ||
                   (end == CLIENT_END_RESET && stream->response.has_code);
    enum status status =
        is_said ? client_response_judge(&stream->response, stream->link.peer, fault)
                : client_response_explain_end(end, exchange->error_code, stream->link.peer, fault);
    return status == STATUS_OK ? STATUS_CLOSED : status;
}

static enum status tell_time_out(const struct grpc_client_stream *stream, struct fault *fault) {
    return client_response_explain_end(CLIENT_END_TIMED_OUT, 0, stream->link.peer, fault);
}

// ---- sending ----

static bool is_sent(void *context) {
    const struct grpc_client_stream *stream = context;
    return stream->exchange.unsent.len == 0 || has_ended(stream);
}

enum status grpc_client_stream_send(struct grpc_client_stream *stream, const ProtobufCMessage *message,
                                    struct fault *fault) {
    assert(!stream->exchange.is_last && fault->status == STATUS_OK);
    struct arena arena;
    arena_init(&arena, 0);
    enum status status = STATUS_OK;
    struct client_exchange *exchange = &stream->exchange;
    if (!client_request_pack(message, &arena, &exchange->unsent)) {
        status = fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory for the request");
        goto done;
    }
    client_connection_send(stream->link.connection, exchange);
    enum client_wait waited =
        client_connection_wait(stream->link.connection, exchange, is_sent, stream, stream->deadline_ns);
    if (waited == CLIENT_WAIT_TIMED_OUT)
        status = tell_time_out(stream, fault);
    else if (waited == CLIENT_WAIT_OVER || has_ended(stream))
        status = tell_end(stream, fault);
    exchange->unsent = BYTES_EMPTY; // what the arena held

done:
    arena_fini(&arena);
    return status;
}

void grpc_client_stream_half_close(struct grpc_client_stream *stream) {
    stream->exchange.is_last = true;
    client_connection_send(stream->link.connection, &stream->exchange);
}

// ---- reading ----

static struct bytes get_unread(const struct grpc_client_stream *stream) {
    return bytes_of(stream->waiting.data ? stream->waiting.data + stream->read_len : NULL,
                    stream->waiting.len - stream->read_len);
}

// With nothing to read, what came is read or a part of what is waited for: the server gets its room back.
static void give_back(struct grpc_client_stream *stream) {
    if (get_unread(stream).len > 0 || stream->owed_len == 0)
        return;
    client_connection_take(stream->link.connection, &stream->exchange, stream->owed_len);
    stream->owed_len = 0;
    stream->read_len = 0;
    buffer_reset(&stream->waiting);
}

static bool has_news(void *context) {
    struct grpc_client_stream *stream = context;
    give_back(stream);
    return get_unread(stream).len > 0 || has_ended(stream);
}

static enum status read_message(struct grpc_client_stream *stream, struct arena *arena,
                                ProtobufCMessage **ret_message, struct fault *fault) {
    struct cursor cursor = cursor_of(get_unread(stream));
    cursor_read_u8(&cursor);
    struct bytes message = cursor_read_bytes(&cursor, cursor_read_u32(&cursor));
    const char *why;
    enum status status = message_unpack(stream->type, message, arena, ret_message, &why);
    stream->read_len += FRAMING_PREFIX_BYTES + message.len;
    if (status == STATUS_OK)
        return status;
    return fault_set(fault, STATUS_INTERNAL, GRPC_CLIENT_RESPONSE_MALFORMED, "%s broke the protocol: %s",
                     stream->link.peer, why);
}

enum status grpc_client_stream_read(struct grpc_client_stream *stream, int64_t timeout_ms,
                                    struct arena *arena, ProtobufCMessage **ret_message,
                                    struct fault *fault) {
    assert(fault->status == STATUS_OK);
    uint64_t until_ns = stream->deadline_ns;
    if (timeout_ms > 0 && now_ns(stream) + (uint64_t)timeout_ms * NS_PER_MS < until_ns)
        until_ns = now_ns(stream) + (uint64_t)timeout_ms * NS_PER_MS;
    client_connection_set_wake(stream->link.connection, stream->wake_fd);
    enum client_wait waited =
        client_connection_wait(stream->link.connection, &stream->exchange, has_news, stream, until_ns);
    client_connection_set_wake(stream->link.connection, -1);
    if (get_unread(stream).len > 0)
        return read_message(stream, arena, ret_message, fault);
    return waited == CLIENT_WAIT_TIMED_OUT ? tell_time_out(stream, fault) : tell_end(stream, fault);
}

void grpc_client_stream_set_wake(struct grpc_client_stream *stream, int fd) {
    stream->wake_fd = fd;
}
