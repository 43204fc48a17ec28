// What a handler sends: metadata, and messages as they are, in JSON, compressed, or both.
#include <assert.h>
#include <string.h>

#include "common/grpc/call_internal.h"
#include "common/grpc/codec.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/message.h"

enum {
    METADATA_BYTES_MAX = 8 * 1024, // of headers and trailers each
    COMPRESSED_FROM_BYTES = 1024,
};

static bool add_own_metadata(struct grpc_call *call, struct metadata *to, const char *name_text,
                             struct bytes value) {
    struct bytes name = bytes_of_text(name_text);
    if (!metadata_name_is_sendable(name))
        return false;
    if (metadata_name_is_binary(name))
        value = base64_encode(&call->arena, value);
    else if (!metadata_value_is_sendable(value))
        return false;
    bool fits = name.len + value.len + METADATA_FIELD_OVERHEAD + to->size_bytes <= METADATA_BYTES_MAX;
    return fits && metadata_add(to, &call->arena, name, value) == STATUS_OK;
}

bool grpc_call_add_header(struct grpc_call *call, const char *name, struct bytes value) {
    return !call->has_sent_headers && add_own_metadata(call, &call->headers, name, value);
}

bool grpc_call_add_trailer(struct grpc_call *call, const char *name, struct bytes value) {
    return add_own_metadata(call, &call->trailers, name, value);
}

void grpc_call_send_headers(struct grpc_call *call) {
    if (call->state == CALL_RUNNING && !call->has_sent_headers)
        call_wake(call);
}

static bool is_worth_compressing(const struct grpc_call *call, size_t size) {
    return call->may_compress && size >= COMPRESSED_FROM_BYTES &&
           (call->has_declared_gzip || !call->has_sent_headers);
}

static void count_sent(struct grpc_call *call, size_t count) {
    stats_add(&call->home->methods[call->method_index].sent, count);
}

// Compressed only if that is shorter.
static enum status push_encoded(struct grpc_call *call, struct bytes message) {
    struct buffer compressed = {0};
    bool is_shorter = is_worth_compressing(call, message.len) &&
                      compression_deflate(&call->home->compression, message, &compressed) == STATUS_OK &&
                      compressed.len < message.len;
    bool is_pushed = is_shorter ? call_push_copy(call, FRAMING_FLAG_COMPRESSED, buffer_get_bytes(&compressed))
                                : call_push_copy(call, 0, message);
    buffer_fini(&compressed);
    if (!is_pushed)
        return STATUS_NO_MEMORY;
    count_sent(call, 1);
    return STATUS_OK;
}

// A message, or the bytes that it is in protobuf's own format.
struct content {
    const ProtobufCMessage *message; // NULL: the bytes
    struct bytes wire;
};

static enum status encode(const struct grpc_call *call, struct content content, struct arena *arena,
                          struct bytes *ret_bytes) {
    const struct protojson_options *json = &call->home->server->json;
    if (content.message)
        return codec_pack(call->codec, content.message, json, arena, ret_bytes);
    if (call->codec == CODEC_JSON)
        return codec_from_wire(call->method->response, content.wire, json, arena, ret_bytes);
    *ret_bytes = content.wire;
    return STATUS_OK;
}

// Whether there is room for one more message, or for the only one.
typedef enum status check_room(struct grpc_call *call, size_t size);

static enum status check_reply(struct grpc_call *call, size_t size) {
    return call_may_reply(call, size) ? STATUS_OK : STATUS_EXHAUSTED;
}

// The room for all of several has been looked at.
static enum status pass_room(struct grpc_call *call, size_t size) {
    (void)call, (void)size;
    return STATUS_OK;
}

static enum status push_content(struct grpc_call *call, struct content content, check_room *check) {
    // why: the call's own arena would grow with each message.
    struct arena scratch;
    struct bytes encoded;
    arena_init(&scratch, CALL_ARENA_BYTES_MAX);
    enum status status = encode(call, content, &scratch, &encoded);
    if (status == STATUS_OK)
        status = check(call, encoded.len);
    if (status == STATUS_OK)
        status = push_encoded(call, encoded);
    arena_fini(&scratch);
    return status;
}

static enum status pack_outgoing(struct grpc_call *call, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    enum status status = call_check_room(call, size);
    if (status != STATUS_OK)
        return status;
    uint8_t *body;
    struct outgoing *outgoing = call_new_outgoing(0, size, &body);
    if (!outgoing)
        return STATUS_NO_MEMORY;
    protobuf_c_message_pack(message, body);
    call_push(call, outgoing);
    count_sent(call, 1);
    return STATUS_OK;
}

static bool leaves_as_it_is(const struct grpc_call *call) {
    return call->codec == CODEC_PROTO && !call->may_compress;
}

static enum status push_message(struct grpc_call *call, const ProtobufCMessage *message) {
    if (leaves_as_it_is(call))
        return pack_outgoing(call, message);
    return push_content(call, (struct content){.message = message}, call_check_room);
}

enum status grpc_call_send(struct grpc_call *call, const ProtobufCMessage *message) {
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    enum status status = push_message(call, message);
    if (status == STATUS_OK)
        call_wake(call);
    return status;
}

// Takes one message from the front of `*framed`.
static struct bytes take_framed(struct bytes *framed) {
    const uint8_t *at = framed->data;
    size_t len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
    assert(framed->len >= FRAMING_PREFIX_BYTES && framed->len - FRAMING_PREFIX_BYTES >= len);
    struct bytes message = bytes_of(at + FRAMING_PREFIX_BYTES, len);
    *framed = bytes_of(message.data + len, framed->len - FRAMING_PREFIX_BYTES - len);
    return message;
}

