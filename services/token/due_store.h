// What is due across companies, as work for one company at a time: statements that return a company and the
// ids of what is due there, in batches small enough for one transaction.
#ifndef LATCHKEY_SERVICES_TOKEN_DUE_STORE_H
#define LATCHKEY_SERVICES_TOKEN_DUE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/job.h"
#include "common/app/system_call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/params.h"
#include "common/db/statement.h"

// A change of more tokens makes every validator read all of a company's tokens again.
#define DUE_BATCH_MAX 100

struct due_batch {
    struct uuid company_id;
    const struct uuid *ids;
    size_t count;
};

struct due_list {
    struct due_batch *batches;
    size_t count;
    size_t id_count; // over all batches
};

// Who does it, and over which connection.
struct due_work {
    const struct job_run *run;
    struct db_connection *connection;
    const char *system; // "sweeper"
};

// SQL that makes batches of a query which returns company_id and id.
#define DUE_BATCHES(query)                                                                       \
    "SELECT company_id, array_agg(id ORDER BY id) FROM (SELECT company_id, id,"                  \
    " (row_number() OVER (PARTITION BY company_id ORDER BY id) - 1) / 100 AS batch FROM (" query \
    ") AS due) AS due GROUP BY company_id, batch"

// Runs such a statement in a transaction of its own; the list lives in the arena.
MUST_CHECK enum status due_store_list(const struct due_work *work, const struct db_statement *statement,
                                      const struct db_params *params, struct arena *arena,
                                      struct due_list *ret_list);

// One change for one company, under the system's name, with an arena of its own (system_call.h).
MUST_CHECK enum status due_run(const struct due_work *work, struct uuid company_id, system_change change,
                               void *context);

#endif
