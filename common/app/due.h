// What a job finds due in several companies, done for one company at a time: a statement that may look across
// companies lists it, and each company has transactions of its own, so that one company's failure keeps
// nobody else's work from being done.
#ifndef LATCHKEY_COMMON_APP_DUE_H
#define LATCHKEY_COMMON_APP_DUE_H

#include <stddef.h>

#include "common/app/job.h"
#include "common/app/system_call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "common/db/params.h"
#include "common/db/statement.h"

// A change of more tokens makes every validator read all of a company's tokens again.
#define DUE_BATCH_MAX 100

// What is due in one company, little enough for one transaction.
struct due_batch {
    struct uuid company_id;
    const struct uuid *ids; // NULL where the statement names companies alone
    size_t count;
};

struct due_list {
    struct due_batch *batches;
    size_t count;
    size_t id_count; // over all batches
};

// Who does it, and over which connection.
struct due_work {
    struct job_run *run;
    struct db_connection *connection;
    const char *system; // "sweeper"; static storage
};

// SQL that makes batches of a query which returns company_id and id.
#define DUE_BATCHES(query)                                                       \
    "SELECT company_id, array_agg(id ORDER BY id) FROM (SELECT company_id, id,"  \
    " (row_number() OVER (PARTITION BY company_id ORDER BY id) - 1) / " AS_TEXT( \
        DUE_BATCH_MAX) " AS batch"                                               \
                       " FROM (" query ") AS due) AS due GROUP BY company_id, batch"

// Runs a statement that returns companies, with an array of ids each or without, as job_execute(). The list
// lives in the run's arena. The database's status, or NO_MEMORY.
MUST_CHECK enum status due_read_list(const struct due_work *work, const struct db_statement *statement,
                                     const struct db_params *params, struct due_list *ret_list);

// What is done for one batch, by due_run_change() as often as it takes.
typedef enum status (*due_step)(const struct due_work *work, const struct due_batch *batch, void *context);

// Takes the step for each batch, after one that failed for the next, until the process stops; from a random
// one on, so that several servers at the same work take different ones. OK, or the status of a step that
// failed.
MUST_CHECK enum status due_work_off(const struct due_work *work, const struct due_list *list, due_step step,
                                    void *context);

// One change for one company, under the system's name, with an arena of its own. The status of
// system_call_run(), which has logged a failure.
MUST_CHECK enum status due_run_change(const struct due_work *work, struct uuid company_id,
                                      system_change change, void *context);

#endif
