#include "services/whitelist/whitelist_sweep_store.h"

#include "services/whitelist/whitelist_row.h"

enum { LIST_OVERDUE, LIST_FORSAKEN, LIST_REPLACED, LOCK, DELETE, FORGET };

static const struct db_statement statements[] = {
    [LIST_OVERDUE] = {"whitelist_list_overdue", "SELECT latchkey.whitelist_overdue($1)"},
    [LIST_FORSAKEN] = {"whitelist_list_forsaken",
                       "SELECT company_id, ARRAY[list_id] FROM latchkey.whitelist_forsaken("
                       "now() - make_interval(secs => $2::bigint / 1000.0), $1)"},
    [LIST_REPLACED] = {"whitelist_list_replaced",
                       "SELECT company_id, ARRAY[list_id] FROM latchkey.whitelist_replaced($1)"},
    // The state alone says enough; the pointer is looked at all the same.
    [LOCK] = {"whitelist_lock_replaced",
              "SELECT l.list_id, " WHITELIST_PLAN_AFRESH " FROM latchkey.whitelist_list l"
              " WHERE l.company_id = $1 AND l.list_id = $2"
              " AND l.state = 'replaced' AND NOT EXISTS (SELECT FROM latchkey.whitelist w"
              " WHERE w.company_id = $1 AND l.list_id IN (w.live_list_id, w.previous_list_id))"
              " FOR UPDATE SKIP LOCKED"},
    // A run of the primary key.
    [DELETE] =
        {"whitelist_delete_replaced",
         "WITH gone AS (DELETE FROM latchkey.whitelist_entry e WHERE e.list_id = $2 AND e.entry_id > $3"
         " AND e.entry_id <= coalesce((SELECT last.entry_id FROM latchkey.whitelist_entry last"
         " WHERE last.list_id = $2 AND last.entry_id > $3 ORDER BY last.entry_id"
         " OFFSET " WHITELIST_TEXT(
             WHITELIST_SWEEP_ROWS) " - 1 LIMIT 1), 'ffffffff-ffff-ffff-ffff-ffffffffffff')"
                                   " RETURNING e.entry_id, e.list_id)" WHITELIST_FORGET_GONE
                                   " SELECT count(*), (SELECT entry_id FROM gone ORDER BY entry_id DESC LIMIT 1) FROM gone"},
    [FORGET] = {"whitelist_forget_replaced",
                "DELETE FROM latchkey.whitelist_list l WHERE l.company_id = $1 AND l.list_id = $2"
                " AND l.state = 'replaced' AND l.entry_count = 0"},
};

// ---- what is to be done ----

static void init_params(struct db_params *params, const struct due_work *work) {
    db_params_init(params, work->run->arena);
    db_params_add_int32(params, WHITELIST_DUE_MAX);
}

enum status whitelist_store_list_overdue(const struct due_work *work, struct due_list *ret_list) {
    struct db_params params;
    init_params(&params, work);
    return due_read_list(work, &statements[LIST_OVERDUE], &params, ret_list);
}

enum status whitelist_store_list_forsaken(const struct due_work *work, int64_t lifetime_ms,
                                          struct due_list *ret_list) {
    struct db_params params;
    init_params(&params, work);
    db_params_add_int64(&params, lifetime_ms);
    return due_read_list(work, &statements[LIST_FORSAKEN], &params, ret_list);
}

enum status whitelist_store_list_replaced(const struct due_work *work, struct due_list *ret_list) {
    struct db_params params;
    init_params(&params, work);
    return due_read_list(work, &statements[LIST_REPLACED], &params, ret_list);
}

// ---- removing ----

enum status whitelist_store_sweep(struct app_call *call, struct uuid list_id, struct uuid *after,
                                  size_t *ret_removed) {
    struct db_params list, delete;
    const struct db_result *locked;
    db_params_init(&list, call->arena);
    db_params_add_uuid(&list, call->company_id);
    db_params_add_uuid(&list, list_id);
    *ret_removed = 0;
    enum status status = db_query(call->transaction, &statements[LOCK], &list, &locked);
    if (status != STATUS_OK || db_result_get_row_count(locked) == 0)
        return status;

    delete = list;
    db_params_add_uuid(&delete, *after);
    struct db_command commands[] = {{&statements[DELETE], &delete, NULL}, {&statements[FORGET], &list, NULL}};
    status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return status;
    *ret_removed = (size_t)db_result_get_int64(commands[0].result, 0, 0);
    if (*ret_removed > 0)
        *after = db_result_get_uuid(commands[0].result, 0, 1);
    return STATUS_OK;
}
