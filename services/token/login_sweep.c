// The sweeper of log-ins: first their secrets go, so that validators hold no more of them than are good or
// were a day ago; the log-ins themselves and the refusals stay listed for a while.
#include "common/app/due.h"
#include "services/token/housekeeping.h"
#include "services/token/token_rpc.h"

enum { ROWS_MAX = 5000 }; // of one look

// $1 = how long they are kept, $2 = rows at most; and $1 = ids, $2 = how long.
struct sweep {
    struct db_statement due, prune;
    const int64_t *kept_ms;
};

static const struct sweep sweeps[] = {
    {{"sweep_login_secrets_due",
      DUE_BATCHES("SELECT * FROM latchkey.login_secrets_due($1 * interval '1 ms', $2)")},
     {"sweep_login_secrets",
      "WITH old AS (SELECT s.digest FROM latchkey.token_secret s JOIN latchkey.token t"
      " ON t.token_id = s.token_id AND t.kind = 'l' WHERE s.token_id = ANY ($1)"
      " AND s.expires_at < now() - $2 * interval '1 ms' FOR UPDATE OF s SKIP LOCKED),"
      " gone AS (DELETE FROM latchkey.token_secret s USING old WHERE s.digest = old.digest RETURNING 1)"
      " SELECT count(*) FROM gone"},
     &token_limits.housekeeping.login_secret_kept_ms},
    {{"sweep_logins_due", DUE_BATCHES("SELECT * FROM latchkey.login_tokens_due($1 * interval '1 ms', $2)")},
     {"sweep_logins", "SELECT latchkey.login_tokens_prune($1, $2 * interval '1 ms')"},
     &token_limits.housekeeping.login_kept_ms},
    {{"sweep_login_refusals_due",
      DUE_BATCHES("SELECT * FROM latchkey.login_refusals_due($1 * interval '1 ms', $2)")},
     {"sweep_login_refusals",
      "WITH gone AS (DELETE FROM latchkey.login_refusal r WHERE r.refusal_id = ANY ($1)"
      " AND r.refused_at < now() - $2 * interval '1 ms' RETURNING 1) SELECT count(*) FROM gone"},
     &token_limits.housekeeping.login_kept_ms},
};

struct pruning {
    const struct sweep *sweep;
    const struct due_batch *batch;
    int64_t batch_gone, gone; // of the batch, and of all that have been committed
};

static enum status prune(struct app_call *call, void *context) {
    struct pruning *pruning = context;
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_uuid_array(&params, pruning->batch->ids, pruning->batch->count);
    db_params_add_int64(&params, *pruning->sweep->kept_ms);
    enum status status = db_query(call->transaction, &pruning->sweep->prune, &params, &row);
    if (status == STATUS_OK)
        pruning->batch_gone = db_result_get_int64(row, 0, 0);
    return status;
}

static enum status prune_batch(const struct due_work *work, const struct due_batch *batch, void *context) {
    struct pruning *pruning = context;
    pruning->batch = batch;
    enum status status = due_run_change(work, batch->company_id, prune, pruning);
    if (status == STATUS_OK)
        pruning->gone += pruning->batch_gone;
    return status;
}

// `*ret_is_done`: nothing more is due, others do it, or it can't be done.
static enum status look(const struct due_work *work, const struct sweep *sweep, bool *ret_is_done) {
    struct pruning pruning = {.sweep = sweep};
    struct due_list list;
    struct db_params params;
    arena_reset(work->run->arena);
    db_params_init(&params, work->run->arena);
    db_params_add_int64(&params, *sweep->kept_ms);
    db_params_add_int32(&params, ROWS_MAX);
    enum status status = due_read_list(work, &sweep->due, &params, &list);
    if (status == STATUS_OK)
        status = due_work_off(work, &list, prune_batch, &pruning);
    *ret_is_done = pruning.gone == 0 || list.id_count < ROWS_MAX;
    return status;
}

static enum status sweep_all(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = "sweeper"};
    enum status status, failure = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(sweeps); i++)
        for (bool is_done = false; !is_done && !job_is_stopping(run);)
            if ((status = look(&work, &sweeps[i], &is_done)) != STATUS_OK)
                failure = status;
    return failure;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, sweep_all);
}

const struct app_job login_sweep_job = {
    .name = "login-sweeper", .period_ms = &token_limits.housekeeping.period_ms, .run = run};
