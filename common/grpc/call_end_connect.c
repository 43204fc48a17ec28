// Connect's unary calls are plain HTTP: the status says how it went, a failure's body tells it in JSON, and
// trailers are headers with a prefix. The end of its streams is a last message of JSON, whatever the others
// are encoded in.
#include "common/grpc/call_end.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/connect_error.h"

enum { UNARY_FIELDS_MAX = 8, STREAM_END_FLAG = 0x02 };

static bool add_trailers(struct header_fields *fields, const struct metadata *trailers, struct arena *arena) {
    for (const struct metadata_field *field = trailers->first; field; field = field->next) {
        const char *name = arena_format(arena, "trailer-%s", (const char *)field->name.data);
        if (!name)
            return false;
        header_fields_add(fields, bytes_of_text(name), field->value);
    }
    return true;
}

// RFC 6750: an error only for who has tried.
static struct bytes choose_challenge(const struct grpc_call *call) {
    bool has_tried = grpc_call_find_metadata(call, "authorization").data != NULL;
    return has_tried ? BYTES_LITERAL("Bearer error=\"invalid_token\"") : BYTES_LITERAL("Bearer");
}

// Whoever is told 401 is told how to do better, and 429 and 503 say when to come back (RFC 9110).
static void add_advice(const struct grpc_call *call, struct header_fields *fields,
                       const struct status_details *details, struct arena *arena) {
    enum { MS_PER_SECOND = 1000 };
    if (details->code == GRPC_CODE_UNAUTHENTICATED)
        header_fields_add(fields, BYTES_LITERAL("www-authenticate"), choose_challenge(call));
    if (details->has_retry)
        header_fields_add_number(fields, arena, BYTES_LITERAL("retry-after"),
                                 (details->retry_after_ms + MS_PER_SECOND - 1) / MS_PER_SECOND);
}

// The message that the handler has queued, bare.
static void bare_reply(struct grpc_call *call) {
    if (!call->out_first)
        return;
    call->out_offset = FRAMING_PREFIX_BYTES;
    call->out_bytes -= FRAMING_PREFIX_BYTES;
}

static bool push_error(struct grpc_call *call, const struct status_details *details) {
    struct buffer text = {0};
    connect_error_append(&text, details, &call->home->server->json);
    bool is_whole = !text.failed && call_push_copy(call, 0, buffer_get_bytes(&text));
    buffer_fini(&text);
    return is_whole;
}

// To HTTP a path without a method is a page that is not there.
static struct bytes choose_http_status(const struct grpc_call *call, enum grpc_code code) {
    bool is_missing = !call->method && code == GRPC_CODE_UNIMPLEMENTED;
    return is_missing ? BYTES_LITERAL("404") : connect_error_get_http_status(code);
}

bool call_end_connect_unary(struct grpc_call *call, const struct call_ending *ending) {
    const struct status_details *details = &ending->details;
    bool is_error = details->code != GRPC_CODE_OK;
    size_t metadata_count = ending->headers->count + ending->trailers->count;
    struct header_fields fields;
    if (!header_fields_init(&fields, UNARY_FIELDS_MAX + CALL_HEADERS_MAX + metadata_count, ending->arena))
        return false;
    if (is_error)
        call_drop_outgoing(call);
    if (is_error && !push_error(call, details))
        return false;
    if (is_error) {
        header_fields_add(&fields, BYTES_LITERAL(":status"), choose_http_status(call, details->code));
        header_fields_add(&fields, BYTES_LITERAL("content-type"), BYTES_LITERAL("application/json"));
        call_add_accepted(call, &fields);
        add_advice(call, &fields, details, ending->arena);
        header_fields_add_metadata(&fields, ending->headers);
    } else {
        call_add_headers(call, &fields, ending->headers);
    }
    header_fields_add(&fields, BYTES_LITERAL("cache-control"), BYTES_LITERAL("no-store"));
    if (!add_trailers(&fields, ending->trailers, ending->arena))
        return false;
    bare_reply(call);
    call->is_complete = true;
    call_submit_headers(call, &fields, call->out_first ? CALL_WITH_BODY : CALL_WITHOUT_BODY);
    return true;
}

static bool is_first_of_name(const struct metadata *metadata, const struct metadata_field *field) {
    return metadata_find(metadata->first, field->name) == field;
}

// {"name": ["value", ...], ...}
static void append_metadata(struct buffer *text, const struct metadata *metadata) {
    const char *separator = "";
    buffer_append_text(text, "{");
    for (const struct metadata_field *field = metadata->first; field; field = field->next) {
        if (!is_first_of_name(metadata, field))
            continue;
        buffer_append_text(text, separator);
        buffer_append_json(text, field->name);
        buffer_append_text(text, ":[");
        buffer_append_json(text, field->value);
        for (const struct metadata_field *next = metadata_find(field->next, field->name); next;
             next = metadata_find(next->next, field->name)) {
            buffer_append_text(text, ",");
            buffer_append_json(text, next->value);
        }
        buffer_append_text(text, "]");
        separator = ",";
    }
    buffer_append_text(text, "}");
}

bool call_end_connect_stream(struct grpc_call *call, const struct call_ending *ending) {
    struct buffer text = {0};
    buffer_append_text(&text, "{");
    if (ending->details.code != GRPC_CODE_OK) {
        buffer_append_text(&text, "\"error\":");
        connect_error_append(&text, &ending->details, &call->home->server->json);
        buffer_append_text(&text, ending->trailers->first ? "," : "");
    }
    if (ending->trailers->first) {
        buffer_append_text(&text, "\"metadata\":");
        append_metadata(&text, ending->trailers);
    }
    buffer_append_text(&text, "}");
    bool is_whole = !text.failed && call_push_copy(call, STREAM_END_FLAG, buffer_get_bytes(&text));
    buffer_fini(&text);
    if (is_whole)
        call_complete(call, ending->headers);
    return is_whole;
}
