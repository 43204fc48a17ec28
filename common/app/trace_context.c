#include "common/app/trace_context.h"

#include <stdbool.h>

enum { VERSION_LENGTH = 2, FLAGS_LENGTH = 2 };

// What version 00 is as a whole, and later ones begin with.
enum { LENGTH = VERSION_LENGTH + 1 + TRACE_ID_LENGTH + 1 + SPAN_ID_LENGTH + 1 + FLAGS_LENGTH };

static bool is_lower_hex(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_zero(struct bytes id) {
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] != '0')
            return false;
    return true;
}

// Takes `len` digits and the dash that ends them, if anything follows.
static bool take_digits(struct bytes *rest, size_t len, struct bytes *ret_digits) {
    if (rest->len < len || (rest->len > len && rest->data[len] != '-'))
        return false;
    *ret_digits = bytes_of(rest->data, len);
    size_t taken = rest->len > len ? len + 1 : len;
    *rest = bytes_of(rest->data + taken, rest->len - taken);
    return is_lower_hex(*ret_digits);
}

// A version that is not known yet may have more behind the flags.
static bool is_of_version(struct bytes traceparent, struct bytes version) {
    if (bytes_is_text(version, "00"))
        return traceparent.len == LENGTH;
    return !bytes_is_text(version, "ff");
}

struct trace_context trace_context_parse(struct bytes traceparent) {
    struct trace_context context = {.trace_id = ""};
    struct bytes rest = traceparent, version, trace_id, span_id, flags;
    if (!take_digits(&rest, VERSION_LENGTH, &version) || !is_of_version(traceparent, version) ||
        !take_digits(&rest, TRACE_ID_LENGTH, &trace_id) || is_zero(trace_id) ||
        !take_digits(&rest, SPAN_ID_LENGTH, &span_id) || is_zero(span_id) ||
        !take_digits(&rest, FLAGS_LENGTH, &flags))
        return context;
    memcpy(context.trace_id, trace_id.data, TRACE_ID_LENGTH);
    memcpy(context.span_id, span_id.data, SPAN_ID_LENGTH);
    return context;
}

struct trace_context trace_context_of_call(const struct grpc_call *call) {
    return trace_context_parse(
        metadata_find_only(grpc_call_get_metadata(call), bytes_of_text("traceparent")));
}
