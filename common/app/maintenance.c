#include "common/app/maintenance.h"

#include <stdatomic.h>

enum { BATCH_ROWS = 1000, BATCHES_MAX = 100 };

static const int64_t period_ms = 30000;

static _Atomic uint64_t swept_rows; // relaxed: written by the job, read by the admin port

enum { PRUNE_CHANGES, PRUNE_REQUESTS, SWEEP_COUNT };

static const struct db_statement sweeps[SWEEP_COUNT] = {
    [PRUNE_CHANGES] = {"maintenance_prune_changes", "SELECT latchkey.change_prune($1)"},
    [PRUNE_REQUESTS] = {"maintenance_prune_requests", "SELECT latchkey.request_prune($1)"},
};

// One batch, committed by itself. *ret_rows is how many went.
static enum status sweep_batch(struct job_run *run, struct db_connection *connection,
                               const struct db_statement *sweep, int64_t *ret_rows) {
    struct db_params params;
    db_params_init(&params, run->arena);
    db_params_add_int32(&params, BATCH_ROWS);
    struct db_command command = {sweep, &params, NULL};
    enum status status = job_execute(run, connection, &command, 1);
    if (status == STATUS_OK)
        *ret_rows = db_result_get_int64(command.result, 0, 0);
    return status;
}

static enum status sweep_all(struct job_run *run, struct db_connection *connection,
                             const struct db_statement *sweep) {
    int64_t rows = BATCH_ROWS;
    for (int i = 0; i < BATCHES_MAX && rows >= BATCH_ROWS && !job_is_stopping(run); i++) {
        enum status status = sweep_batch(run, connection, sweep, &rows);
        if (status != STATUS_OK)
            return status;
        atomic_fetch_add_explicit(&swept_rows, (uint64_t)rows, memory_order_relaxed);
    }
    return STATUS_OK;
}

static enum status sweep(struct job_run *run, struct db_connection *connection) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < SWEEP_COUNT && status == STATUS_OK; i++)
        status = sweep_all(run, connection, &sweeps[i]);
    return status;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, sweep);
}

const struct app_job maintenance_job = {.name = "maintenance", .period_ms = &period_ms, .run = run};

void maintenance_write_metrics(struct metrics_writer *writer, void *context) {
    (void)context;
    metrics_write_counter(writer, "latchkey_swept_rows_total", "Old rows deleted.", NULL,
                          atomic_load_explicit(&swept_rows, memory_order_relaxed));
}
