#include "common/app/mail_queue.h"

#include "common/app/app.h"

enum { TIMEOUT_S = 10, PRUNE_ROWS = 1000 };

enum { TAKE, SETTLE, SURVEY, PRUNE };

static const struct db_statement statements[] = {
    [TAKE] = {"mail_take",
              "SELECT mail_id, company_id, kind, object_id, recipient, detail, attempts, created_at"
              " FROM latchkey.mail_take($1, $2)"},
    [SETTLE] = {"mail_settle", "UPDATE latchkey.mail_outbox SET state = $3::\"char\", outcome = $4,"
                               " next_at = clock_timestamp() + $5 * interval '1 millisecond',"
                               " ended_at = CASE WHEN $3::\"char\" <> 'q' THEN clock_timestamp() END"
                               " WHERE mail_id = $1 AND attempts = $2 AND state = 'q'"},
    [SURVEY] = {"mail_survey", "SELECT queued, oldest_ms FROM latchkey.mail_survey()"},
    [PRUNE] = {"mail_prune", "SELECT latchkey.mail_prune($1)"},
};

// Columns of TAKE.
enum { MAIL_ID, COMPANY_ID, KIND, OBJECT_ID, RECIPIENT, DETAIL, ATTEMPTS, CREATED_AT };

static struct db_begin_options get_options(const struct job_run *run, struct arena *arena) {
    uint64_t now_ns = clock_get_monotonic_ns(app_get_clock(run->app));
    return (struct db_begin_options){.arena = arena,
                                     .deadline_ns = now_ns + TIMEOUT_S * UINT64_C(1000000000)};
}

static enum status read_mail(const struct db_result *row, struct arena *arena,
                             struct outbox_mail **ret_mail) {
    *ret_mail = NULL;
    if (db_result_get_row_count(row) == 0)
        return STATUS_OK;
    struct outbox_mail *mail = ARENA_NEW(arena, struct outbox_mail);
    if (!mail)
        return STATUS_NO_MEMORY;
    *mail = (struct outbox_mail){
        .mail_id = db_result_get_uuid(row, 0, MAIL_ID),
        .company_id = db_result_get_uuid(row, 0, COMPANY_ID),
        .kind = db_result_copy_text(row, 0, KIND, arena),
        .object_id = db_result_get_uuid(row, 0, OBJECT_ID),
        .recipient = db_result_copy_text(row, 0, RECIPIENT, arena),
        .detail = db_result_copy_text(row, 0, DETAIL, arena),
        .attempt = db_result_get_int32(row, 0, ATTEMPTS),
        .created_at_ms = db_result_get_time_ms(row, 0, CREATED_AT),
    };
    if (!mail->kind || !mail->recipient || !mail->detail)
        return STATUS_NO_MEMORY;
    *ret_mail = mail;
    return STATUS_OK;
}

enum status mail_queue_take(const struct job_run *run, const struct bytes *kinds, size_t kind_count,
                            int64_t lease_ms, struct arena *arena, struct outbox_mail **ret_mail) {
    struct db_connection *connection;
    struct db_params params;
    db_params_init(&params, arena);
    db_params_add_text_array(&params, kinds, kind_count);
    db_params_add_int64(&params, lease_ms);
    struct db_command command = {&statements[TAKE], &params, NULL};
    struct db_begin_options options = get_options(run, arena);
    enum status status = job_lease_database(run, &connection);
    if (status != STATUS_OK)
        return status;
    status = db_execute(connection, &options, &command, 1);
    if (status == STATUS_OK)
        status = read_mail(command.result, arena, ret_mail);
    db_pool_return(app_get_database(run->app), connection);
    return status;
}

enum status mail_queue_settle(const struct job_run *run, const struct outbox_mail *mail,
                              const struct mail_settlement *settlement, struct arena *arena) {
    struct db_connection *connection;
    struct db_params params;
    db_params_init(&params, arena);
    db_params_add_uuid(&params, mail->mail_id);
    db_params_add_int32(&params, mail->attempt);
    db_params_add_char(&params, (char)settlement->state);
    db_params_add_text(&params, bytes_of_text(settlement->words));
    db_params_add_int64(&params, settlement->next_in_ms);
    struct db_command command = {&statements[SETTLE], &params, NULL};
    struct db_begin_options options = get_options(run, arena);
    options.company = mail->company_id;
    enum status status = job_lease_database(run, &connection);
    if (status != STATUS_OK)
        return status;
    status = db_execute(connection, &options, &command, 1);
    db_pool_return(app_get_database(run->app), connection);
    return status;
}

enum status mail_queue_survey(const struct job_run *run, struct mail_backlog *ret_backlog) {
    struct db_connection *connection;
    struct db_params params;
    db_params_init(&params, run->arena);
    db_params_add_int32(&params, PRUNE_ROWS);
    struct db_command commands[] = {{&statements[SURVEY], NULL, NULL}, {&statements[PRUNE], &params, NULL}};
    struct db_begin_options options = get_options(run, run->arena);
    enum status status = job_lease_database(run, &connection);
    if (status != STATUS_OK)
        return status;
    status = db_execute(connection, &options, commands, ARRAY_LENGTH(commands));
    if (status == STATUS_OK)
        *ret_backlog = (struct mail_backlog){.count = db_result_get_int64(commands[0].result, 0, 0),
                                             .oldest_ms = db_result_get_int64(commands[0].result, 0, 1)};
    db_pool_return(app_get_database(run->app), connection);
    return status;
}
