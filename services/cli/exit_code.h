// What `latchkey` tells the script that runs it. Printed by `latchkey help`; never renumbered.
#ifndef LATCHKEY_SERVICES_CLI_EXIT_CODE_H
#define LATCHKEY_SERVICES_CLI_EXIT_CODE_H

#include "common/base/status.h"
#include "common/grpc/status_code.h"

#define EXIT_CODE_TABLE(X)                                                                                \
    X(DONE, 0, "done; the token is admitted; the address is listed")                                      \
    X(NO, 1, "the answer is no: denied, not listed, not all taken, not all validators confirmed in time") \
    X(USAGE, 2, "wrong usage, or input that the server does not take")                                    \
    X(NOT_ALLOWED, 3, "not authenticated, or without the permission")                                     \
    X(UNAVAILABLE, 4, "a server or the database is not available, or the outcome is unknown: try again")  \
    X(REFUSED, 5, "not found, exists already, or not possible in the present state")                      \
    X(FAILED, 6, "anything else")

enum exit_code {
#define EXIT_CODE_ENUM(name, number, text) EXIT_CODE_##name = number,
    EXIT_CODE_TABLE(EXIT_CODE_ENUM)
#undef EXIT_CODE_ENUM
};

enum exit_code exit_code_from_status(enum status status);

// What a server would have said, for mistakes that are found before any is asked.
enum grpc_code exit_code_to_grpc(enum exit_code code);

#endif
