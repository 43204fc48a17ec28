#include "services/token/reuse_store.h"

enum { FORGET_ROWS = 1000 };

enum { LIST_UNTOLD, LIST_SPENT, ACTION, TAKE, FORGET };

static const struct db_statement statements[] = {
    [LIST_UNTOLD] = {"reuse_list_untold", "SELECT latchkey.token_reuse_due()"},
    [LIST_SPENT] = {"reuse_list_spent", "SELECT latchkey.token_secret_due($1::bigint * interval '1 ms')"},
    [ACTION] = {"reuse_action", "SELECT reuse_action FROM latchkey.company WHERE company_id = $1"},
    [TAKE] =
        {"reuse_take",
         "UPDATE latchkey.token_reuse r SET told_at = greatest($2, r.last_used_at)"
         " FROM latchkey.token_secret s WHERE s.digest = r.digest AND r.company_id = $1 AND r.digest IN ("
         "SELECT due.digest FROM latchkey.token_reuse due WHERE due.company_id = $1"
         " AND (due.told_at IS NULL OR due.told_at < due.last_used_at)"
         " AND coalesce(due.told_at < $2::timestamptz - interval '1 hour', true)"
         " ORDER BY due.digest LIMIT $3 FOR UPDATE SKIP LOCKED)"
         " RETURNING r.token_id, s.hint, r.last_used_at, coalesce(host(r.last_used_ip), ''),"
         " r.last_used_by"},
    [FORGET] = {"reuse_forget", "SELECT latchkey.token_secret_prune($1, $2::bigint * interval '1 ms', $3)"},
};

enum status reuse_store_list_untold(const struct due_work *work, struct due_list *ret_list) {
    return due_read_list(work, &statements[LIST_UNTOLD], NULL, ret_list);
}

enum status reuse_store_list_spent(const struct due_work *work, int64_t kept_ms, struct due_list *ret_list) {
    struct db_params params;
    db_params_init(&params, work->run->arena);
    db_params_add_int64(&params, kept_ms);
    return due_read_list(work, &statements[LIST_SPENT], &params, ret_list);
}

static bool read_reuse(const struct db_result *rows, int row, struct arena *arena, struct reuse *ret_reuse) {
    *ret_reuse = (struct reuse){.token_id = db_result_get_uuid(rows, row, 0),
                                .hint = db_result_copy_text(rows, row, 1, arena),
                                .at_ms = db_result_get_time_ms(rows, row, 2),
                                .address = db_result_copy_text(rows, row, 3, arena),
                                .asker = db_result_copy_text(rows, row, 4, arena)};
    return ret_reuse->hint && ret_reuse->address && ret_reuse->asker;
}

enum status reuse_store_take(struct app_call *call, struct reuse_batch *ret_batch) {
    struct db_params company, take;
    db_params_init(&company, call->arena);
    db_params_add_uuid(&company, call->company_id);
    db_params_init(&take, call->arena);
    db_params_add_uuid(&take, call->company_id);
    db_params_add_time_ms(&take, call->now_ms);
    db_params_add_int64(&take, REUSE_BATCH_MAX);
    struct db_command commands[] = {{&statements[ACTION], &company, NULL}, {&statements[TAKE], &take, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    const struct db_result *rows = commands[1].result;
    struct reuse_batch batch = {.action = db_result_get_int16(commands[0].result, 0, 0),
                                .count = (size_t)db_result_get_row_count(rows)};
    batch.reuses = ARENA_NEW_ARRAY(call->arena, struct reuse, batch.count);
    if (!batch.reuses)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < batch.count; i++)
        if (!read_reuse(rows, (int)i, call->arena, &batch.reuses[i]))
            return fault_set_no_memory(call->fault);
    *ret_batch = batch;
    return STATUS_OK;
}

enum status reuse_store_forget(struct app_call *call, int64_t kept_ms, int64_t *ret_count) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_int64(&params, kept_ms);
    db_params_add_int32(&params, FORGET_ROWS);
    enum status status = db_query(call->transaction, &statements[FORGET], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_count = db_result_get_int64(row, 0, 0);
    return STATUS_OK;
}
