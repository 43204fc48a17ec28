#include "services/invitation/member_tokens_store.h"

#include "common/db/row_list.h"

enum { LOCK, FIND, END_ACCESS, MOVE_ACCESS, END_LOGINS };

// $1 = company, $2 = member, $3 = now.
#define ACCESS "t.company_id = $1 AND t.member_id = $2 AND t.kind = 'a' AND t.deactivated_at IS NULL"
#define LOGINS                                                                                               \
    "t.company_id = $1 AND t.member_id = $2 AND t.kind = 'l' AND t.deactivated_at IS NULL AND t.expires_at " \
    "> $3"
// In one order for everybody who changes many: no deadlocks.
#define ALL_OF(which)                                                                          \
    " WHERE company_id = $1 AND token_id = ANY (ARRAY(SELECT t.token_id FROM latchkey.token t" \
    " WHERE " which " ORDER BY t.token_id FOR UPDATE))"
// 5 = OTHER of latchkey.v1.DeactivateReason.
#define ENDED "deactivated_at = $3, deactivate_reason = 5, deactivate_note = 'its member was removed'"

static const struct db_statement statements[] = {
    // Whoever makes a token of the member waits for this row.
    [LOCK] = {"member_tokens_lock",
              "SELECT FROM latchkey.member m WHERE m.company_id = $1 AND m.member_id = $2 FOR UPDATE"},
    [FIND] = {"member_tokens_find",
              "SELECT (SELECT count(*) FROM latchkey.token t WHERE " ACCESS "),"
              " ARRAY(SELECT t.token_id FROM latchkey.token t WHERE " ACCESS
              " ORDER BY t.token_id DESC LIMIT 1000),"
              " ARRAY(SELECT DISTINCT unnest(t.permissions) FROM latchkey.token t WHERE " ACCESS "),"
              " (SELECT count(*) FROM latchkey.token t WHERE " LOGINS ")"},
    [END_ACCESS] = {"member_tokens_end_access", "UPDATE latchkey.token SET " ENDED ALL_OF(ACCESS)},
    [MOVE_ACCESS] = {"member_tokens_move_access", "UPDATE latchkey.token SET member_id = $3" ALL_OF(ACCESS)},
    [END_LOGINS] = {"member_tokens_end_logins", "UPDATE latchkey.token SET " ENDED ALL_OF(LOGINS)},
};

static void init_params(struct db_params *params, const struct app_call *call, struct uuid member_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid(params, member_id);
}

static void init_at_this_time(struct db_params *params, const struct app_call *call, struct uuid member_id) {
    init_params(params, call, member_id);
    db_params_add_time_ms(params, call->now_ms);
}

enum status member_tokens_store_lock(struct app_call *call, struct uuid member_id,
                                     struct member_tokens *ret_tokens) {
    struct db_params lock, find;
    init_params(&lock, call, member_id);
    init_at_this_time(&find, call, member_id);
    struct db_command commands[] = {{&statements[LOCK], &lock, NULL}, {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    const struct db_result *row = commands[1].result;
    struct member_tokens tokens = {.token_count = db_result_get_int64(row, 0, 0),
                                   .login_count = db_result_get_int64(row, 0, 3)};
    if (!db_row_copy_uuids(row, 0, 1, call->arena, &tokens.token_ids, &tokens.token_id_count) ||
        !db_row_copy_texts(row, 0, 2, call->arena, &tokens.grants, &tokens.grant_count))
        return fault_set_no_memory(call->fault);
    *ret_tokens = tokens;
    return STATUS_OK;
}

enum status member_tokens_store_end(struct app_call *call, struct uuid member_id) {
    struct db_params params;
    init_at_this_time(&params, call, member_id);
    struct db_command commands[] = {{&statements[END_ACCESS], &params, NULL},
                                    {&statements[END_LOGINS], &params, NULL}};
    return db_fault(call->fault, db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands)));
}

enum status member_tokens_store_hand_over(struct app_call *call, struct uuid member_id, struct uuid to) {
    struct db_params move, end;
    init_params(&move, call, member_id);
    db_params_add_uuid_or_null(&move, to);
    init_at_this_time(&end, call, member_id);
    struct db_command commands[] = {{&statements[MOVE_ACCESS], &move, NULL},
                                    {&statements[END_LOGINS], &end, NULL}};
    return db_fault(call->fault, db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands)));
}
