#include "common/grpc_client/client_failure.h"

#include <stdarg.h>
#include <stdio.h>

enum status client_failure_set(struct client_failure *failure, enum status status, const char *reason,
                               const char *format, ...) {
    va_list args;
    failure->status = status;
    failure->reason = reason;
    va_start(args, format);
    vsnprintf(failure->text, sizeof(failure->text), format, args);
    va_end(args);
    return status;
}
