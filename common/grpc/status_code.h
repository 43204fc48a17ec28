// gRPC's status codes, and the one place that turns a status into one.
#ifndef LATCHKEY_COMMON_GRPC_STATUS_CODE_H
#define LATCHKEY_COMMON_GRPC_STATUS_CODE_H

#include "common/base/status.h"

#define GRPC_CODE_TABLE(X)    \
    X(OK, 0)                  \
    X(CANCELLED, 1)           \
    X(UNKNOWN, 2)             \
    X(INVALID_ARGUMENT, 3)    \
    X(DEADLINE_EXCEEDED, 4)   \
    X(NOT_FOUND, 5)           \
    X(ALREADY_EXISTS, 6)      \
    X(PERMISSION_DENIED, 7)   \
    X(RESOURCE_EXHAUSTED, 8)  \
    X(FAILED_PRECONDITION, 9) \
    X(ABORTED, 10)            \
    X(OUT_OF_RANGE, 11)       \
    X(UNIMPLEMENTED, 12)      \
    X(INTERNAL, 13)           \
    X(UNAVAILABLE, 14)        \
    X(DATA_LOSS, 15)          \
    X(UNAUTHENTICATED, 16)

enum grpc_code {
#define GRPC_CODE_ENUM(name, number) GRPC_CODE_##name = number,
    GRPC_CODE_TABLE(GRPC_CODE_ENUM)
#undef GRPC_CODE_ENUM
        GRPC_CODE_COUNT
};

enum grpc_code grpc_code_from_status(enum status status);

// For a client: the status that a server's code means. A code without a status of its own is INTERNAL.
enum status grpc_code_to_status(unsigned code);

const char *grpc_code_get_name(enum grpc_code code); // "NOT_FOUND"; static storage

#endif
