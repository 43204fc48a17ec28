#include "services/token/token_bulk_store.h"

#include <string.h>

#include "common/base/typeid.h"
#include "common/db/array.h"
#include "services/token/token_row.h"

enum { COUNT, END };

#define CHOSEN "t.company_id = $1 AND t.kind = 'a' AND t.deactivated_at IS NULL AND " TOKEN_FILTER
#define TOLD "SELECT count(*), ARRAY(SELECT c.token_id FROM chosen c ORDER BY c.token_id DESC LIMIT 1000)"

// Columns of both statements; the last one is of END alone.
enum { COUNT_COLUMN, NEWEST_IDS, ALL_IDS };

static const struct db_statement statements[] = {
    // The reason and the note of the other one are not needed here, but must have a type.
    [COUNT] = {"token_count_many",
               "WITH chosen AS MATERIALIZED (SELECT t.token_id FROM latchkey.token t WHERE " CHOSEN
               " AND $3::smallint IS NOT NULL AND $4::text IS NOT NULL) " TOLD " FROM chosen"},
    // All ids as one value: 16 bytes for each of a million are still few.
    [END] = {"token_deactivate_many",
             "WITH chosen AS (UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = $3,"
             " deactivate_note = $4 WHERE " CHOSEN " RETURNING t.token_id) " TOLD
             ", coalesce(string_agg(uuid_send(token_id), ''::bytea ORDER BY token_id), ''::bytea)"
             " FROM chosen"},
};

static enum status read_crowd(struct app_call *call, const struct db_result *row,
                              struct token_crowd *ret_crowd) {
    struct db_array ids = db_result_get_array(row, 0, NEWEST_IDS, DB_TYPE_UUID);
    struct token_crowd crowd = {.count = db_result_get_int64(row, 0, COUNT_COLUMN),
                                .token_ids = ARENA_NEW_ARRAY(call->arena, struct uuid, ids.count)};
    if (!crowd.token_ids)
        return fault_set_no_memory(call->fault);
    while (db_array_next_uuid(&ids, &crowd.token_ids[crowd.token_id_count]))
        crowd.token_id_count++;
    *ret_crowd = crowd;
    return STATUS_OK;
}

static void init_params(struct db_params *params, const struct app_call *call,
                        const struct token_filter *filter, int reason, const char *note) {
    token_params_init(params, call);
    db_params_add_int16(params, (int16_t)reason);
    db_params_add_text(params, bytes_of_text(note));
    token_filter_add_params(filter, params);
}

enum status token_store_count_many(struct app_call *call, const struct token_filter *filter,
                                   struct token_crowd *ret_crowd) {
    struct db_params params;
    init_params(&params, call, filter, DEACTIVATE_REASON_NONE, "");
    struct db_command commands[] = {{&token_plan_afresh_statement, NULL, NULL},
                                    {&statements[COUNT], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_crowd(call, commands[1].result, ret_crowd);
}

// ---- all that were ended ----

// Walks over the UUIDs, and writes each as a line.
struct id_lines {
    struct bytes left;
    struct uuid wanted;
    bool is_wanted_there;
    char line[sizeof(struct typeid)];
};

static bool next_line(void *context, struct bytes *ret_line) {
    struct id_lines *lines = context;
    struct uuid token_id;
    if (lines->left.len < sizeof(token_id.bytes))
        return false;
    memcpy(token_id.bytes, lines->left.data, sizeof(token_id.bytes));
    lines->left =
        bytes_of(lines->left.data + sizeof(token_id.bytes), lines->left.len - sizeof(token_id.bytes));
    if (uuid_is_equal(token_id, lines->wanted))
        lines->is_wanted_there = true;
    struct typeid id = typeid_of(TYPEID_TOKEN, token_id);
    const size_t len = sizeof(id.text) - 1;
    memcpy(lines->line, id.text, len);
    lines->line[len] = '\n';
    *ret_line = bytes_of(lines->line, len + 1);
    return true;
}

enum status token_store_deactivate_many(struct app_call *call, const struct token_filter *filter, int reason,
                                        const char *note, struct token_crowd *ret_crowd) {
    struct db_params params, again;
    init_params(&params, call, filter, reason, note);
    struct db_command commands[] = {{&token_plan_afresh_statement, NULL, NULL},
                                    {&statements[END], &params, NULL},
                                    caller_look_again(call->caller, &again, call->arena)};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    struct id_lines lines = {.left = db_result_get_bytes(commands[1].result, 0, ALL_IDS),
                             .wanted = call->caller->token_id};
    struct digest digest;
    digest_sha256_pieces(next_line, &lines, &digest);
    status = caller_check_after_change(call->caller, &commands[2],
                                       lines.is_wanted_there ? CALLER_ENDED_ITSELF : CALLER_NOT_ENDED,
                                       call->arena, call->fault);
    if (status == STATUS_OK)
        status = read_crowd(call, commands[1].result, ret_crowd);
    if (status == STATUS_OK)
        ret_crowd->ids_digest = digest;
    return status;
}
