// From the handler's answers to frames: one HEADERS block, messages by the data provider, trailers; or all in
// one block where there is no message. No string is copied: constants live for ever, the rest in one of the
// call's arenas until the stream is closed.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/base64.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/message.h"

enum {
    OUT_BYTES_MAX = 1024 * 1024, // queued for one call; one message more than nothing always fits
    OUT_BYTES_LOW = OUT_BYTES_MAX / 2,
    METADATA_BYTES_MAX = 8 * 1024, // of headers and trailers each
    NUMBER_TEXT_MAX = 12,
};

#define NO_COPY (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)
#define FIELD(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, NO_COPY }

static const nghttp2_nv grpc_headers[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
static const nghttp2_nv proto_headers[] = {FIELD(":status", "200"),
                                           FIELD("content-type", "application/grpc+proto")};
static const nghttp2_nv ok_trailers[] = {FIELD("grpc-status", "0")};

enum { HEADERS_COUNT = ARRAY_LENGTH(grpc_headers) };

// In the style of the request's.
static const nghttp2_nv *get_headers(const struct grpc_call *call) {
    return call->head.content_type == CONTENT_TYPE_GRPC_PROTO ? proto_headers : grpc_headers;
}

// Header fields in the making.
struct fields {
    nghttp2_nv *rows;
    size_t count;
};

static void add_field(struct fields *fields, struct bytes name, struct bytes value) {
    fields->rows[fields->count++] =
        (nghttp2_nv){(uint8_t *)name.data, (uint8_t *)value.data, name.len, value.len, NO_COPY};
}

static void add_metadata(struct fields *fields, const struct metadata *metadata) {
    for (const struct metadata_field *field = metadata->first; field; field = field->next)
        add_field(fields, field->name, field->value);
}

static void add_number(struct fields *fields, struct arena *arena, struct bytes name, unsigned number) {
    const char *text = arena_format(arena, "%u", number);
    if (text)
        add_field(fields, name, bytes_of_text(text));
}

static void add_status(struct fields *fields, const struct status_details *details, struct arena *arena) {
    add_number(fields, arena, BYTES_LITERAL("grpc-status"), details->code);
    if (details->message.len > 0)
        add_field(fields, BYTES_LITERAL("grpc-message"), details->message);
    if (details->details.len > 0)
        add_field(fields, BYTES_LITERAL("grpc-status-details-bin"), details->details);
    if (details->has_retry)
        add_number(fields, arena, BYTES_LITERAL("grpc-retry-pushback-ms"), details->retry_after_ms);
}

static void pop_outgoing(struct grpc_call *call) {
    struct outgoing *first = call->out_first;
    call->out_first = first->next;
    call->out_offset = 0;
    if (!call->out_first)
        call->out_end = &call->out_first;
    if (first->is_owned)
        free(first);
}

// A first answer is not counted, however large.
static bool hold_answers(struct grpc_call *call, size_t bytes) {
    return request_memory_set(&call->home->server->answer_memory, &call->answer_share, bytes);
}

static void note_taken(struct grpc_call *call) {
    if (call->out_bytes < call->answer_share.bytes)
        (void)!hold_answers(call, call->out_bytes);
}

void call_drop_outgoing(struct grpc_call *call) {
    while (call->out_first)
        pop_outgoing(call);
    call->out_bytes = 0;
    note_taken(call);
}

static void push_outgoing(struct grpc_call *call, struct outgoing *outgoing) {
    outgoing->next = NULL;
    *call->out_end = outgoing;
    call->out_end = &outgoing->next;
    call->out_bytes += outgoing->bytes.len;
}

size_t call_read_body(struct grpc_call *call, uint8_t *to, size_t room) {
    size_t read = 0;
    while (call->out_first && read < room) {
        struct bytes bytes = call->out_first->bytes;
        size_t left = bytes.len - call->out_offset;
        size_t len = left < room - read ? left : room - read;
        memcpy(to + read, bytes.data + call->out_offset, len);
        read += len;
        call->out_offset += len;
        if (len == left)
            pop_outgoing(call);
    }
    call->out_bytes -= read;
    note_taken(call);
    if (call->is_waiting_for_room && call->out_bytes <= OUT_BYTES_LOW)
        call->wire->note_room(call);
    return read;
}

static void submit(struct grpc_call *call, const nghttp2_nv *rows, size_t count, bool has_body) {
    call->has_sent_headers = true;
    call->wire->submit_headers(call, rows, count, has_body);
}

// The handler's header fields go between the constant ones and whatever `final` adds.
static void submit_headers(struct grpc_call *call) {
    if (!call->headers.first) {
        submit(call, get_headers(call), HEADERS_COUNT, true);
        return;
    }
    struct fields fields = {ARENA_NEW_ARRAY(&call->arena, nghttp2_nv, HEADERS_COUNT + call->headers.count),
                            0};
    if (!fields.rows) {
        submit(call, get_headers(call), HEADERS_COUNT, true);
        return;
    }
    memcpy(fields.rows, get_headers(call), sizeof(grpc_headers));
    fields.count = HEADERS_COUNT;
    add_metadata(&fields, &call->headers);
    submit(call, fields.rows, fields.count, true);
}

// Lets what is queued leave.
static void wake(struct grpc_call *call) {
    if (!call->has_sent_headers)
        submit_headers(call);
    else
        call->wire->resume_body(call);
    call->wire->schedule(call);
}

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

static void build_final(struct grpc_call *call, struct fields *fields, const struct status_details *details,
                        struct arena *arena, enum answerer answerer) {
    bool is_trailers_only = !call->has_sent_headers && !call->out_first;
    if (is_trailers_only) {
        memcpy(fields->rows, get_headers(call), sizeof(grpc_headers));
        fields->count = HEADERS_COUNT;
        if (answerer == ANSWER_OF_HANDLER)
            add_metadata(fields, &call->headers);
        if (call->head.encoding == MESSAGE_ENCODING_UNKNOWN)
            add_field(fields, BYTES_LITERAL("grpc-accept-encoding"), BYTES_LITERAL("identity"));
    }
    add_status(fields, details, arena);
    if (answerer == ANSWER_OF_HANDLER)
        add_metadata(fields, &call->trailers);
    call->is_complete = true;
    if (!is_trailers_only) {
        call->trailer_rows = fields->rows;
        call->trailer_count = fields->count;
        wake(call);
        return;
    }
    submit(call, fields->rows, fields->count, false);
    call->wire->schedule(call);
}

// The plain case, which is nearly every call's: one message, OK, nothing else to say.
static bool end_plainly(struct grpc_call *call, const struct fault *fault) {
    bool has_message = call->has_sent_headers || call->out_first;
    if ((fault && fault->status != STATUS_OK) || !has_message || call->trailers.first)
        return false;
    call->code = GRPC_CODE_OK;
    call->is_complete = true;
    call->trailer_rows = ok_trailers;
    call->trailer_count = ARRAY_LENGTH(ok_trailers);
    wake(call);
    return true;
}

static void submit_end(struct grpc_call *call, const struct fault *fault, struct arena *arena,
                       enum answerer answerer) {
    enum { FIXED_MAX = 8 };
    note_end(call);
    if (end_plainly(call, fault))
        return;
    struct status_details details;
    status_details_encode(fault, arena, &details);
    call->code = details.code;
    size_t metadata_count = call->headers.count + call->trailers.count;
    struct fields fields = {ARENA_NEW_ARRAY(arena, nghttp2_nv, FIXED_MAX + metadata_count), 0};
    if (fields.rows)
        build_final(call, &fields, &details, arena, answerer);
    else
        reset(call);
}

void call_overrule(struct grpc_call *call, enum status status, const char *reason, const char *text) {
    struct fault fault;
    fault_init(&fault, &call->transport_arena);
    fault_set(&fault, status, reason, "%s", text);
    bool has_handler = call->state == CALL_RUNNING;
    submit_end(call, &fault, &call->transport_arena, ANSWER_OF_TRANSPORT);
    call_move(call, CALL_OVERRULE);
    if (has_handler)
        call_cancel(call);
}

void call_answer_http(struct grpc_call *call, const char *http_status) {
    call->is_plain = true;
    note_end(call);
    struct fields fields = {ARENA_NEW_ARRAY(&call->transport_arena, nghttp2_nv, 4), 0};
    if (fields.rows) {
        add_field(&fields, BYTES_LITERAL(":status"), bytes_of_text(http_status));
        add_field(&fields, BYTES_LITERAL("allow"), BYTES_LITERAL("POST"));
        if (call->head.content_type != CONTENT_TYPE_FOREIGN) {
            add_field(&fields, BYTES_LITERAL("content-type"), BYTES_LITERAL("application/grpc"));
            add_field(&fields, BYTES_LITERAL("grpc-status"), BYTES_LITERAL("13"));
        }
        submit(call, fields.rows, fields.count, false);
    }
    call->wire->schedule(call);
    call_move(call, CALL_OVERRULE);
}

void call_answer_page(struct grpc_call *call, const struct grpc_page *page) {
    note_end(call);
    struct fields fields = {ARENA_NEW_ARRAY(&call->transport_arena, nghttp2_nv, 3), 0};
    if (fields.rows) {
        add_field(&fields, BYTES_LITERAL(":status"), BYTES_LITERAL("200"));
        add_field(&fields, BYTES_LITERAL("content-type"), bytes_of_text(page->content_type));
        add_number(&fields, &call->transport_arena, BYTES_LITERAL("content-length"),
                   (unsigned)page->body.len);
        call->reply = (struct outgoing){.bytes = page->body};
        push_outgoing(call, &call->reply);
        call->is_complete = true;
        submit(call, fields.rows, fields.count, true);
    }
    call->wire->schedule(call);
    call_move(call, CALL_OVERRULE);
}

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
        wake(call);
}

