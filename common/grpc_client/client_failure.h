// Why a server could not be reached, kept by the channel beyond the call that found it out: calls that come
// while the address rests are told the same.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_FAILURE_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_FAILURE_H

#include "common/base/compiler.h"
#include "common/base/status.h"

#define CLIENT_FAILURE_TEXT_MAX 500

// Zeroed memory is no failure.
struct client_failure {
    enum status status;
    const char *reason; // one of client.h's; static storage
    char text[CLIENT_FAILURE_TEXT_MAX + 1];
};

// Overwrites what was there; a text that is too long is cut. Returns `status`.
enum status client_failure_set(struct client_failure *failure, enum status status, const char *reason,
                               const char *format, ...) PRINTF_LIKE(4, 5);

#endif
