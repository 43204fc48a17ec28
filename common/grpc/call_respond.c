// How an answer begins and how it ends, whoever gives it. No string is copied: constants live for ever, the
// rest in one of the call's arenas until the stream is closed.
#include "common/grpc/call_internal.h"

enum { FIRST_STREAM_ID = 1, OVERLOADED_RETRY_AFTER_MS = 1000 };

const nghttp2_nv call_begin_rows[CONTENT_TYPE_COUNT][CALL_BEGIN_COUNT] = {
#define BEGIN_ROWS(name, text, protocol, codec)                                    \
    [CONTENT_TYPE_##name] = {[CALL_BEGIN_STATUS] = HEADER_FIELD(":status", "200"), \
                             [CALL_BEGIN_CONTENT_TYPE] = HEADER_FIELD("content-type", text)},
    CONTENT_TYPE_TABLE(BEGIN_ROWS)
#undef BEGIN_ROWS
};

const nghttp2_nv call_ok_trailers[1] = {HEADER_FIELD("grpc-status", "0")};

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
    header_fields_add_rows(fields, call_begin_rows[call->head.content_type], CALL_BEGIN_COUNT);
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

// Not even memory for the status or the header block: the client sees a reset stream.
static void reset(struct grpc_call *call) {
    call->has_sent_headers = true; // none will be
    call->wire->reset(call);
    call->wire->schedule(call);
}

// The header block of an answer with messages, once. Nearly every call's is a constant one.
static void begin(struct grpc_call *call, const struct metadata *headers) {
    struct header_fields fields;
    struct arena *arena = &call->transport_arena; // a worker may have the other
    bool is_constant = !headers->first && !tells_accepted(call) && !declares_gzip(call);
    if (is_constant) {
        submit(call, call_begin_rows[call->head.content_type], CALL_BEGIN_COUNT, CALL_WITH_BODY);
    } else if (header_fields_init(&fields, CALL_HEADERS_MAX + headers->count, arena)) {
        call_add_headers(call, &fields, headers);
        submit(call, fields.rows, fields.count, CALL_WITH_BODY);
    } else {
        reset(call);
    }
}

void call_wake(struct grpc_call *call) {
    if (call->protocol->is_bare)
        return;
    if (!call->has_sent_headers)
        begin(call, &call->headers);
    else
        call->wire->resume_body(call);
    call->wire->schedule(call);
}

void call_complete(struct grpc_call *call, const struct metadata *headers) {
    call->is_complete = true;
    if (!call->has_sent_headers)
        begin(call, headers);
    call_wake(call);
}

// ---- the end ----

static void note_end(struct grpc_call *call) {
    loop_disarm_timer(call->home->loop, &call->deadline);
    call->is_waiting_for_room = false;
    call->wire->note_end(call);
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
    call->trailer_rows = call_ok_trailers;
    call->trailer_count = ARRAY_LENGTH(call_ok_trailers);
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

void call_set_overloaded(struct fault *fault, const char *text) {
    fault_set(fault, STATUS_UNAVAILABLE, "OVERLOADED", "%s", text);
    fault_set_retry_after_ms(fault, OVERLOADED_RETRY_AFTER_MS);
}

void call_shed(struct grpc_call *call, const char *text) {
    struct fault fault;
    stats_add(&call->home->stats.calls_refused, 1);
    fault_init(&fault, &call->transport_arena);
    call_set_overloaded(&fault, text);
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

// ---- at the handler's word ----

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
