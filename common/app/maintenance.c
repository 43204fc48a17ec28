#include "common/app/maintenance.h"

#include "common/base/log.h"
#include "common/db/transaction.h"

enum { PERIOD_S = 30, TIMEOUT_S = 10, BATCH_ROWS = 1000, BATCHES_MAX = 100 };

enum { PRUNE_CHANGES, PRUNE_REQUESTS, SWEEP_COUNT };

static const struct db_statement sweeps[SWEEP_COUNT] = {
    [PRUNE_CHANGES] = {"maintenance_prune_changes", "SELECT latchkey.change_prune($1)"},
    [PRUNE_REQUESTS] = {"maintenance_prune_requests", "SELECT latchkey.request_prune($1)"},
};

// One batch, committed by itself. *ret_rows is how many went.
static enum status sweep_batch(struct maintenance *maintenance, struct db_connection *connection,
                               const struct db_statement *sweep, int64_t *ret_rows) {
    struct arena arena;
    arena_init(&arena, 0);
    struct db_params params;
    db_params_init(&params, &arena);
    db_params_add_int32(&params, BATCH_ROWS);
    struct db_begin_options options = {.arena = &arena,
                                       .deadline_ns = clock_get_monotonic_ns(maintenance->clock) +
                                                      TIMEOUT_S * UINT64_C(1000000000)};
    struct db_command command = {sweep, &params, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    if (status == STATUS_OK)
        *ret_rows = db_result_get_int64(command.result, 0, 0);
    arena_fini(&arena);
    return status;
}

static enum status sweep_all(struct maintenance *maintenance, struct db_connection *connection,
                             const struct db_statement *sweep) {
    int64_t rows = BATCH_ROWS;
    for (int i = 0; i < BATCHES_MAX && rows >= BATCH_ROWS; i++) {
        enum status status = sweep_batch(maintenance, connection, sweep, &rows);
        if (status != STATUS_OK)
            return status;
        atomic_fetch_add_explicit(&maintenance->swept_rows, (uint64_t)rows, memory_order_relaxed);
    }
    return STATUS_OK;
}

static void run(struct worker_job *job) {
    struct maintenance *maintenance = CONTAINER_OF(job, struct maintenance, job);
    struct db_connection *connection;
    uint64_t deadline_ns = clock_get_monotonic_ns(maintenance->clock) + TIMEOUT_S * UINT64_C(1000000000);
    if (db_pool_lease(maintenance->database, deadline_ns, NULL, &connection) == STATUS_OK) {
        for (size_t i = 0; i < SWEEP_COUNT; i++) {
            enum status status = sweep_all(maintenance, connection, &sweeps[i]);
            if (status != STATUS_OK)
                log_event(LOG_LEVEL_WARNING, "sweeping failed; it will be tried again",
                          LOG_TEXT("statement", sweeps[i].name), LOG_TEXT("status", status_get_text(status)));
        }
        db_pool_return(maintenance->database, connection);
    }
    atomic_store_explicit(&maintenance->is_running, false, memory_order_release);
}

void maintenance_tick(struct maintenance *maintenance) {
    uint64_t now_ns = clock_get_monotonic_ns(maintenance->clock);
    if (now_ns < maintenance->due_ns || atomic_load_explicit(&maintenance->is_running, memory_order_acquire))
        return;
    maintenance->due_ns = now_ns + PERIOD_S * UINT64_C(1000000000);
    maintenance->job.run = run;
    atomic_store_explicit(&maintenance->is_running, true, memory_order_relaxed);
    if (worker_pool_submit(maintenance->workers, &maintenance->job) != STATUS_OK)
        atomic_store_explicit(&maintenance->is_running, false, memory_order_relaxed);
}

void maintenance_write_metrics(struct metrics_writer *writer, void *context) {
    struct maintenance *maintenance = context;
    metrics_write_counter(writer, "latchkey_swept_rows_total", "Old rows deleted.", NULL,
                          atomic_load_explicit(&maintenance->swept_rows, memory_order_relaxed));
}
