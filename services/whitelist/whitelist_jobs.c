#include "services/whitelist/whitelist_jobs.h"

#include "common/app/due.h"
#include "common/base/log.h"
#include "common/base/typeid.h"
#include "services/whitelist/whitelist_draft_store.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_service.h"
#include "services/whitelist/whitelist_sweep_store.h"

#define SYSTEM "sweeper"

// ---- what nobody confirmed ----

static enum status revert(struct app_call *call, void *context) {
    (void)context;
    struct whitelist_reversal reversal;
    enum status status = whitelist_store_revert(call, &reversal);
    if (status != STATUS_OK || !reversal.is_done)
        return status;
    log_event(LOG_LEVEL_INFO, "a whitelist was not confirmed in time: what was before has come back",
              LOG_TEXT("company", typeid_of(TYPEID_COMPANY, call->company_id).text));
    return whitelist_note(call, "whitelist.reverted", &reversal.before, &reversal.after);
}

static enum status revert_company(const struct due_work *work, const struct due_batch *company,
                                  void *context) {
    (void)context;
    return due_run_change(work, company->company_id, revert, NULL);
}

static enum status revert_overdue(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = SYSTEM};
    struct due_list companies;
    enum status status = whitelist_store_list_overdue(&work, &companies);
    if (status == STATUS_OK)
        status = due_work_off(&work, &companies, revert_company, NULL);
    if (status == STATUS_OK && companies.count == WHITELIST_DUE_MAX)
        run->next_in_ms = 0;
    return status;
}

static enum status run_revert(struct job_run *run) {
    return job_run_with_database(run, revert_overdue);
}

const struct app_job whitelist_revert_job = {
    .name = "whitelist-revert", .period_ms = &whitelist_limits.confirm_check_ms, .run = run_revert};

// ---- what nobody needs ----

static enum status discard(struct app_call *call, void *context) {
    const struct uuid *draft_id = context;
    bool was_there;
    enum status status = whitelist_store_discard_draft(call, *draft_id, &was_there);
    if (status != STATUS_OK || !was_there)
        return status;
    return whitelist_note_discarded(call, *draft_id);
}

static enum status discard_draft(const struct due_work *work, const struct due_batch *draft, void *context) {
    (void)context;
    struct uuid draft_id = draft->ids[0];
    return due_run_change(work, draft->company_id, discard, &draft_id);
}

static enum status discard_forsaken(const struct due_work *work) {
    struct due_list drafts;
    enum status status = whitelist_store_list_forsaken(work, whitelist_limits.draft_lifetime_ms, &drafts);
    return status == STATUS_OK ? due_work_off(work, &drafts, discard_draft, NULL) : status;
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

static enum status sweep_list(const struct due_work *work, const struct due_batch *list, void *context) {
    (void)context;
    struct batch batch = {.list_id = list->ids[0]};
    enum status status;
    do {
        status = due_run_change(work, list->company_id, remove_batch, &batch);
    } while (status == STATUS_OK && batch.removed == WHITELIST_SWEEP_ROWS && !job_is_stopping(work->run));
    return status;
}

static enum status sweep_replaced(const struct due_work *work) {
    struct due_list lists;
    enum status status = whitelist_store_list_replaced(work, &lists);
    return status == STATUS_OK ? due_work_off(work, &lists, sweep_list, NULL) : status;
}

static enum status sweep(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = SYSTEM};
    enum status failure = discard_forsaken(&work);
    enum status status = sweep_replaced(&work);
    return status == STATUS_OK ? failure : status;
}

static enum status run_sweep(struct job_run *run) {
    return job_run_with_database(run, sweep);
}

const struct app_job whitelist_sweep_job = {
    .name = "whitelist-sweep", .period_ms = &whitelist_limits.sweep_ms, .run = run_sweep};
