// Ends access tokens that nobody uses, where the company's policy says after how long. A token is first noted
// as unused and ended at the earliest GRACE_MS later, if nobody has used it until then: a use reaches the
// database some seconds after the event, and a validator that is cut off from the database admits nobody
// after its max_staleness.
#include "common/app/audit.h"
#include "common/app/due.h"
#include "common/base/typeid.h"
#include "services/token/housekeeping.h"
#include "services/token/token_rpc.h"
#include "services/token/unused_store.h"

enum { GRACE_MS = 10 * 60 * 1000 };

enum { LIST_COMPANIES };

static const struct db_statement statements[] = {
    [LIST_COMPANIES] = {"unused_list_companies", "SELECT latchkey.token_unused_companies()"},
};

static enum status note(struct app_call *call, void *context) {
    (void)context;
    return unused_store_note(call);
}

// `context`: how many were ended.
static enum status end(struct app_call *call, void *context) {
    size_t *count = context;
    struct uuid *ids;
    enum status status = unused_store_end(call, GRACE_MS, &ids, count);
    for (size_t i = 0; i < *count && status == STATUS_OK; i++)
        status = audit_note_text(call, "token.deactivated", typeid_of(TYPEID_TOKEN, ids[i]).text,
                                 "{\"state\":\"TOKEN_STATE_ACTIVE\"}",
                                 "{\"state\":\"TOKEN_STATE_DEACTIVATED\","
                                 "\"deactivate_reason\":\"DEACTIVATE_REASON_UNUSED\"}");
    return status;
}

static enum status sweep_company(const struct due_work *work, const struct due_batch *batch, void *context) {
    (void)context;
    size_t count = DUE_BATCH_MAX;
    enum status status = due_run_change(work, batch->company_id, note, NULL);
    while (status == STATUS_OK && count == DUE_BATCH_MAX && !job_is_stopping(work->run))
        status = due_run_change(work, batch->company_id, end, &count);
    return status;
}

static enum status sweep(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = "sweeper"};
    struct due_list list;
    enum status status = due_read_list(&work, &statements[LIST_COMPANIES], NULL, &list);
    return status == STATUS_OK ? due_work_off(&work, &list, sweep_company, NULL) : status;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, sweep);
}

const struct app_job unused_token_job = {
    .name = "unused-tokens", .period_ms = &token_limits.housekeeping.period_ms, .run = run};
