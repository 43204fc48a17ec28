// What a server ends with, after sysexits.h, and what it then says. Help and the manual page print it; never
// renumbered. Another start does not mend USAGE and CONFIG, and may well mend the others: the units of
// systemd go by that.
#ifndef LATCHKEY_COMMON_APP_EXIT_STATUS_H
#define LATCHKEY_COMMON_APP_EXIT_STATUS_H

#include "common/base/status.h"

#define EXIT_STATUS_TABLE(X)                                                              \
    X(OK, 0, "stopped in order; --check-config has found no mistake; or it is ready")     \
    X(USAGE, 64, "wrong usage: an unknown setting, a value or a file that can't be used") \
    X(UNAVAILABLE, 69, "a part can't be had, such as a port in use; or it is not ready")  \
    X(SOFTWARE, 70, "internal")                                                           \
    X(TEMPORARY, 75, "a file can't be read now, or memory is short")                      \
    X(SCHEMA, 76, "the database has another schema or none")                              \
    X(NOPERM, 77, "the database refuses us")                                              \
    X(CONFIG, 78, "--check-config has found mistakes")

enum exit_status {
#define EXIT_STATUS_ENUM(name, number, text) EXIT_STATUS_##name = number,
    EXIT_STATUS_TABLE(EXIT_STATUS_ENUM)
#undef EXIT_STATUS_ENUM
};

// Of settings, and the files that they name, which can't be used.
enum exit_status exit_status_of(enum status status);

// Says on standard error why: sentences, one a line. Returns `status`.
int exit_status_explain(enum exit_status status, const char *sentences);

#endif
