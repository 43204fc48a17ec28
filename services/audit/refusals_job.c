#include "common/app/audit.h"
#include "common/app/due.h"
#include "common/base/time_text.h"
#include "services/audit/audit_jobs.h"

enum { COMPANIES_MAX = 100, ROWS_MAX = 100 };

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

static enum status list_companies(const struct due_work *work, struct due_list *ret_list) {
    struct db_params params;
    db_params_init(&params, work->run->arena);
    db_params_add_int32(&params, COMPANIES_MAX);
    return due_read_list(work, &statements[LIST_COMPANIES], &params, ret_list);
}

static enum status take_from_company(const struct due_work *work, const struct due_batch *company,
                                     void *context) {
    (void)context;
    return due_run_change(work, company->company_id, take, NULL);
}

static enum status take_all(struct job_run *run, struct db_connection *connection) {
    struct due_work work = {.run = run, .connection = connection, .system = "audit"};
    struct due_list companies;
    enum status status = list_companies(&work, &companies);
    if (status == STATUS_OK)
        status = due_work_off(&work, &companies, take_from_company, NULL);
    if (status == STATUS_OK && companies.count == COMPANIES_MAX)
        run->next_in_ms = 0;
    return status;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, take_all);
}

const struct app_job audit_refusals_job = {.name = "audit_refusals", .period_ms = &period_ms, .run = run};
