#include "common/app/system_call.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/log.h"
#include "common/base/typeid.h"

enum { TIMEOUT_S = 30, ATTEMPTS_MAX = 5 };

enum { READ_TIME };

static const struct db_statement statements[] = {
    [READ_TIME] = {"system_call_read_time", "SELECT clock_timestamp()"},
};

static enum status read_time(struct app_call *call) {
    const struct db_result *row;
    enum status status = db_query(call->transaction, &statements[READ_TIME], NULL, &row);
    if (status == STATUS_OK)
        call->now_ms = db_result_get_time_ms(row, 0, 0);
    return status;
}

static enum status attempt(const struct system_call_options *options, struct app_call *call,
                           system_change change, void *context) {
    struct db_begin_options begin = {.arena = options->arena,
                                     .deadline_ns = call->deadline_ns,
                                     .access = DB_READ_WRITE,
                                     .company = options->company_id};
    call->notes = NULL;
    enum status status = db_begin(options->connection, &begin, &call->transaction);
    if (status != STATUS_OK)
        return status;
    app_call_enter_company(call, options->company_id);
    status = read_time(call);
    if (status == STATUS_OK)
        status = change(call, context);
    if (status == STATUS_OK)
        status = audit_flush(call);
    if (status != STATUS_OK) {
        db_rollback(call->transaction);
        return status;
    }
    const struct db_revision *revisions;
    size_t count;
    status = db_commit_with_revisions(call->transaction, &revisions, &count);
    if (status == STATUS_OK && count > 0)
        app_wake_validators(options->app);
    return status;
}

enum status system_call_run(const struct system_call_options *options, system_change change, void *context) {
    struct fault fault;
    struct app_call call = {.app = options->app,
                            .arena = options->arena,
                            .fault = &fault,
                            .system = options->system,
                            .timer_ns = clock_get_monotonic_ns(app_get_clock(options->app))};
    call.deadline_ns = call.timer_ns + TIMEOUT_S * UINT64_C(1000000000);
    enum status status = STATUS_ABORTED;
    for (int i = 0; i < ATTEMPTS_MAX && status == STATUS_ABORTED; i++) {
        fault_init(&fault, options->arena);
        status = attempt(options, &call, change, context);
    }
    if (status != STATUS_OK)
        log_event(LOG_LEVEL_WARNING, "a change of the system's failed", LOG_TEXT("system", options->system),
                  LOG_TEXT("company", typeid_of(TYPEID_COMPANY, options->company_id).text),
                  LOG_TEXT("status", status_get_name(status)), LOG_TEXT("reason", fault.reason));
    return status;
}
