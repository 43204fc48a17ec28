// What the jobs of the whitelist ask and do: across companies, by functions that may look (0016), what is to
// be done, each one round trip and transaction of its own; and within a system call, for one company, the
// removal of a replaced list's entries.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_SWEEP_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_SWEEP_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/app/job.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"

// A list, and whose it is; for an overdue confirmation the company alone.
struct whitelist_task {
    struct uuid company_id, list_id;
};
#define WHITELIST_TASKS_MAX 100
struct whitelist_tasks {
    struct whitelist_task tasks[WHITELIST_TASKS_MAX];
    size_t count;
};

MUST_CHECK enum status whitelist_store_find_overdue(const struct job_run *run,
                                                    struct db_connection *connection,
                                                    struct whitelist_tasks *ret_tasks);
MUST_CHECK enum status whitelist_store_find_forsaken(const struct job_run *run,
                                                     struct db_connection *connection, int64_t lifetime_ms,
                                                     struct whitelist_tasks *ret_tasks);
MUST_CHECK enum status whitelist_store_find_replaced(const struct job_run *run,
                                                     struct db_connection *connection,
                                                     struct whitelist_tasks *ret_tasks);

// Removes a batch of a replaced list's entries, those after `*after`, which moves on; when none is left, the
// list itself. Leaves a list alone that another process sweeps just now.
#define WHITELIST_SWEEP_ROWS 5000
MUST_CHECK enum status whitelist_store_sweep(struct app_call *call, struct uuid list_id, struct uuid *after,
                                             size_t *ret_removed);

#endif
