#include "services/token/permission_store.h"

enum { FIND_USES, LIST, REPLACE };

static const struct db_statement statements[] = {
    [FIND_USES] = {"permission_find_uses", "SELECT permission, token_id, role_id, name"
                                           " FROM latchkey.permission_uses($1, $2)"
                                           " ORDER BY permission, role_id, token_id"},
    [LIST] = {"permission_list_own", "SELECT p.name, p.description FROM latchkey.permission p"
                                     " WHERE NOT p.fixed ORDER BY p.name"},
    [REPLACE] = {"permission_replace", "SELECT latchkey.permission_replace($1, $2)"},
};

static struct bytes copy(const struct db_result *rows, int row, int column, struct arena *arena) {
    return bytes_of_text(db_result_copy_text(rows, row, column, arena));
}

static bool read_entries(const struct db_result *rows, struct arena *arena,
                         struct permission_entry **ret_entries, size_t *ret_count) {
    size_t count = (size_t)db_result_get_row_count(rows);
    struct permission_entry *entries = ARENA_NEW_ARRAY(arena, struct permission_entry, count);
    for (size_t i = 0; entries && i < count; i++) {
        entries[i].name = copy(rows, (int)i, 0, arena);
        entries[i].description = copy(rows, (int)i, 1, arena);
        if (!entries[i].name.data || !entries[i].description.data)
            return false;
    }
    *ret_entries = entries;
    *ret_count = count;
    return entries != NULL;
}

static bool read_uses(const struct db_result *rows, struct arena *arena,
                      struct permission_replacement *replacement) {
    size_t count = (size_t)db_result_get_row_count(rows);
    struct permission_use *uses = ARENA_NEW_ARRAY(arena, struct permission_use, count);
    for (size_t i = 0; uses && i < count; i++) {
        uses[i].permission = copy(rows, (int)i, 0, arena);
        uses[i].token_id = db_result_get_uuid_or_zero(rows, (int)i, 1);
        uses[i].role_id = db_result_get_uuid_or_zero(rows, (int)i, 2);
        uses[i].name = db_result_copy_text(rows, (int)i, 3, arena);
        if (!uses[i].permission.data || !uses[i].name)
            return false;
    }
    replacement->uses = uses;
    replacement->use_count = count;
    return uses != NULL;
}

enum status permission_store_replace(struct app_call *call, const struct bytes *names,
                                     const struct bytes *descriptions, size_t count,
                                     struct permission_replacement *ret_replacement) {
    struct db_params uses, replace;
    db_params_init(&uses, call->arena);
    db_params_add_text_array(&uses, names, count);
    db_params_add_int32(&uses, PERMISSION_USES_MAX);
    db_params_init(&replace, call->arena);
    db_params_add_text_array(&replace, names, count);
    db_params_add_text_array(&replace, descriptions, count);
    struct db_command commands[] = {{&statements[FIND_USES], &uses, NULL},
                                    {&statements[LIST], NULL, NULL},
                                    {&statements[REPLACE], &replace, NULL},
                                    {&statements[LIST], NULL, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    struct permission_replacement *got = ret_replacement;
    bool is_read = read_uses(commands[0].result, call->arena, got) &&
                   read_entries(commands[1].result, call->arena, &got->before, &got->before_count) &&
                   read_entries(commands[3].result, call->arena, &got->after, &got->after_count);
    return is_read ? STATUS_OK : fault_set_no_memory(call->fault);
}
