// gRPC's status is trailers: behind the messages, or in one block with the headers where there is none.
// gRPC-Web's are text in a last message, for clients that cannot read trailers.
#include "common/grpc/call_end.h"
#include "common/grpc/call_internal.h"

enum { STATUS_FIELDS_MAX = 4, WEB_END_FLAG = 0x80 };

// Constant: without it the answer is none.
static const char *const code_texts[GRPC_CODE_COUNT] = {"0", "1",  "2",  "3",  "4",  "5",  "6",  "7", "8",
                                                        "9", "10", "11", "12", "13", "14", "15", "16"};

static void add_status(struct header_fields *fields, const struct status_details *details,
                       struct arena *arena) {
    header_fields_add(fields, BYTES_LITERAL("grpc-status"), bytes_of_text(code_texts[details->code]));
    if (details->message.len > 0)
        header_fields_add(fields, BYTES_LITERAL("grpc-message"), details->message);
    if (details->details.len > 0)
        header_fields_add(fields, BYTES_LITERAL("grpc-status-details-bin"), details->details);
    if (details->has_retry)
        header_fields_add_number(fields, arena, BYTES_LITERAL("grpc-retry-pushback-ms"),
                                 details->retry_after_ms);
}

bool call_end_grpc(struct grpc_call *call, const struct call_ending *ending) {
    // Clients tell a handler's header fields from its trailers by the block that they come in.
    bool is_trailers_only = !call->has_sent_headers && !call->out_first && !ending->headers->first;
    size_t metadata_count = ending->headers->count + ending->trailers->count;
    struct header_fields fields;
    if (!header_fields_init(&fields, CALL_HEADERS_MAX + STATUS_FIELDS_MAX + metadata_count, ending->arena))
        return false;
    if (is_trailers_only)
        call_add_headers(call, &fields, ending->headers);
    add_status(&fields, &ending->details, ending->arena);
    header_fields_add_metadata(&fields, ending->trailers);
    call->is_complete = true;
    if (is_trailers_only) {
        call_submit_headers(call, &fields, CALL_WITHOUT_BODY);
        return true;
    }
    call->trailer_rows = fields.rows;
    call->trailer_count = fields.count;
    call_wake(call);
    return true;
}

static void append_fields(struct buffer *text, const struct header_fields *fields) {
    for (size_t i = 0; i < fields->count; i++) {
        const nghttp2_nv *row = &fields->rows[i];
        buffer_append(text, bytes_of(row->name, row->namelen));
        buffer_append_text(text, ": ");
        buffer_append(text, bytes_of(row->value, row->valuelen));
        buffer_append_text(text, "\r\n");
    }
}

bool call_end_grpc_web(struct grpc_call *call, const struct call_ending *ending) {
    struct header_fields fields;
    if (!header_fields_init(&fields, STATUS_FIELDS_MAX + ending->trailers->count, ending->arena))
        return false;
    add_status(&fields, &ending->details, ending->arena);
    header_fields_add_metadata(&fields, ending->trailers);
    struct buffer text = {0};
    append_fields(&text, &fields);
    bool is_whole = !text.failed && call_push_copy(call, WEB_END_FLAG, buffer_get_bytes(&text));
    buffer_fini(&text);
    if (is_whole)
        call_complete(call, ending->headers);
    return is_whole;
}
