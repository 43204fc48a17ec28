// W3C Trace Context: which trace a call belongs to, and which span of it has asked, by the metadata field
// `traceparent`:
//
//     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//     version, id of the trace, id of the span, flags
//
// They stand in the log, so that a caller's trace leads to it. No spans are made here.
#ifndef LATCHKEY_COMMON_APP_TRACE_CONTEXT_H
#define LATCHKEY_COMMON_APP_TRACE_CONTEXT_H

#include "common/base/bytes.h"
#include "common/grpc/call.h"

#define TRACE_ID_LENGTH 32
#define SPAN_ID_LENGTH 16

// Lower-case hexadecimal digits, NUL-terminated; both empty = no trace is named, or not in the one form.
struct trace_context {
    char trace_id[TRACE_ID_LENGTH + 1];
    char span_id[SPAN_ID_LENGTH + 1];
};

struct trace_context trace_context_parse(struct bytes traceparent);

// A call with two such fields belongs to no trace.
struct trace_context trace_context_of_call(const struct grpc_call *call);

#endif
