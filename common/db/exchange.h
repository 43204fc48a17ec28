// One round trip: any number of statements in one pipeline, their results in order. Everything that common/db
// says to the server in the extended protocol goes through here.
#ifndef LATCHKEY_COMMON_DB_EXCHANGE_H
#define LATCHKEY_COMMON_DB_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/session.h"

// Steps in one exchange, those that this layer adds included.
#define EXCHANGE_STEPS_MAX 32

struct exchange_step {
    const struct db_statement *statement;
    const struct db_params *params; // NULL = none
    bool is_for_once;               // never prepared, so the statement need live only until it has run
    struct pg_result *result;       // owned by the caller after OK; NULL otherwise
};

// Who answered: decides whether a failed COMMIT is known to have failed.
enum exchange_verdict {
    EXCHANGE_SILENT,  // nobody: lost, late, or the server's last word was that it ends
    EXCHANGE_REFUSED, // the server, by an error after which it goes on: nothing was done
};

struct exchange_failure {
    enum exchange_verdict verdict;
    struct db_error error;
};

// On failure no step has a result. The statements run in the open transaction; without one, in an implicit
// transaction that is committed when OK is returned.
MUST_CHECK enum status exchange_run(struct db_connection *connection, struct exchange_step *steps,
                                    size_t count, uint64_t deadline_ns, struct exchange_failure *ret_failure);

#endif
