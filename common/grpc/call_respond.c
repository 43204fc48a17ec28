// From the handler's answers to frames: one HEADERS block, messages by the data provider, trailers; or all in
// one block where there is no message. No string is copied: constants live for ever, the rest in one of the
// call's arenas until the stream is closed.
#include <assert.h>
#include <string.h>

#include "common/grpc/base64.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/codec.h"
#include "common/grpc/message.h"

enum {
    OVERLOADED_RETRY_AFTER_MS = 1000,
    FIRST_STREAM_ID = 1,
    METADATA_BYTES_MAX = 8 * 1024, // of headers and trailers each
    COMPRESSED_FROM_BYTES = 1024,
};

// The constant header blocks, by the request's content type.
enum { BEGIN_COUNT = 2 };
static const nghttp2_nv begin_rows[CONTENT_TYPE_COUNT][BEGIN_COUNT] = {
#define BEGIN_ROWS(name, text, protocol, codec) \
    [CONTENT_TYPE_##name] = {HEADER_FIELD(":status", "200"), HEADER_FIELD("content-type", text)},
    CONTENT_TYPE_TABLE(BEGIN_ROWS)
#undef BEGIN_ROWS
};

static const nghttp2_nv ok_trailers[] = {HEADER_FIELD("grpc-status", "0")};

static const struct metadata no_metadata;

// ---- headers ----

static bool is_first_message_compressed(const struct grpc_call *call) {
    return call->out_first && call->out_first->bytes.data[0] == FRAMING_FLAG_COMPRESSED;
}

// The one message of a unary call tells; the header block of a stream has to say it before.
static bool declares_gzip(const struct grpc_call *call) {
    return call->may_compress && (call->method->shape != GRPC_UNARY || is_first_message_compressed(call));
}

// Clients hear of it with the first answer of a connection, where it costs nothing, and with a refusal.
static bool tells_accepted(const struct grpc_call *call) {
    const struct encoding_fields *encoding = &call->head.encodings[call->protocol->encoding_family];
    return call->stream_id == FIRST_STREAM_ID || encoding->encoding == MESSAGE_ENCODING_UNKNOWN;
}

void call_add_accepted(const struct grpc_call *call, struct header_fields *fields) {
    if (tells_accepted(call))
        header_fields_add(fields, call->protocol->accept_encoding_field, BYTES_LITERAL(COMPRESSION_NAMES));
}

void call_add_headers(struct grpc_call *call, struct header_fields *fields, const struct metadata *metadata) {
    header_fields_add_rows(fields, begin_rows[call->head.content_type], BEGIN_COUNT);
    call->has_declared_gzip = declares_gzip(call);
    if (call->has_declared_gzip)
        header_fields_add(fields, call->protocol->encoding_field, BYTES_LITERAL("gzip"));
    call_add_accepted(call, fields);
    header_fields_add_metadata(fields, metadata);
}

static void submit(struct grpc_call *call, const nghttp2_nv *rows, size_t count, enum call_body body) {
    call->has_sent_headers = true;
    call->wire->submit_headers(call, rows, count, body == CALL_WITH_BODY);
}

void call_submit_headers(struct grpc_call *call, const struct header_fields *fields, enum call_body body) {
    submit(call, fields->rows, fields->count, body);
    call->wire->schedule(call);
}

// Nearly every call's header block is a constant one.
static void begin(struct grpc_call *call) {
    struct header_fields fields;
    bool is_constant = !call->headers.first && !tells_accepted(call) && !declares_gzip(call);
    if (is_constant || !header_fields_init(&fields, CALL_HEADERS_MAX + call->headers.count, &call->arena)) {
        submit(call, begin_rows[call->head.content_type], BEGIN_COUNT, CALL_WITH_BODY);
        return;
    }
    call_add_headers(call, &fields, &call->headers);
    submit(call, fields.rows, fields.count, CALL_WITH_BODY);
}

void call_wake(struct grpc_call *call) {
    if (call->protocol->is_bare)
        return;
    if (!call->has_sent_headers)
        begin(call);
    else
        call->wire->resume_body(call);
    call->wire->schedule(call);
}

// ---- the end ----

static void note_end(struct grpc_call *call) {
    loop_disarm_timer(call->home->loop, &call->deadline);
    call->is_waiting_for_room = false;
    call->wire->note_end(call);
}

// Not even memory for the status: the client sees a reset stream.
static void reset(struct grpc_call *call) {
    call->wire->reset(call);
    call->wire->schedule(call);
}

// Whose answer it is: the handler's own metadata goes with its own answers only.
enum answerer { ANSWER_OF_HANDLER, ANSWER_OF_TRANSPORT };

static void submit_end(struct grpc_call *call, struct call_ending *ending, enum answerer answerer) {
    bool is_handlers = answerer == ANSWER_OF_HANDLER;
    ending->headers = is_handlers ? &call->headers : &no_metadata;
    ending->trailers = is_handlers ? &call->trailers : &no_metadata;
    call->code = ending->details.code;
    if (!call->protocol->end(call, ending))
        reset(call);
}

// The plain case, which is nearly every call's: one message by gRPC, OK, nothing else to say.
static bool end_plainly(struct grpc_call *call) {
    bool has_message = call->has_sent_headers || call->out_first;
    if (call->protocol != &wire_protocols[PROTOCOL_GRPC] || !has_message || call->trailers.first)
        return false;
    call->code = GRPC_CODE_OK;
    call->is_complete = true;
    call->trailer_rows = ok_trailers;
    call->trailer_count = ARRAY_LENGTH(ok_trailers);
    call_wake(call);
    return true;
}

static void end_with_details(struct grpc_call *call, const struct fault *fault, struct arena *arena,
                             enum answerer answerer) {
    struct call_ending ending = {.arena = arena};
    status_details_encode(fault, arena, &ending.details);
    if (answerer == ANSWER_OF_TRANSPORT && call->home->server->has_bare_errors)
        status_details_strip(&ending.details);
    submit_end(call, &ending, answerer);
}

static void end_with_fault(struct grpc_call *call, const struct fault *fault, struct arena *arena,
                           enum answerer answerer) {
    note_end(call);
    bool is_ok = !fault || fault->status == STATUS_OK;
    if (!is_ok || !end_plainly(call))
        end_with_details(call, fault, arena, answerer);
}

static void overrule(struct grpc_call *call, const struct fault *fault) {
    bool has_handler = call->state == CALL_RUNNING;
    end_with_fault(call, fault, &call->transport_arena, ANSWER_OF_TRANSPORT);
    call_move(call, CALL_OVERRULE);
    if (has_handler)
        call_cancel(call);
}

void call_overrule(struct grpc_call *call, enum status status, const char *reason, const char *text) {
    struct fault fault;
    fault_init(&fault, &call->transport_arena);
    fault_set(&fault, status, reason, "%s", text);
    overrule(call, &fault);
}

static void set_overloaded(struct fault *fault, const char *text) {
    fault_set(fault, STATUS_UNAVAILABLE, "OVERLOADED", "%s", text);
    fault_set_retry_after_ms(fault, OVERLOADED_RETRY_AFTER_MS);
}

void call_shed(struct grpc_call *call, const char *text) {
    struct fault fault;
    stats_add(&call->home->stats.calls_refused, 1);
    fault_init(&fault, &call->transport_arena);
    set_overloaded(&fault, text);
    overrule(call, &fault);
}

// ---- plain HTTP ----

static const nghttp2_nv refusal_rows[] = {
    HEADER_FIELD("allow", "POST"),
    HEADER_FIELD("accept-post",
                 "application/grpc, application/grpc-web, application/proto, application/json, "
                 "application/connect+proto, application/connect+json"),
};
static const nghttp2_nv grpc_refusal_rows[] = {
    HEADER_FIELD("content-type", "application/grpc"),
    HEADER_FIELD("grpc-status", "13"),
};

void call_answer_http(struct grpc_call *call, const char *http_status) {
    enum { FIELDS_MAX = 1 + ARRAY_LENGTH(refusal_rows) + ARRAY_LENGTH(grpc_refusal_rows) };
    struct header_fields fields;
    bool is_grpc = call->head.content_type != CONTENT_TYPE_FOREIGN &&
                   content_type_get_protocol(call->head.content_type) == PROTOCOL_GRPC;
    call->is_complete = true;
    note_end(call);
    if (header_fields_init(&fields, FIELDS_MAX, &call->transport_arena)) {
        header_fields_add(&fields, BYTES_LITERAL(":status"), bytes_of_text(http_status));
        header_fields_add_rows(&fields, refusal_rows, ARRAY_LENGTH(refusal_rows));
        if (is_grpc)
            header_fields_add_rows(&fields, grpc_refusal_rows, ARRAY_LENGTH(grpc_refusal_rows));
        call_submit_headers(call, &fields, CALL_WITHOUT_BODY);
    } else {
        reset(call);
    }
    call_move(call, CALL_OVERRULE);
}

void call_answer_page(struct grpc_call *call, const struct grpc_page *page) {
    enum { FIELDS_MAX = 3 };
    struct header_fields fields;
    note_end(call);
    call->is_complete = true;
    if (header_fields_init(&fields, FIELDS_MAX, &call->transport_arena)) {
        header_fields_add(&fields, BYTES_LITERAL(":status"), BYTES_LITERAL("200"));
        header_fields_add(&fields, BYTES_LITERAL("content-type"), bytes_of_text(page->content_type));
        header_fields_add_number(&fields, &call->transport_arena, BYTES_LITERAL("content-length"),
                                 (unsigned)page->body.len);
        call->reply = (struct outgoing){.bytes = page->body};
        call_push(call, &call->reply);
        call_submit_headers(call, &fields, CALL_WITH_BODY);
    } else {
        reset(call);
    }
    call_move(call, CALL_OVERRULE);
}

// ---- what handlers call ----

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

// Messages that leave otherwise than as they are: in JSON, compressed, or both.

static bool is_worth_compressing(const struct grpc_call *call, size_t size) {
    return call->may_compress && size >= COMPRESSED_FROM_BYTES &&
           (call->has_declared_gzip || !call->has_sent_headers);
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
    return is_pushed ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status encode(const struct grpc_call *call, const ProtobufCMessage *message, struct arena *arena,
                          struct bytes *ret_bytes) {
    return codec_pack(call->codec, message, &call->home->server->json, arena, ret_bytes);
}

static enum status encode_wire(const struct grpc_call *call, struct bytes wire, struct arena *arena,
                               struct bytes *ret_bytes) {
    *ret_bytes = wire;
    if (call->codec == CODEC_PROTO)
        return STATUS_OK;
    return codec_from_wire(call->method->response, wire, &call->home->server->json, arena, ret_bytes);
}

static enum status push_if_room(struct grpc_call *call, struct bytes message) {
    enum status status = call_check_room(call, message.len);
    return status == STATUS_OK ? push_encoded(call, message) : status;
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
    return STATUS_OK;
}

// For what is needed until the message is queued: the call's own arena grows with each.
static void init_scratch(struct arena *scratch) {
    arena_init(scratch, CALL_ARENA_BYTES_MAX);
}

static enum status send_encoded(struct grpc_call *call, const ProtobufCMessage *message) {
    struct arena scratch;
    struct bytes encoded;
    init_scratch(&scratch);
    enum status status = encode(call, message, &scratch, &encoded);
    if (status == STATUS_OK)
        status = push_if_room(call, encoded);
    arena_fini(&scratch);
    return status;
}

static bool leaves_as_it_is(const struct grpc_call *call) {
    return call->codec == CODEC_PROTO && !call->may_compress;
}

enum status grpc_call_send(struct grpc_call *call, const ProtobufCMessage *message) {
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    enum status status = leaves_as_it_is(call) ? pack_outgoing(call, message) : send_encoded(call, message);
    if (status == STATUS_OK)
        call_wake(call);
    return status;
}

enum status grpc_call_send_bytes(struct grpc_call *call, struct bytes message) {
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    struct arena scratch;
    struct bytes encoded;
    init_scratch(&scratch);
    enum status status = encode_wire(call, message, &scratch, &encoded);
    if (status == STATUS_OK)
        status = push_if_room(call, encoded);
    arena_fini(&scratch);
    if (status == STATUS_OK)
        call_wake(call);
    return status;
}

void grpc_call_finish(struct grpc_call *call, const struct fault *fault) {
    if (call->state == CALL_RUNNING)
        end_with_fault(call, fault, &call->arena, ANSWER_OF_HANDLER);
    call_move(call, CALL_FINISHED);
}

void grpc_call_finish_status(struct grpc_call *call, const ProtobufCMessage *status) {
    if (call->state == CALL_RUNNING) {
        struct call_ending ending = {.arena = &call->arena};
        note_end(call);
        status_details_encode_message(status, &call->arena, &ending.details);
        submit_end(call, &ending, ANSWER_OF_HANDLER);
    }
    call_move(call, CALL_FINISHED);
}

static void finish_after_push(struct grpc_call *call, enum status status) {
    struct fault *fault = grpc_call_get_fault(call);
    if (status == STATUS_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (status == STATUS_EXHAUSTED)
        set_overloaded(fault, "answers of this connection that are not read yet hold too much memory; read "
                              "them and ask again");
    else if (status != STATUS_OK)
        fault_set(fault, STATUS_INTERNAL, "ANSWER_MALFORMED",
                  "the answer has a value that JSON has no form for");
    grpc_call_finish(call, fault);
}

static_assert(GRPC_CALL_HEADROOM == FRAMING_PREFIX_BYTES, "the prefix has room");

static void reply_in_place(struct grpc_call *call, struct bytes framed) {
    framing_write_prefix((uint8_t *)framed.data, (uint32_t)(framed.len - FRAMING_PREFIX_BYTES));
    call->reply = (struct outgoing){.bytes = framed};
    call_push(call, &call->reply);
    grpc_call_finish(call, NULL);
}

static bool needs_encoding(const struct grpc_call *call, size_t size) {
    return call->codec != CODEC_PROTO || is_worth_compressing(call, size);
}

// Of a unary call.
static enum status push_reply(struct grpc_call *call, struct bytes encoded) {
    return call_may_reply(call, encoded.len) ? push_encoded(call, encoded) : STATUS_EXHAUSTED;
}

static void reply_wire(struct grpc_call *call, struct bytes wire) {
    struct arena scratch;
    struct bytes encoded;
    init_scratch(&scratch);
    enum status status = encode_wire(call, wire, &scratch, &encoded);
    if (status == STATUS_OK)
        status = push_reply(call, encoded);
    arena_fini(&scratch);
    finish_after_push(call, status);
}

void grpc_call_reply_framed(struct grpc_call *call, struct bytes framed) {
    if (call->state != CALL_RUNNING)
        grpc_call_finish(call, NULL);
    else if (!framed.data)
        finish_after_push(call, STATUS_NO_MEMORY);
    else if (needs_encoding(call, framed.len))
        reply_wire(call, bytes_of(framed.data + FRAMING_PREFIX_BYTES, framed.len - FRAMING_PREFIX_BYTES));
    else if (call_may_reply(call, framed.len))
        reply_in_place(call, framed);
    else
        finish_after_push(call, STATUS_EXHAUSTED);
}

static void reply_encoded(struct grpc_call *call, const ProtobufCMessage *message) {
    struct arena scratch;
    struct bytes encoded;
    init_scratch(&scratch);
    enum status status = encode(call, message, &scratch, &encoded);
    if (status == STATUS_OK)
        status = push_reply(call, encoded);
    arena_fini(&scratch);
    finish_after_push(call, status);
}

void grpc_call_reply(struct grpc_call *call, const ProtobufCMessage *message) {
    if (call->state != CALL_RUNNING)
        grpc_call_finish(call, NULL);
    else if (call->codec != CODEC_PROTO)
        reply_encoded(call, message);
    else
        grpc_call_reply_framed(call, message_pack(message, FRAMING_PREFIX_BYTES, &call->arena));
}

void grpc_call_reply_bytes(struct grpc_call *call, struct bytes message) {
    if (call->state == CALL_RUNNING && needs_encoding(call, message.len)) {
        reply_wire(call, message);
        return;
    }
    uint8_t *framed = arena_allocate(&call->arena, FRAMING_PREFIX_BYTES + message.len);
    if (framed && message.len > 0)
        memcpy(framed + FRAMING_PREFIX_BYTES, message.data, message.len);
    grpc_call_reply_framed(call, framed ? bytes_of(framed, FRAMING_PREFIX_BYTES + message.len) : BYTES_EMPTY);
}
