#include "services/token/caller_store.h"

enum { COMPANY_NAME, LIST_PERMISSIONS };

static const struct db_statement statements[] = {
    [COMPANY_NAME] = {"caller_company_name", "SELECT c.name FROM latchkey.company c WHERE c.company_id = $1"},
    [LIST_PERMISSIONS] = {"caller_list_permissions",
                          "SELECT p.name, p.description FROM latchkey.permission p WHERE p.name > $1"
                          " ORDER BY p.name LIMIT $2"},
};

enum status caller_store_get_company_name(struct app_call *call, const char **ret_name) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    enum status status = db_query(call->transaction, &statements[COMPANY_NAME], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    const char *name = db_result_copy_text(rows, 0, 0, call->arena);
    if (!name)
        return fault_set_no_memory(call->fault);
    *ret_name = name;
    return STATUS_OK;
}

enum status caller_store_list_permissions(struct app_call *call, struct bytes after, int32_t limit,
                                          struct permission_list *ret_list) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_text(&params, after);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    enum status status = db_query(call->transaction, &statements[LIST_PERMISSIONS], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    int row_count = db_result_get_row_count(rows);
    struct permission_list list = {.count = (size_t)(row_count < limit ? row_count : limit),
                                   .has_more = row_count > limit};
    list.rows = ARENA_NEW_ARRAY(call->arena, struct permission_row, list.count);
    if (!list.rows)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++) {
        list.rows[i].name = db_result_copy_text(rows, (int)i, 0, call->arena);
        list.rows[i].description = db_result_copy_text(rows, (int)i, 1, call->arena);
        if (!list.rows[i].name || !list.rows[i].description)
            return fault_set_no_memory(call->fault);
    }
    *ret_list = list;
    return STATUS_OK;
}