static size_t count_framed(struct bytes framed) {
    size_t count = 0;
    for (; framed.len > 0; count++)
        (void)take_framed(&framed);
    return count;
}

// why the room is looked at before: what was sent of them can't be taken back.
static enum status push_each(struct grpc_call *call, struct bytes framed) {
    enum status status = call_check_room(call, framed.len);
    while (status == STATUS_OK && framed.len > 0)
        status = push_content(call, (struct content){.wire = take_framed(&framed)}, pass_room);
    return status;
}

static enum status push_framed(struct grpc_call *call, struct bytes framed) {
    if (!leaves_as_it_is(call))
        return push_each(call, framed);
    enum status status = call_check_room(call, framed.len);
    if (status != STATUS_OK)
        return status;
    if (!call_push_framed(call, framed))
        return STATUS_NO_MEMORY;
    count_sent(call, count_framed(framed));
    return STATUS_OK;
}

enum status grpc_call_send_framed(struct grpc_call *call, struct bytes framed) {
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    enum status status = push_framed(call, framed);
    if (status == STATUS_OK)
        call_wake(call);
    return status;
}

static enum status push_buffer(struct grpc_call *call, struct buffer *framed) {
    if (!leaves_as_it_is(call))
        return push_each(call, buffer_get_bytes(framed));
    enum status status = call_check_room(call, framed->capacity);
    if (status != STATUS_OK)
        return status;
    size_t count = count_framed(buffer_get_bytes(framed));
    if (!call_push_buffer(call, framed))
        return STATUS_NO_MEMORY;
    count_sent(call, count);
    return STATUS_OK;
}

enum status grpc_call_send_buffer(struct grpc_call *call, struct buffer *framed) {
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    enum status status = push_buffer(call, framed);
    if (status != STATUS_OK)
        return status;
    buffer_fini(framed);
    call_wake(call);
    return STATUS_OK;
}

static void finish_after_push(struct grpc_call *call, enum status status) {
    struct fault *fault = grpc_call_get_fault(call);
    if (status == STATUS_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (status == STATUS_EXHAUSTED)
        call_set_overloaded(fault, "answers of this connection that are not read yet hold too much memory; "
                                   "read them and ask again");
    else if (status != STATUS_OK)
        fault_set(fault, STATUS_INTERNAL, "ANSWER_MALFORMED",
                  "the answer has a value that JSON has no form for");
    grpc_call_finish(call, fault);
}

static_assert(GRPC_CALL_HEADROOM == FRAMING_PREFIX_BYTES, "the prefix has room");

static size_t get_held_bytes(const struct grpc_call *call) {
    return call->arena.used_bytes + call->request_buffer.capacity + call->reply_buffer.capacity;
}

static void reply_in_place(struct grpc_call *call, struct bytes framed) {
    framing_write_prefix((uint8_t *)framed.data, (uint32_t)(framed.len - FRAMING_PREFIX_BYTES));
    size_t held = get_held_bytes(call);
    call->reply =
        (struct outgoing){.bytes = framed, .overhead_bytes = held > framed.len ? held - framed.len : 0};
    call_push(call, &call->reply);
    count_sent(call, 1);
    grpc_call_finish(call, NULL);
}

static struct bytes without_prefix(struct bytes framed) {
    return bytes_of(framed.data + FRAMING_PREFIX_BYTES, framed.len - FRAMING_PREFIX_BYTES);
}

static bool needs_encoding(const struct grpc_call *call, size_t size) {
    return call->codec != CODEC_PROTO || is_worth_compressing(call, size);
}

static void reply_encoded(struct grpc_call *call, struct content content) {
    finish_after_push(call, push_content(call, content, check_reply));
}

void grpc_call_reply_framed(struct grpc_call *call, struct bytes framed) {
    if (call->state != CALL_RUNNING)
        grpc_call_finish(call, NULL);
    else if (!framed.data)
        finish_after_push(call, STATUS_NO_MEMORY);
    else if (needs_encoding(call, framed.len))
        reply_encoded(call, (struct content){.wire = without_prefix(framed)});
    else if (call_may_reply(call, get_held_bytes(call)))
        reply_in_place(call, framed);
    else
        finish_after_push(call, STATUS_EXHAUSTED);
}

void grpc_call_reply_buffer(struct grpc_call *call, struct buffer *framed) {
    call->reply_buffer = *framed;
    *framed = (struct buffer){.data = NULL};
    grpc_call_reply_framed(call, buffer_get_bytes(&call->reply_buffer));
}

void grpc_call_reply(struct grpc_call *call, const ProtobufCMessage *message) {
    if (call->state != CALL_RUNNING)
        grpc_call_finish(call, NULL);
    else if (call->codec != CODEC_PROTO)
        reply_encoded(call, (struct content){.message = message});
    else
        grpc_call_reply_framed(call, message_pack(message, FRAMING_PREFIX_BYTES, &call->arena));
}

void grpc_call_reply_bytes(struct grpc_call *call, struct bytes message) {
    if (call->state == CALL_RUNNING && needs_encoding(call, message.len)) {
        reply_encoded(call, (struct content){.wire = message});
        return;
    }
    uint8_t *framed = arena_allocate(&call->arena, FRAMING_PREFIX_BYTES + message.len);
    if (framed && message.len > 0)
        memcpy(framed + FRAMING_PREFIX_BYTES, message.data, message.len);
    grpc_call_reply_framed(call, framed ? bytes_of(framed, FRAMING_PREFIX_BYTES + message.len) : BYTES_EMPTY);
}
