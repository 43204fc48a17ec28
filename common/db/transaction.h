// Transactions, in as few round trips as there are statements: BEGIN and its settings travel with the first
// statement, change_flush() with the COMMIT. Each statement gets what is left of the deadline as its
// statement_timeout, and the wait for the answer ends shortly after, so that a dead network can't hold a
// worker.
//
//   IDLE --db_begin--> PENDING --first statement--> OPEN --error--> FAILED
//    ^                    |                          |                 |
//    |<--commit/rollback--+                          +--db_commit--> COMMITTING
//    |<------------------------------rollback--------+-----------------+   |
//    |<------------------------------answer known--------------------------+
//   BROKEN <--connection lost, answer overdue, outcome unknown-- any
//
// A statement of a FAILED transaction answers ABORTED without being sent; only db_rollback() is left.
#ifndef LATCHKEY_COMMON_DB_TRANSACTION_H
#define LATCHKEY_COMMON_DB_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/cancel.h"
#include "common/db/connection.h"
#include "common/db/params.h"
#include "common/db/result.h"
#include "common/db/sqlstate.h"
#include "common/db/statement.h"

struct db_transaction;
struct db_shared_snapshot;

enum db_access { DB_READ_WRITE, DB_READ_ONLY };
enum db_isolation { DB_READ_COMMITTED, DB_REPEATABLE_READ, DB_SERIALIZABLE };

// Zeroed but for `arena` and `deadline_ns` is a good start.
struct db_begin_options {
    struct arena *arena;                  // borrows: the transaction's own small things
    uint64_t deadline_ns;                 // monotonic; the budget over all statements; DB_NO_DEADLINE = none
    struct db_cancellation *cancellation; // borrows; NULL = can't be cancelled
    enum db_access access;
    enum db_isolation isolation;
    struct uuid company; // SET LOCAL latchkey.company; zero = none
    const char *role;    // SET LOCAL ROLE; NULL = the connection's
    // Borrows: what a REPEATABLE READ transaction is to see. NULL = what is there at its first statement.
    const struct db_shared_snapshot *snapshot;
};

// What the last failed statement said, for a store that knows its constraints. Never shown to callers.
struct db_error {
    enum status status;
    char sqlstate[SQLSTATE_LENGTH + 1]; // "" = no answer from the server
    char constraint[64];                // e.g. "member_email_key"; "" = none
};

// A change's place in the log: one row of latchkey.change_flush().
struct db_revision {
    int16_t lane;
    int64_t seq;
    int64_t mark;
};

// Sends nothing. The connection has no other open transaction.
MUST_CHECK enum status db_begin(struct db_connection *connection, const struct db_begin_options *options,
                                struct db_transaction **ret_transaction);

// Sets latchkey.company for the rest of the transaction: travels with the next statement.
void db_set_company(struct db_transaction *transaction, struct uuid company);

// One round trip. `params` NULL = none. `ret_result` NULL = the rows don't matter; else it lives until the
// transaction ends. A failed one leaves db_get_error(): ALREADY_EXISTS (unique constraint), INVALID (check
// constraint), FAILED_PRECONDITION (foreign key, or raised by the schema), ABORTED (serialization, deadlock:
// run the whole transaction again), DEADLINE_EXCEEDED, CANCELLED, UNAVAILABLE, INTERNAL (our SQL is wrong;
// logged).
MUST_CHECK enum status db_query(struct db_transaction *transaction, const struct db_statement *statement,
                                const struct db_params *params, const struct db_result **ret_result);

// Several statements in one round trip; the first that fails ends it, and those behind it are not executed.
struct db_command {
    const struct db_statement *statement;
    const struct db_params *params; // NULL = none
    const struct db_result *result; // filled on success
};
MUST_CHECK enum status db_query_batch(struct db_transaction *transaction, struct db_command *commands,
                                      size_t count);

// A statement that is to be the last before the commit and travels with it, in the order in which they were
// added; at most DB_LAST_STATEMENTS_MAX. What it returns is dropped; where it fails, the commit fails with
// its status and nothing was changed. `params` lives until then.
#define DB_LAST_STATEMENTS_MAX 6
void db_add_last(struct db_transaction *transaction, const struct db_statement *statement,
                 const struct db_params *params);

// Statements outside of a transaction: all in one round trip and one implicit transaction, committed when OK
// is returned. The results live until the next use of the connection. `options` as for db_begin(), its access
// and isolation are the session's. OUTCOME_UNKNOWN as for db_commit().
MUST_CHECK enum status db_execute(struct db_connection *connection, const struct db_begin_options *options,
                                  struct db_command *commands, size_t count);

// Frees the results so far: for who reads more in one transaction than should be in memory at once.
void db_drop_results(struct db_transaction *transaction);

const struct db_error *db_get_error(const struct db_transaction *transaction);

// Ends the transaction, whatever it returns, and with it every result. Once COMMIT has been sent it is never
// cancelled. OUTCOME_UNKNOWN: the connection was lost, the deadline passed, or PostgreSQL answered with a
// WARNING (a synchronous standby has not confirmed) - the change may or may not last; the connection is
// broken then. Any other failure: it is certain that nothing was changed. A read-only transaction's outcome
// is never unknown.
MUST_CHECK enum status db_commit(struct db_transaction *transaction);

// The same, with latchkey.change_flush() in the same round trip: where the changes stand in the log, one
// entry for each lane (none when nothing changed), in the transaction's arena.
MUST_CHECK enum status db_commit_with_revisions(struct db_transaction *transaction,
                                                const struct db_revision **ret_revisions, size_t *ret_count);

// Ends the transaction and every result of it; always safe. Takes NULL.
void db_rollback(struct db_transaction *transaction);

// The status as a fault for the caller of an RPC: DATABASE_UNAVAILABLE with a time to try again, and the
// like. Returns `status`. Does nothing for statuses that the store must put into words itself
// (ALREADY_EXISTS, INVALID, ...).
enum status db_fault(struct fault *fault, enum status status);

#endif
