#include "services/whitelist/whitelist_jobs.h"

#include "common/app/system_call.h"
#include "common/base/log.h"
#include "common/base/typeid.h"
#include "services/whitelist/whitelist_draft_store.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_service.h"
#include "services/whitelist/whitelist_sweep_store.h"

#define SYSTEM "sweeper"

// One change for one company; `run->arena` grows by what it needs.
static enum status change(const struct job_run *run, struct db_connection *connection,
                          const struct whitelist_task *task, system_change what, void *context) {
    struct system_call_options options = {.app = run->app,
                                          .connection = connection,
                                          .arena = run->arena,
                                          .system = SYSTEM,
                                          .company_id = task->company_id};
    return system_call_run(&options, what, context);
}

// ---- what nobody confirmed ----

static enum status revert(struct app_call *call, void *context) {
    (void)context;
    struct whitelist_reversal reversal;
    enum status status = whitelist_store_revert(call, &reversal);
    if (status != STATUS_OK || !reversal.is_done)
        return status;
    log_event(LOG_LEVEL_INFO, "a published whitelist was not confirmed: the list before has come back",
              LOG_TEXT("company", typeid_of(TYPEID_COMPANY, call->company_id).text));
    return whitelist_note(call, "whitelist.reverted", &reversal.before, &reversal.after);
}

// One company's failure keeps nobody else's list from coming back.
static enum status revert_overdue(struct job_run *run, struct db_connection *connection) {
    struct whitelist_tasks tasks;
    enum status status = whitelist_store_find_overdue(run, connection, &tasks), failure = STATUS_OK;
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < tasks.count && !job_is_stopping(run); i++)
        if ((status = change(run, connection, &tasks.tasks[i], revert, NULL)) != STATUS_OK)
            failure = status;
    if (tasks.count == WHITELIST_TASKS_MAX && failure == STATUS_OK)
        run->next_in_ms = 0;
    return failure;
}

static enum status run_revert(struct job_run *run) {
    return job_run_with_database(run, revert_overdue);
}

const struct app_job whitelist_revert_job = {
    .name = "whitelist-revert", .period_ms = &whitelist_limits.confirm_check_ms, .run = run_revert};

// ---- what nobody needs ----

static enum status discard(struct app_call *call, void *context) {
    const struct whitelist_task *task = context;
    bool was_there;
    enum status status = whitelist_store_discard_draft(call, task->list_id, &was_there);
    if (status != STATUS_OK || !was_there)
        return status;
    return whitelist_note_discarded(call, task->list_id);
}

static enum status discard_forsaken(struct job_run *run, struct db_connection *connection) {
    struct whitelist_tasks tasks;
    enum status status =
        whitelist_store_find_forsaken(run, connection, whitelist_limits.draft_lifetime_ms, &tasks);
    enum status failure = STATUS_OK;
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < tasks.count && !job_is_stopping(run); i++)
        if ((status = change(run, connection, &tasks.tasks[i], discard, &tasks.tasks[i])) != STATUS_OK)
            failure = status;
    return failure;
}

struct batch {
    struct uuid list_id, after;
    size_t removed;
};

static enum status remove_batch(struct app_call *call, void *context) {
    struct batch *batch = context;
    struct uuid after = batch->after; // kept as it was should this be run again
    enum status status = whitelist_store_sweep(call, batch->list_id, &after, &batch->removed);
    if (status == STATUS_OK)
        batch->after = after;
    return status;
}

static enum status sweep_list(struct job_run *run, struct db_connection *connection,
                              const struct whitelist_task *task) {
    struct batch batch = {.list_id = task->list_id};
    enum status status;
    do {
        status = change(run, connection, task, remove_batch, &batch);
        arena_reset(run->arena);
    } while (status == STATUS_OK && batch.removed == WHITELIST_SWEEP_ROWS && !job_is_stopping(run));
    return status;
}

static enum status sweep_replaced(struct job_run *run, struct db_connection *connection) {
    struct whitelist_tasks tasks;
    enum status failure = discard_forsaken(run, connection);
    enum status status = whitelist_store_find_replaced(run, connection, &tasks);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < tasks.count && !job_is_stopping(run); i++)
        if ((status = sweep_list(run, connection, &tasks.tasks[i])) != STATUS_OK)
            failure = status;
    return failure;
}

static enum status run_sweep(struct job_run *run) {
    return job_run_with_database(run, sweep_replaced);
}

const struct app_job whitelist_sweep_job = {
    .name = "whitelist-sweep", .period_ms = &whitelist_limits.sweep_ms, .run = run_sweep};
