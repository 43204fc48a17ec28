// One connection to PostgreSQL. The pool (pool.h) opens and hands them out; whoever needs one of its own
// (migrations, LISTEN, a long COPY) opens it here. One thread at a time.
#ifndef LATCHKEY_COMMON_DB_CONNECTION_H
#define LATCHKEY_COMMON_DB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connect_failure.h"

#define DB_NO_DEADLINE UINT64_MAX

struct db_connection;
struct db_end;

enum db_prepare {
    DB_PREPARE_ONCE, // statements are prepared on first use
    DB_PREPARE_OFF,  // for poolers that keep none
};

// Texts are borrowed for as long as connections are opened with them.
struct db_connection_options {
    // postgresql://user@host1,host2/database or key=value words. Password in it, in PGPASSWORD or a passfile.
    const char *url;
    const char *application_name; // NULL = "latchkey"
    const char *role;             // of each transaction; NULL = the user of the URL
    enum db_prepare prepare;
    uint32_t connect_timeout_ms; // for each host in turn; 0 = 5000
    const struct clock *clock;   // NULL = the kernel's
    const struct db_end *end;    // of the process (end.h), which outlives the connections; NULL = never comes
};

// INVALID with a sentence (no secret in it) when `url` can't be parsed. Opens nothing.
MUST_CHECK enum status db_url_check(const char *url, char *ret_error, size_t error_size);

// Tries the hosts in order until one accepts; with several hosts only one that accepts writes is taken
// (target_session_attrs=read-write unless the URL says otherwise). UNAVAILABLE, PERMISSION_DENIED (the server
// refuses us for good: password, rights), INVALID (the URL), NO_MEMORY: `ret_failure` says which and why.
MUST_CHECK enum status db_connection_open(const struct db_connection_options *options, uint64_t deadline_ns,
                                          struct db_connection **ret_connection,
                                          struct db_connect_failure *ret_failure);

// Never blocks. Takes NULL.
void db_connection_close(struct db_connection *connection);

// It failed and must not be used again: lost, or in a state that nobody knows.
bool db_connection_is_broken(const struct db_connection *connection);

#endif
