#include "services/token/due_store.h"

#include "common/app/app.h"
#include "common/db/array.h"
#include "common/db/transaction.h"

enum { TIMEOUT_S = 30 };

static bool read_batch(const struct db_result *rows, int row, struct arena *arena,
                       struct due_batch *ret_batch) {
    struct db_array array = db_result_get_array(rows, row, 1, DB_TYPE_UUID);
    struct uuid *ids = ARENA_NEW_ARRAY(arena, struct uuid, array.count);
    size_t count = 0;
    while (ids && db_array_next_uuid(&array, &ids[count]))
        count++;
    *ret_batch = (struct due_batch){db_result_get_uuid(rows, row, 0), ids, count};
    return ids != NULL;
}

enum status due_store_list(const struct due_work *work, const struct db_statement *statement,
                           const struct db_params *params, struct arena *arena, struct due_list *ret_list) {
    struct db_begin_options options = {.arena = arena,
                                       .deadline_ns = clock_get_monotonic_ns(app_get_clock(work->run->app)) +
                                                      TIMEOUT_S * UINT64_C(1000000000)};
    struct db_command command = {statement, params, NULL};
    enum status status = db_execute(work->connection, &options, &command, 1);
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

enum status due_run(const struct due_work *work, struct uuid company_id, system_change change,
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
