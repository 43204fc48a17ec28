#include "services/token/token_bulk_store.h"

#include "common/db/array.h"
#include "services/token/token_row.h"

enum { COUNT, END };

#define CHOSEN "t.company_id = $1 AND t.kind = 'a' AND t.deactivated_at IS NULL AND " TOKEN_FILTER
#define TOLD                                                                                       \
    " SELECT count(*), ARRAY(SELECT c.token_id FROM chosen c ORDER BY c.token_id DESC LIMIT 1000)" \
    " FROM chosen"

static const struct db_statement statements[] = {
    // The reason and the note of the other one are not needed here, but must have a type.
    [COUNT] = {"token_count_many",
               "WITH chosen AS MATERIALIZED (SELECT t.token_id FROM latchkey.token t WHERE " CHOSEN
               " AND $3::smallint IS NOT NULL AND $4::text IS NOT NULL)" TOLD},
    [END] = {"token_deactivate_many",
             "WITH chosen AS (UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = $3,"
             " deactivate_note = $4 WHERE " CHOSEN " RETURNING t.token_id)" TOLD},
};

static enum status read_crowd(struct app_call *call, const struct db_result *row,
                              struct token_crowd *ret_crowd) {
    struct db_array ids = db_result_get_array(row, 0, 1, DB_TYPE_UUID);
    struct token_crowd crowd = {.count = db_result_get_int64(row, 0, 0),
                                .token_ids = ARENA_NEW_ARRAY(call->arena, struct uuid, ids.count)};
    if (!crowd.token_ids)
        return fault_set_no_memory(call->fault);
    while (db_array_next_uuid(&ids, &crowd.token_ids[crowd.token_id_count]))
        crowd.token_id_count++;
    *ret_crowd = crowd;
    return STATUS_OK;
}

static enum status run(struct app_call *call, int statement, const struct token_filter *filter, int reason,
                       const char *note, struct token_crowd *ret_crowd) {
    struct db_params params;
    token_params_init(&params, call);
    db_params_add_int16(&params, (int16_t)reason);
    db_params_add_text(&params, bytes_of_text(note));
    token_filter_add_params(filter, &params);
    struct db_command commands[] = {{&token_plan_afresh_statement, NULL, NULL},
                                    {&statements[statement], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_crowd(call, commands[1].result, ret_crowd);
}

enum status token_store_count_many(struct app_call *call, const struct token_filter *filter,
                                   struct token_crowd *ret_crowd) {
    return run(call, COUNT, filter, DEACTIVATE_REASON_NONE, "", ret_crowd);
}

enum status token_store_deactivate_many(struct app_call *call, const struct token_filter *filter, int reason,
                                        const char *note, struct token_crowd *ret_crowd) {
    return run(call, END, filter, reason, note, ret_crowd);
}