static enum status check_sendable(struct grpc_call *call, size_t size) {
    assert(call_state_has_handler(call->state));
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    size_t queued = call->out_bytes + size;
    if (call->out_bytes == 0 || (queued <= OUT_BYTES_MAX && hold_answers(call, queued)))
        return STATUS_OK;
    call->is_waiting_for_room = true;
    return STATUS_EXHAUSTED;
}

// An owned message of `size` bytes with its prefix in front; the rest is the caller's to fill.
static struct outgoing *new_outgoing(size_t size, uint8_t **ret_body) {
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + FRAMING_PREFIX_BYTES + size);
    if (!outgoing)
        return NULL;
    uint8_t *bytes = (uint8_t *)(outgoing + 1);
    framing_write_prefix(bytes, (uint32_t)size);
    outgoing->bytes = bytes_of(bytes, FRAMING_PREFIX_BYTES + size);
    outgoing->is_owned = true;
    *ret_body = bytes + FRAMING_PREFIX_BYTES;
    return outgoing;
}

enum status grpc_call_send(struct grpc_call *call, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    enum status status = check_sendable(call, size);
    if (status != STATUS_OK)
        return status;
    uint8_t *body;
    struct outgoing *outgoing = new_outgoing(size, &body);
    if (!outgoing)
        return STATUS_NO_MEMORY;
    protobuf_c_message_pack(message, body);
    push_outgoing(call, outgoing);
    wake(call);
    return STATUS_OK;
}

