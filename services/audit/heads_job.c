#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/app/app.h"
#include "common/app/audit_head_text.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/typeid.h"
#include "services/audit/audit_jobs.h"
#include "services/audit/head_file.h"

enum { LIST_MOVED };

static const struct db_statement statements[] = {
    [LIST_MOVED] = {"audit_heads_moved",
                    "SELECT company_id, number, hash, next_since FROM latchkey.audit_heads_moved($1)"},
};

struct audit_settings audit_settings;

// Where the last round that succeeded ended; 0 = none has yet. The job's thread alone.
static int64_t since;

static enum status list_moved(struct job_run *run, struct db_connection *connection,
                              const struct db_result **ret_rows) {
    struct db_params params;
    db_params_init(&params, run->arena);
    db_params_add_int64(&params, since);
    struct db_command command = {&statements[LIST_MOVED], &params, NULL};
    enum status status = job_execute(run, connection, &command, 1);
    if (status == STATUS_OK)
        *ret_rows = command.result;
    return status;
}

static struct audit_head_line read_line(const struct db_result *rows, int row, int64_t at_ms) {
    struct audit_head_line line = {.at_ms = at_ms,
                                   .company_id = db_result_get_uuid(rows, row, 0),
                                   .number = db_result_get_int64(rows, row, 1)};
    struct bytes hash = db_result_get_bytes(rows, row, 2);
    assert(hash.len == DIGEST_LENGTH); // a check of the schema's
    memcpy(line.hash.bytes, hash.data, DIGEST_LENGTH);
    return line;
}

static void log_line(const struct audit_head_line *line) {
    char hash[2 * DIGEST_LENGTH + 1];
    hex_format(bytes_of(line->hash.bytes, DIGEST_LENGTH), hash);
    log_event(LOG_LEVEL_INFO, "audit head",
              LOG_TEXT("company", typeid_of(TYPEID_COMPANY, line->company_id).text),
              LOG_INTEGER("number", line->number), LOG_TEXT("hash", hash));
}

static enum status write_file(const struct buffer *lines) {
    if (!audit_settings.head_file || lines->len == 0)
        return STATUS_OK;
    enum status status = head_file_append(audit_settings.head_file, buffer_get_bytes(lines));
    if (status != STATUS_OK)
        log_event(LOG_LEVEL_ERROR, "the heads of the audit log could not be kept",
                  LOG_TEXT("file", audit_settings.head_file), LOG_TEXT("reason", strerror(errno)));
    return status;
}

// The first round of a process finds the heads of all companies: they go to the file alone.
static enum status write_heads(const struct db_result *rows, int64_t at_ms) {
    struct buffer lines = {0};
    int count = db_result_get_row_count(rows);
    for (int row = 0; row < count; row++) {
        struct audit_head_line line = read_line(rows, row, at_ms);
        audit_head_text_append(&lines, &line);
        if (since != 0)
            log_line(&line);
    }
    enum status status = lines.failed ? STATUS_NO_MEMORY : write_file(&lines);
    if (status == STATUS_OK && count > 0)
        since = db_result_get_int64(rows, 0, 3);
    buffer_fini(&lines);
    return status;
}

static enum status export_heads(struct job_run *run, struct db_connection *connection) {
    const struct db_result *rows;
    enum status status = list_moved(run, connection, &rows);
    if (status == STATUS_OK)
        status = write_heads(rows, clock_get_realtime_ms(app_get_clock(run->app)));
    return status;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, export_heads);
}

const struct app_job audit_heads_job = {
    .name = "audit_heads", .period_ms = &audit_settings.head_interval_ms, .run = run};
