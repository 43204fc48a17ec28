#include "services/whitelist/whitelist_sweep_store.h"

#include "common/app/app.h"
#include "common/db/transaction.h"
#include "services/whitelist/whitelist_row.h"

enum { TIMEOUT_S = 10 };

enum { FIND_OVERDUE, FIND_FORSAKEN, FIND_REPLACED, LOCK, DELETE, FORGET };

static const struct db_statement statements[] = {
    [FIND_OVERDUE] = {"whitelist_find_overdue", "SELECT latchkey.whitelist_overdue($1)"},
    [FIND_FORSAKEN] = {"whitelist_find_forsaken",
                       "SELECT company_id, list_id FROM latchkey.whitelist_forsaken("
                       "now() - make_interval(secs => $2::bigint / 1000.0), $1)"},
    [FIND_REPLACED] = {"whitelist_find_replaced",
                       "SELECT company_id, list_id FROM latchkey.whitelist_replaced($1)"},
    // The state alone says enough; the pointer is looked at all the same.
    [LOCK] = {"whitelist_lock_replaced",
              "SELECT l.list_id, " WHITELIST_PLAN_AFRESH " FROM latchkey.whitelist_list l"
              " WHERE l.company_id = $1 AND l.list_id = $2"
              " AND l.state = 'replaced' AND NOT EXISTS (SELECT FROM latchkey.whitelist w"
              " WHERE w.company_id = $1 AND l.list_id IN (w.live_list_id, w.previous_list_id))"
              " FOR UPDATE SKIP LOCKED"},
    // A run of the primary key.
    [DELETE] =
        {"whitelist_delete_replaced",
         "WITH gone AS (DELETE FROM latchkey.whitelist_entry e WHERE e.list_id = $2 AND e.entry_id > $3"
         " AND e.entry_id <= coalesce((SELECT last.entry_id FROM latchkey.whitelist_entry last"
         " WHERE last.list_id = $2 AND last.entry_id > $3 ORDER BY last.entry_id"
         " OFFSET " WHITELIST_TEXT(
             WHITELIST_SWEEP_ROWS) " - 1 LIMIT 1), 'ffffffff-ffff-ffff-ffff-ffffffffffff')"
                                   " RETURNING e.entry_id, e.list_id)" WHITELIST_FORGET_GONE
                                   " SELECT count(*), (SELECT entry_id FROM gone ORDER BY entry_id DESC LIMIT 1) FROM gone"},
    [FORGET] = {"whitelist_forget_replaced",
                "DELETE FROM latchkey.whitelist_list l WHERE l.company_id = $1 AND l.list_id = $2"
                " AND l.state = 'replaced' AND l.entry_count = 0"},
};

// ---- what is to be done ----

static enum status find(const struct job_run *run, struct db_connection *connection,
                        const struct db_statement *statement, const struct db_params *params,
                        struct whitelist_tasks *ret_tasks) {
    struct db_begin_options options = {.arena = run->arena,
                                       .deadline_ns = clock_get_monotonic_ns(app_get_clock(run->app)) +
                                                      TIMEOUT_S * UINT64_C(1000000000)};
    struct db_command command = {statement, params, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    if (status != STATUS_OK)
        return status;
    int count = db_result_get_row_count(command.result);
    ret_tasks->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        struct whitelist_task *task = &ret_tasks->tasks[i];
        task->company_id = db_result_get_uuid(command.result, i, 0);
        if (db_result_get_column_count(command.result) > 1)
            task->list_id = db_result_get_uuid(command.result, i, 1);
    }
    return STATUS_OK;
}

static void init_params(struct db_params *params, const struct job_run *run) {
    db_params_init(params, run->arena);
    db_params_add_int32(params, WHITELIST_TASKS_MAX);
}

enum status whitelist_store_find_overdue(const struct job_run *run, struct db_connection *connection,
                                         struct whitelist_tasks *ret_tasks) {
    struct db_params params;
    init_params(&params, run);
    return find(run, connection, &statements[FIND_OVERDUE], &params, ret_tasks);
}

enum status whitelist_store_find_forsaken(const struct job_run *run, struct db_connection *connection,
                                          int64_t lifetime_ms, struct whitelist_tasks *ret_tasks) {
    struct db_params params;
    init_params(&params, run);
    db_params_add_int64(&params, lifetime_ms);
    return find(run, connection, &statements[FIND_FORSAKEN], &params, ret_tasks);
}

enum status whitelist_store_find_replaced(const struct job_run *run, struct db_connection *connection,
                                          struct whitelist_tasks *ret_tasks) {
    struct db_params params;
    init_params(&params, run);
    return find(run, connection, &statements[FIND_REPLACED], &params, ret_tasks);
}

// ---- removing ----

enum status whitelist_store_sweep(struct app_call *call, struct uuid list_id, struct uuid *after,
                                  size_t *ret_removed) {
    struct db_params list, delete;
    const struct db_result *locked;
    db_params_init(&list, call->arena);
    db_params_add_uuid(&list, call->company_id);
    db_params_add_uuid(&list, list_id);
    *ret_removed = 0;
    enum status status = db_query(call->transaction, &statements[LOCK], &list, &locked);
    if (status != STATUS_OK || db_result_get_row_count(locked) == 0)
        return status;

    delete = list;
    db_params_add_uuid(&delete, *after);
    struct db_command commands[] = {{&statements[DELETE], &delete, NULL}, {&statements[FORGET], &list, NULL}};
    status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return status;
    *ret_removed = (size_t)db_result_get_int64(commands[0].result, 0, 0);
    if (*ret_removed > 0)
        *after = db_result_get_uuid(commands[0].result, 0, 1);
    return STATUS_OK;
}
