// why named like a handler: what happens to a token is told to the audit log in the messages of the contract.
#include <inttypes.h>

#include "common/app/audit.h"
#include "common/app/due.h"
#include "common/base/buffer.h"
#include "common/base/typeid.h"
#include "services/token/reuse_job.h"
#include "services/token/reuse_store.h"
#include "services/token/token_rpc.h"

#define SYSTEM "rotation"

enum { BATCHES_MAX = 1000 }; // of one company in one round

static const int64_t forget_period_ms = 60 * 60 * 1000;

// Batch after batch for one company, as long as there is more and the process stays up. The change says
// whether there is more.
static enum status repeat(const struct due_work *work, const struct due_batch *company,
                          system_change change) {
    bool has_more = true;
    enum status status = STATUS_OK;
    for (int i = 0; i < BATCHES_MAX && status == STATUS_OK && has_more && !job_is_stopping(work->run); i++)
        status = due_run_change(work, company->company_id, change, &has_more);
    return status;
}

// ---- uses of spent secrets ----

static enum status deactivate(struct app_call *call, const struct reuse *reuse) {
    struct token_change change;
    Latchkey__V1__AccessToken *message;
    enum status status = token_store_deactivate(call, reuse->token_id, DEACTIVATE_REASON_POLICY,
                                                "a secret was used after the grace of its rotation", &change);
    if (status == STATUS_OK)
        status = token_rpc_tell_change(call, "token.deactivated", &change, &message);
    return status;
}

static enum status tell(struct app_call *call, const struct reuse *reuse, int action) {
    struct buffer json = {0};
    buffer_append_text(&json, "{\"hint\":");
    buffer_append_json(&json, bytes_of_text(reuse->hint));
    buffer_append_text(&json, ",\"client_ip\":");
    buffer_append_json(&json, bytes_of_text(reuse->address));
    buffer_append_text(&json, ",\"used_by\":");
    buffer_append_json(&json, bytes_of_text(reuse->asker));
    buffer_append_format(&json, ",\"used_at_ms\":%" PRId64 "}", reuse->at_ms);
    buffer_append_byte(&json, '\0');
    enum status status =
        json.failed ? fault_set_no_memory(call->fault)
                    : audit_note_text(call, "token.reused", typeid_of(TYPEID_TOKEN, reuse->token_id).text, "",
                                      (const char *)json.data);
    buffer_fini(&json);
    return status == STATUS_OK && action == REUSE_ACTION_DEACTIVATE ? deactivate(call, reuse) : status;
}

static enum status tell_batch(struct app_call *call, void *ret_has_more) {
    struct reuse_batch batch;
    enum status status = reuse_store_take(call, &batch);
    for (size_t i = 0; status == STATUS_OK && i < batch.count; i++)
        status = tell(call, &batch.reuses[i], batch.action);
    *(bool *)ret_has_more = status == STATUS_OK && batch.count == REUSE_BATCH_MAX;
    return status;
}

static enum status tell_company(const struct due_work *work, const struct due_batch *company, void *context) {
    (void)context;
    return repeat(work, company, tell_batch);
}

static enum status tell_all(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = SYSTEM};
    struct due_list companies;
    enum status status = reuse_store_list_untold(&work, &companies);
    return status == STATUS_OK ? due_work_off(&work, &companies, tell_company, NULL) : status;
}

static enum status run_reuse(struct job_run *run) {
    return job_run_with_database(run, tell_all);
}

// ---- secrets that were spent long ago ----

static enum status forget_batch(struct app_call *call, void *ret_has_more) {
    int64_t count = 0;
    enum status status = reuse_store_forget(call, token_limits.spent_secret_kept_ms, &count);
    *(bool *)ret_has_more = count > 0;
    return status;
}

static enum status forget_company(const struct due_work *work, const struct due_batch *company,
                                  void *context) {
    (void)context;
    return repeat(work, company, forget_batch);
}

static enum status forget_all(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = SYSTEM};
    struct due_list companies;
    enum status status = reuse_store_list_spent(&work, token_limits.spent_secret_kept_ms, &companies);
    return status == STATUS_OK ? due_work_off(&work, &companies, forget_company, NULL) : status;
}

static enum status run_forget(struct job_run *run) {
    return job_run_with_database(run, forget_all);
}

const struct app_job token_reuse_job = {
    .name = "token-reuse", .period_ms = &token_limits.reuse_period_ms, .run = run_reuse};
const struct app_job token_forget_job = {
    .name = "token-forget", .period_ms = &forget_period_ms, .run = run_forget};
