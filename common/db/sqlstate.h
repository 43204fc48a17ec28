// What PostgreSQL's error codes mean for a caller of ours: one table.
#ifndef LATCHKEY_COMMON_DB_SQLSTATE_H
#define LATCHKEY_COMMON_DB_SQLSTATE_H

#include <stdbool.h>

#include "common/base/status.h"

#define SQLSTATE_LENGTH 5

// `sqlstate` has five characters, or is NULL or "" when the connection was lost before an answer:
// UNAVAILABLE. An unknown code is INTERNAL. 57014 (the statement was cancelled) is CANCELLED; whoever set the
// deadline knows better.
enum status sqlstate_get_status(const char *sqlstate);

// After this error the connection must not be used again: it is lost, or leads to a server that can't do our
// work.
bool sqlstate_is_fatal(const char *sqlstate);

#endif
