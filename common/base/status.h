// The outcome of a fallible function. One table gives each outcome its name and a sentence that may be shown
// to anybody: it never holds SQL, a secret or a peer's bytes. What a caller of an RPC is told in detail is a
// `struct fault` (fault.h); the transport maps a status to a gRPC code in one place
// (common/grpc/status_details.c).
#ifndef LATCHKEY_COMMON_BASE_STATUS_H
#define LATCHKEY_COMMON_BASE_STATUS_H

#include "common/base/compiler.h"

#define STATUS_TABLE(X)                                             \
    X(OK, "ok")                                                     \
    X(NO_MEMORY, "out of memory")                                   \
    X(INVALID, "the input is not valid")                            \
    X(MALFORMED, "the bytes are not what the protocol allows")      \
    X(TOO_LARGE, "the input is larger than its limit")              \
    X(EXHAUSTED, "a limit has been reached")                        \
    X(NOT_FOUND, "not found")                                       \
    X(ALREADY_EXISTS, "it exists already")                          \
    X(UNAUTHENTICATED, "the caller is not known")                   \
    X(PERMISSION_DENIED, "the caller may not do this")              \
    X(FAILED_PRECONDITION, "the present state does not allow this") \
    X(ABORTED, "somebody else changed it meanwhile")                \
    X(DEADLINE_EXCEEDED, "the deadline has passed")                 \
    X(CANCELLED, "the caller has cancelled the call")               \
    X(UNAVAILABLE, "not available now")                             \
    X(OUTCOME_UNKNOWN, "the change may or may not have been made")  \
    X(UNIMPLEMENTED, "not implemented")                             \
    X(CLOSED, "the connection is closed")                           \
    X(INTERNAL, "internal error")

enum status {
#define STATUS_ENUM(name, text) STATUS_##name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
};

// Of two failures the one to tell: what is INVALID stays so until somebody mends it, and others may pass. OK
// only where both are.
static inline enum status status_get_graver(enum status a, enum status b) {
    return a == STATUS_INVALID || b == STATUS_OK ? a : b == STATUS_INVALID || a == STATUS_OK ? b : a;
}

// The name without its prefix, e.g. "NO_MEMORY"; static storage.
const char *status_get_name(enum status status);

// The sentence of the table; static storage, safe to show.
const char *status_get_text(enum status status);

#endif
