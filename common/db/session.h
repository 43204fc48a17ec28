// What the sources of common/db know of a connection, and how they talk over it. Not for the layers above.
#ifndef LATCHKEY_COMMON_DB_SESSION_H
#define LATCHKEY_COMMON_DB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/cancel_target.h"
#include "common/db/connection.h"
#include "common/db/transaction.h"

struct pg_conn;
struct pg_result;
struct pool_slot;

// A result and the transaction's list that it is on.
struct db_result {
    struct pg_result *pg;
    struct db_result *next;
};

enum transaction_state {
    TRANSACTION_IDLE,
    TRANSACTION_PENDING, // begun, but BEGIN is not sent yet
    TRANSACTION_OPEN,
    TRANSACTION_FAILED,
    TRANSACTION_COMMITTING,
};

// A connection has at most one, so it lives there.
struct db_transaction {
    struct db_connection *connection;
    enum transaction_state state;
    struct db_begin_options options;
    struct db_result *results; // newest first
    struct db_error error;
    bool has_unsent_company;
    int64_t timeout_ms; // statement_timeout in force; 0 = none set by us
    bool is_bound;      // db_cancel() reaches it
    bool is_copying;
    struct db_command last[DB_LAST_STATEMENTS_MAX]; // travel with the commit
    size_t last_count;
};

// Statements that the server has prepared under their names.
struct prepared_set {
    const struct db_statement **statements;
    size_t count, capacity;
};

struct db_connection {
    struct pg_conn *pg;
    const struct clock *clock;
    const struct db_end *end;
    enum db_prepare prepare;
    const char *role; // borrows from the options
    bool is_broken;   // sticky
    bool has_warned;  // a WARNING has arrived since exchange_run() began
    struct prepared_set prepared;
    struct db_cancel_target *cancel_target;
    struct db_transaction transaction;
    struct pool_slot *slot; // the pool's; NULL = not from a pool
};

// db_connection_open() for the pool's opener: `stop_fd` readable ends the attempt (-1 = nothing does), and
// the hosts are tried from `*host` on, which is left at the one that accepted.
MUST_CHECK enum status session_open(const struct db_connection_options *options, uint64_t deadline_ns,
                                    int stop_fd, unsigned *host, struct db_connection **ret_connection,
                                    struct db_connect_failure *ret_failure);

// An idle connection is still there: looks at the socket, sends nothing.
bool session_is_alive(struct db_connection *connection);

// Every function that finds the connection unusable calls this; `why` for the log.
void session_break(struct db_connection *connection, const char *why);

// The next result, or NULL at the end of the present command.
MUST_CHECK enum status session_get_result(struct db_connection *connection, uint64_t deadline_ns,
                                          struct pg_result **ret_result);

// The next row of a COPY TO STDOUT, for PQfreemem(); NULL at the end.
MUST_CHECK enum status session_get_copy_data(struct db_connection *connection, uint64_t deadline_ns,
                                             char **ret_data, size_t *ret_len);

// A script of several statements, or a COPY, in the simple protocol: out of pipeline mode, and back into it.
MUST_CHECK enum status session_begin_simple(struct db_connection *connection, const char *sql);
MUST_CHECK enum status session_end_simple(struct db_connection *connection);

// BEGIN and its settings are sent if they are not yet.
MUST_CHECK enum status transaction_open(struct db_transaction *transaction);

// Fails the transaction with the server's error code; returns its status.
enum status transaction_note_error(struct db_transaction *transaction, const char *sqlstate);

// Until when an answer is waited for: shortly after the deadline.
uint64_t transaction_get_answer_deadline_ns(const struct db_transaction *transaction);

#endif
