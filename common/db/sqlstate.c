// A code of five characters is looked up first, then its class (the first two).
#include "common/db/sqlstate.h"

#include <stddef.h>
#include <string.h>

struct meaning {
    const char *prefix; // five characters, or two for a whole class
    enum status status;
    bool is_fatal;
};

enum { MENDABLE = false, FATAL = true };

static const struct meaning meanings[] = {
    {"08", STATUS_UNAVAILABLE, FATAL},               // connection exceptions
    {"0A000", STATUS_UNAVAILABLE, FATAL},            // what a standby says to BEGIN READ WRITE
    {"22P02", STATUS_INTERNAL, MENDABLE},            // what our own checks should have refused
    {"23001", STATUS_FAILED_PRECONDITION, MENDABLE}, // restrict
    {"23503", STATUS_FAILED_PRECONDITION, MENDABLE}, // foreign key
    {"23505", STATUS_ALREADY_EXISTS, MENDABLE},      // unique
    {"23514", STATUS_INVALID, MENDABLE},             // check
    {"23P01", STATUS_ALREADY_EXISTS, MENDABLE},      // exclusion
    {"25006", STATUS_UNAVAILABLE, FATAL},            // read-only: a primary that has become a standby
    {"25P02", STATUS_ABORTED, MENDABLE},             // the transaction has failed already
    {"25P03", STATUS_UNAVAILABLE, FATAL},            // idle in transaction for too long
    {"26000", STATUS_UNAVAILABLE,
     FATAL}, // a prepared statement is gone: a pooler without --database-prepare=off
    {"40001", STATUS_ABORTED, MENDABLE},             // serialization
    {"40003", STATUS_OUTCOME_UNKNOWN, FATAL},        // statement completion unknown
    {"40P01", STATUS_ABORTED, MENDABLE},             // deadlock
    {"53200", STATUS_UNAVAILABLE, MENDABLE},         // the server is out of memory
    {"53", STATUS_UNAVAILABLE, FATAL},               // disk full, too many connections
    {"54", STATUS_TOO_LARGE, MENDABLE},              // program limits
    {"55P03", STATUS_ABORTED, MENDABLE},             // lock_timeout or NOWAIT
    {"57014", STATUS_CANCELLED, MENDABLE},           // cancelled, also by statement_timeout
    {"57", STATUS_UNAVAILABLE, FATAL},               // shutdown, crash, starting up
    {"58", STATUS_UNAVAILABLE, FATAL},               // I/O errors of the server
    {"P0001", STATUS_FAILED_PRECONDITION, MENDABLE}, // RAISE EXCEPTION of the schema
    {"XX", STATUS_UNAVAILABLE, FATAL},               // corruption and internal errors of the server
};

static const struct meaning *find(const char *sqlstate) {
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strncmp(sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
            return &meanings[i];
    return NULL;
}

static bool is_lost(const char *sqlstate) {
    return !sqlstate || sqlstate[0] == '\0';
}

enum status sqlstate_get_status(const char *sqlstate) {
    if (is_lost(sqlstate))
        return STATUS_UNAVAILABLE;
    const struct meaning *meaning = find(sqlstate);
    return meaning ? meaning->status : STATUS_INTERNAL;
}

bool sqlstate_is_fatal(const char *sqlstate) {
    if (is_lost(sqlstate))
        return true;
    const struct meaning *meaning = find(sqlstate);
    return meaning && meaning->is_fatal;
}
