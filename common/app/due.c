#include "common/app/due.h"

#include "common/base/random.h"
#include "common/db/array.h"
#include "common/db/transaction.h"

enum { COMPANY_ID, IDS };

static bool read_batch(const struct db_result *rows, int row, struct arena *arena,
                       struct due_batch *ret_batch) {
    *ret_batch = (struct due_batch){.company_id = db_result_get_uuid(rows, row, COMPANY_ID)};
    if (db_result_get_column_count(rows) <= IDS)
        return true;
    struct db_array array = db_result_get_array(rows, row, IDS, DB_TYPE_UUID);
    struct uuid *ids = ARENA_NEW_ARRAY(arena, struct uuid, array.count);
    while (ids && db_array_next_uuid(&array, &ids[ret_batch->count]))
        ret_batch->count++;
    ret_batch->ids = ids;
    return ids != NULL;
}

enum status due_read_list(const struct due_work *work, const struct db_statement *statement,
                          const struct db_params *params, struct due_list *ret_list) {
    struct arena *arena = work->run->arena;
    struct db_command command = {statement, params, NULL};
    enum status status = job_execute(work->run, work->connection, &command, 1);
    if (status != STATUS_OK)
        return status;
    struct due_list list = {.count = (size_t)db_result_get_row_count(command.result)};
    list.batches = ARENA_NEW_ARRAY(arena, struct due_batch, list.count);
    if (!list.batches)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list.count; i++) {
        if (!read_batch(command.result, (int)i, arena, &list.batches[i]))
            return STATUS_NO_MEMORY;
        list.id_count += list.batches[i].count;
    }
    *ret_list = list;
    return STATUS_OK;
}

enum status due_work_off(const struct due_work *work, const struct due_list *list, due_step step,
                         void *context) {
    size_t first = list->count > 0 ? random_get_u64() % list->count : 0;
    enum status status, failure = STATUS_OK;
    for (size_t i = 0; i < list->count && !job_is_stopping(work->run); i++)
        if ((status = step(work, &list->batches[(first + i) % list->count], context)) != STATUS_OK)
            failure = status;
    return failure;
}

enum status due_run_change(const struct due_work *work, struct uuid company_id, system_change change,
                           void *context) {
    struct arena arena;
    arena_init(&arena, 0);
    const struct system_call_options options = {.app = work->run->app,
                                                .connection = work->connection,
                                                .arena = &arena,
                                                .system = work->system,
                                                .company_id = company_id};
    enum status status = system_call_run(&options, change, context);
    arena_fini(&arena);
    return status;
}
