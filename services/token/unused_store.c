#include "services/token/unused_store.h"

#include "common/app/due.h"
#include "common/db/array.h"
#include "services/token/token_row.h"

enum { NOTED_MAX = 1000 };

enum { NOTE, FORGET, END };

// $1 = company, $2 = now.
#define POLICY                                                    \
    "(SELECT c.deactivate_unused_ms * interval '1 ms' AS allowed" \
    " FROM latchkey.company c WHERE c.company_id = $1) AS policy"

#define IS_UNUSED                                                                        \
    "t.company_id = $1 AND t.kind = 'a' AND t.deactivated_at IS NULL"                    \
    " AND coalesce(t.expires_at > $2, true)"                                             \
    " AND NOT (t.suspended AND coalesce(t.suspended_until > $2, true))"                  \
    " AND greatest(t.created_at, t.not_before, t.suspended_until) < $2 - policy.allowed" \
    " AND NOT EXISTS (SELECT FROM latchkey.token_use u"                                  \
    " WHERE u.token_id = t.token_id AND u.last_used_at >= $2 - policy.allowed)"          \
    " AND NOT EXISTS (SELECT FROM latchkey.token_secret s"                               \
    " WHERE s.token_id = t.token_id AND s.created_at >= $2 - policy.allowed)"

static const struct db_statement statements[] = {
    [NOTE] = {"unused_note",
              "INSERT INTO latchkey.token_unused (token_id, company_id, noticed_at)"
              " SELECT t.token_id, $1, $2 FROM " POLICY ", latchkey.token t WHERE " IS_UNUSED
              " AND NOT EXISTS (SELECT FROM latchkey.token_unused n WHERE n.token_id = t.token_id)"
              " ORDER BY t.token_id LIMIT $3 ON CONFLICT DO NOTHING"},
    [FORGET] =
        {"unused_forget",
         "DELETE FROM latchkey.token_unused n WHERE n.company_id = $1 AND NOT EXISTS (SELECT FROM " POLICY
         ", latchkey.token t WHERE t.token_id = n.token_id AND " IS_UNUSED ")"},
    [END] = {"unused_end",
             "WITH old AS (SELECT t.token_id FROM " POLICY ", latchkey.token_unused n"
             " JOIN latchkey.token t ON t.token_id = n.token_id"
             " WHERE n.company_id = $1 AND n.noticed_at <= $2 - $3 * interval '1 ms' AND " IS_UNUSED
             " ORDER BY t.token_id LIMIT $4 FOR UPDATE OF t SKIP LOCKED),"
             " ended AS (UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = 3,"
             " deactivate_note = 'not used for as long as the company allows'"
             " FROM old WHERE t.token_id = old.token_id RETURNING t.token_id),"
             " told AS (DELETE FROM latchkey.token_unused n USING ended WHERE n.token_id = ended.token_id)"
             " SELECT array_agg(token_id) FROM ended HAVING count(*) > 0"},
};

enum status unused_store_note(struct app_call *call) {
    struct db_params note, forget;
    token_params_init(&note, call);
    db_params_add_int64(&note, NOTED_MAX);
    token_params_init(&forget, call);
    struct db_command commands[] = {{&statements[FORGET], &forget, NULL}, {&statements[NOTE], &note, NULL}};
    return db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
}

enum status unused_store_end(struct app_call *call, int64_t grace_ms, struct uuid **ret_token_ids,
                             size_t *ret_count) {
    struct db_params params;
    const struct db_result *row;
    token_params_init(&params, call);
    db_params_add_int64(&params, grace_ms);
    db_params_add_int64(&params, DUE_BATCH_MAX);
    enum status status = db_query(call->transaction, &statements[END], &params, &row);
    *ret_count = 0;
    if (status != STATUS_OK || db_result_get_row_count(row) == 0)
        return status;
    struct db_array ids = db_result_get_array(row, 0, 0, DB_TYPE_UUID);
    *ret_token_ids = ARENA_NEW_ARRAY(call->arena, struct uuid, ids.count);
    while (*ret_token_ids && db_array_next_uuid(&ids, &(*ret_token_ids)[*ret_count]))
        (*ret_count)++;
    return *ret_token_ids ? STATUS_OK : STATUS_NO_MEMORY;
}
