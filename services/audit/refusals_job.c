#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/system_call.h"
#include "common/base/time_text.h"
#include "services/audit/audit_jobs.h"

enum { TIMEOUT_S = 10, COMPANIES_MAX = 100, ROWS_MAX = 100 };

static const int64_t period_ms = 5000;

enum { LIST_COMPANIES, TAKE };

static const struct db_statement statements[] = {
    [LIST_COMPANIES] = {"audit_refusal_companies", "SELECT latchkey.audit_refusal_companies($1)"},
    [TAKE] = {"audit_refusal_take",
              "DELETE FROM latchkey.audit_refusal WHERE (company_id, minute, action, object_id, after) IN ("
              "SELECT company_id, minute, action, object_id, after FROM latchkey.audit_refusal"
              " WHERE company_id = $1 AND minute < date_trunc('minute', clock_timestamp())"
              " ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED)"
              " RETURNING minute, action, object_id, after, count"},
};

enum { MINUTE, ACTION, OBJECT_ID, AFTER, COUNT };

// What the refusals had in common, and when they were.
static const char *describe(const struct db_result *rows, int row, struct arena *arena) {
    char minute[TIME_TEXT_MAX + 1];
    time_text_format(db_result_get_time_ms(rows, row, MINUTE), minute);
    struct bytes after = db_result_get_text(rows, row, AFTER);
    if (after.len <= 2) // "" or "{}"
        return arena_format(arena, "{\"minute\":\"%s\"}", minute);
    return arena_format(arena, "{\"minute\":\"%s\",%.*s", minute, (int)after.len - 1, after.data + 1);
}

static enum status note(struct app_call *call, const struct db_result *rows, int row) {
    const char *action = db_result_copy_text(rows, row, ACTION, call->arena);
    const char *object_id = db_result_copy_text(rows, row, OBJECT_ID, call->arena);
    const char *after = describe(rows, row, call->arena);
    if (!action || !object_id || !after)
        return STATUS_NO_MEMORY;
    return audit_note_many(call, action, object_id, after, db_result_get_int64(rows, row, COUNT));
}

static enum status take(struct app_call *call, void *context) {
    (void)context;
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_int64(&params, ROWS_MAX);
    enum status status = db_query(call->transaction, &statements[TAKE], &params, &rows);
    if (status != STATUS_OK)
        return status;
    for (int row = 0; row < db_result_get_row_count(rows) && status == STATUS_OK; row++)
        status = note(call, rows, row);
    return status;
}

static enum status list_companies(struct job_run *run, struct db_connection *connection,
                                  struct uuid **ret_companies, int *ret_count) {
    struct db_params params;
    db_params_init(&params, run->arena);
    db_params_add_int32(&params, COMPANIES_MAX);
    struct db_begin_options options = {.arena = run->arena,
                                       .deadline_ns = clock_get_monotonic_ns(app_get_clock(run->app)) +
                                                      TIMEOUT_S * UINT64_C(1000000000)};
    struct db_command command = {&statements[LIST_COMPANIES], &params, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    if (status != STATUS_OK)
        return status;
    *ret_count = db_result_get_row_count(command.result);
    *ret_companies = ARENA_NEW_ARRAY(run->arena, struct uuid, (size_t)*ret_count);
    for (int i = 0; *ret_companies && i < *ret_count; i++)
        (*ret_companies)[i] = db_result_get_uuid(command.result, i, 0);
    return *ret_companies ? STATUS_OK : STATUS_NO_MEMORY;
}

// One company's failure keeps nobody else's refusals.
static enum status take_all(struct job_run *run, struct db_connection *connection) {
    struct uuid *companies;
    int count;
    enum status status = list_companies(run, connection, &companies, &count), failure = STATUS_OK;
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < count && !job_is_stopping(run); i++) {
        struct system_call_options options = {.app = run->app,
                                              .connection = connection,
                                              .arena = run->arena,
                                              .system = "audit",
                                              .company_id = companies[i]};
        if ((status = system_call_run(&options, take, NULL)) != STATUS_OK)
            failure = status;
    }
    if (failure == STATUS_OK && count == COMPANIES_MAX)
        run->next_in_ms = 0;
    return failure;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, take_all);
}

const struct app_job audit_refusals_job = {.name = "audit_refusals", .period_ms = &period_ms, .run = run};
