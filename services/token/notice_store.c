#include "services/token/notice_store.h"

#include "common/base/clock.h"
#include "common/db/transaction.h"
#include "services/token/token_row.h"

enum { BEGIN, LIST_DUE, END, CLAIM, READ };

static const struct db_statement statements[] = {
    [BEGIN] = {"notice_begin", "SELECT since, until FROM latchkey.token_notice_begin($1)"},
    [LIST_DUE] = {"notice_list_due",
                  DUE_BATCHES("SELECT * FROM latchkey.token_notices_due($1 * interval '1 ms',"
                              " $2 * interval '1 ms', $3, $4, $5)")},
    [END] = {"notice_end", "SELECT latchkey.token_notice_end($1, $2)"},
    // $1 = company, $2 = now, $3 = tokens, $4 = before_ms. Whoever comes second finds the marks of the first.
    [CLAIM] = {"notice_claim",
               "WITH due AS (SELECT t.token_id, t.member_id, t.expires_at FROM latchkey.token t"
               " WHERE t.company_id = $1 AND t.token_id = ANY ($3) AND t.kind = 'a'"
               " AND t.deactivated_at IS NULL AND t.expires_at > $2),"
               " notice AS MATERIALIZED (SELECT due.member_id, gen_random_uuid() AS notice_id"
               " FROM due GROUP BY due.member_id),"
               " claimed AS (INSERT INTO latchkey.token_notice"
               " (token_id, before_ms, expires_at, company_id, notice_id)"
               " SELECT due.token_id, $4, due.expires_at, $1, notice.notice_id"
               " FROM due JOIN notice ON notice.member_id IS NOT DISTINCT FROM due.member_id"
               " ORDER BY due.token_id ON CONFLICT DO NOTHING RETURNING notice_id)"
               " SELECT notice.notice_id, m.email FROM notice JOIN latchkey.member m"
               " ON m.company_id = $1 AND m.removed_at IS NULL AND (m.member_id = notice.member_id"
               " OR (notice.member_id IS NULL AND EXISTS (SELECT FROM latchkey.member_role mr"
               " JOIN latchkey.role r ON r.role_id = mr.role_id"
               " WHERE mr.member_id = m.member_id AND r.builtin = 'administrator')))"
               " WHERE notice.notice_id IN (SELECT claimed.notice_id FROM claimed)"
               " ORDER BY notice.notice_id, m.member_id"},
    [READ] = {"notice_read",
              "SELECT c.name, t.token_id, t.label, t.expires_at, (SELECT max(u.last_used_at)"
              " FROM latchkey.token_use u WHERE u.token_id = t.token_id), count(*) OVER ()"
              " FROM latchkey.token_notice n JOIN latchkey.company c ON c.company_id = n.company_id"
              " JOIN latchkey.token t ON t.token_id = n.token_id AND t.expires_at = n.expires_at"
              " WHERE n.company_id = $1 AND n.notice_id = $3 AND t.deactivated_at IS NULL"
              " AND t.expires_at > $2 AND EXISTS (SELECT FROM latchkey.member m WHERE m.company_id = $1"
              " AND lower(m.email) = lower($4) AND m.removed_at IS NULL)"
              " ORDER BY t.expires_at, t.token_id LIMIT $5"},
};

enum status notice_store_begin(const struct due_work *work, const struct notice_kind *kind,
                               struct notice_span *ret_span) {
    struct db_params params;
    db_params_init(&params, work->run->arena);
    db_params_add_int64(&params, kind->before_ms);
    struct db_command command = {&statements[BEGIN], &params, NULL};
    enum status status = job_execute(work->run, work->connection, &command, 1);
    if (status == STATUS_OK)
        *ret_span = (struct notice_span){db_result_get_time_ms(command.result, 0, 0),
                                         db_result_get_time_ms(command.result, 0, 1)};
    return status;
}

enum status notice_store_list_due(const struct due_work *work, const struct notice_kind *kind,
                                  const struct notice_span *span, int32_t max, struct due_list *ret_list) {
    struct db_params params;
    db_params_init(&params, work->run->arena);
    db_params_add_int64(&params, kind->before_ms);
    db_params_add_int64(&params, kind->later_ms);
    db_params_add_time_ms(&params, span->since_ms);
    db_params_add_time_ms(&params, span->until_ms);
    db_params_add_int32(&params, max);
    return due_read_list(work, &statements[LIST_DUE], &params, ret_list);
}

enum status notice_store_end(const struct due_work *work, const struct notice_kind *kind,
                             const struct notice_span *span) {
    struct db_params params;
    db_params_init(&params, work->run->arena);
    db_params_add_int64(&params, kind->before_ms);
    db_params_add_time_ms(&params, span->until_ms);
    struct db_command command = {&statements[END], &params, NULL};
    return job_execute(work->run, work->connection, &command, 1);
}

enum status notice_store_claim(struct app_call *call, const struct due_batch *batch, int64_t before_ms,
                               struct notice_letter **ret_letters, size_t *ret_count) {
    struct db_params params;
    const struct db_result *rows;
    token_params_init(&params, call);
    db_params_add_uuid_array(&params, batch->ids, batch->count);
    db_params_add_int64(&params, before_ms);
    enum status status = db_query(call->transaction, &statements[CLAIM], &params, &rows);
    if (status != STATUS_OK)
        return status;
    size_t count = (size_t)db_result_get_row_count(rows);
    struct notice_letter *letters = ARENA_NEW_ARRAY(call->arena, struct notice_letter, count);
    if (!letters)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        letters[i].notice_id = db_result_get_uuid(rows, (int)i, 0);
        letters[i].recipient = db_result_copy_text(rows, (int)i, 1, call->arena);
        if (!letters[i].recipient)
            return STATUS_NO_MEMORY;
    }
    *ret_letters = letters;
    *ret_count = count;
    return STATUS_OK;
}

static bool read_token(const struct db_result *rows, int row, struct arena *arena,
                       struct notice_token *ret_token) {
    *ret_token = (struct notice_token){
        .token_id = db_result_get_uuid(rows, row, 1),
        .label = db_result_copy_text(rows, row, 2, arena),
        .expires_at_ms = db_result_get_time_ms(rows, row, 3),
        .last_used_at_ms = db_result_get_time_ms_or(rows, row, 4, CLOCK_ALWAYS_MS),
    };
    return ret_token->label != NULL;
}

enum status notice_store_read(struct app_call *call, struct uuid notice_id, const char *recipient,
                              struct notice *ret_notice) {
    struct db_params params;
    const struct db_result *rows;
    token_params_init(&params, call);
    db_params_add_uuid(&params, notice_id);
    db_params_add_text(&params, bytes_of_text(recipient));
    db_params_add_int64(&params, NOTICE_TOKENS_MAX);
    enum status status = db_query(call->transaction, &statements[READ], &params, &rows);
    *ret_notice = (struct notice){0};
    if (status != STATUS_OK || db_result_get_row_count(rows) == 0)
        return status;
    ret_notice->company = db_result_copy_text(rows, 0, 0, call->arena);
    ret_notice->token_count = (size_t)db_result_get_row_count(rows);
    ret_notice->total = db_result_get_int64(rows, 0, 5);
    ret_notice->tokens = ARENA_NEW_ARRAY(call->arena, struct notice_token, ret_notice->token_count);
    if (!ret_notice->company || !ret_notice->tokens)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < ret_notice->token_count; i++)
        if (!read_token(rows, (int)i, call->arena, &ret_notice->tokens[i]))
            return STATUS_NO_MEMORY;
    return STATUS_OK;
}