enum status grpc_call_send_bytes(struct grpc_call *call, struct bytes message) {
    enum status status = check_sendable(call, message.len);
    if (status != STATUS_OK)
        return status;
    uint8_t *body;
    struct outgoing *outgoing = new_outgoing(message.len, &body);
    if (!outgoing)
        return STATUS_NO_MEMORY;
    if (message.len > 0)
        memcpy(body, message.data, message.len);
    push_outgoing(call, outgoing);
    wake(call);
    return STATUS_OK;
}

void grpc_call_finish(struct grpc_call *call, const struct fault *fault) {
    if (call->state == CALL_RUNNING)
        submit_end(call, fault, &call->arena, ANSWER_OF_HANDLER);
    call_move(call, CALL_FINISHED);
}

static_assert(GRPC_CALL_HEADROOM == FRAMING_PREFIX_BYTES, "the prefix has room");

void grpc_call_reply_framed(struct grpc_call *call, struct bytes framed) {
    if (call->state != CALL_RUNNING) {
        grpc_call_finish(call, NULL);
        return;
    }
    if (!framed.data) {
        struct fault *fault = grpc_call_get_fault(call);
        fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
        grpc_call_finish(call, fault);
        return;
    }
    framing_write_prefix((uint8_t *)framed.data, (uint32_t)(framed.len - FRAMING_PREFIX_BYTES));
    call->reply = (struct outgoing){.bytes = framed};
    push_outgoing(call, &call->reply);
    grpc_call_finish(call, NULL);
}

void grpc_call_reply(struct grpc_call *call, const ProtobufCMessage *message) {
    if (call->state != CALL_RUNNING) {
        grpc_call_finish(call, NULL);
        return;
    }
    grpc_call_reply_framed(call, message_pack(message, FRAMING_PREFIX_BYTES, &call->arena));
}

void grpc_call_reply_bytes(struct grpc_call *call, struct bytes message) {
    uint8_t *framed = arena_allocate(&call->arena, FRAMING_PREFIX_BYTES + message.len);
    if (framed && message.len > 0)
        memcpy(framed + FRAMING_PREFIX_BYTES, message.data, message.len);
    grpc_call_reply_framed(call, framed ? bytes_of(framed, FRAMING_PREFIX_BYTES + message.len) : BYTES_EMPTY);
}
