#include "services/invitation/member_tokens_store.h"

#include "common/db/row_list.h"

enum { LOCK, FIND, FIND_BOUND, END_ACCESS, END_UNREACHABLE, MOVE_ACCESS, END_LOGINS };

// $1 = company, $2 = member, $3 = now.
#define ACCESS "t.company_id = $1 AND t.member_id = $2 AND t.kind = 'a' AND t.deactivated_at IS NULL"
#define LOGINS                                                                                               \
    "t.company_id = $1 AND t.member_id = $2 AND t.kind = 'l' AND t.deactivated_at IS NULL AND t.expires_at " \
    "> $3"
// Of whoever owned them their tokens keep the own list of addresses: it is written into theirs.
#define OWNER "m.company_id = $1 AND m.member_id = $2"
#define SHARED "latchkey.shared_prefixes(t.allowed_ips, m.allowed_ips)"
// What two lists share may be longer than either.
#define IS_TOO_LONG "cardinality(s.shared) > " AS_TEXT(MEMBER_TOKENS_IPS_MAX)
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
    [FIND_BOUND] = {"member_tokens_find_bound",
                    "SELECT count(*) FILTER (WHERE s.shared <> s.allowed_ips),"
                    " count(*) FILTER (WHERE s.shared IS NULL), count(*) FILTER (WHERE " IS_TOO_LONG "),"
                    " (array_agg(s.token_id ORDER BY s.token_id DESC) FILTER (WHERE " IS_TOO_LONG
                    "))[1] FROM ("
                    "SELECT t.token_id, t.allowed_ips, " SHARED
                    " AS shared FROM latchkey.member m, latchkey.token t"
                    " WHERE " OWNER " AND m.allowed_ips <> '{}' AND " ACCESS " OFFSET 0) AS s"},
    [END_ACCESS] = {"member_tokens_end_access", "UPDATE latchkey.token t SET " ENDED " WHERE " ACCESS},
    // 4 = POLICY. An empty list would let them in from anywhere.
    [END_UNREACHABLE] =
        {"member_tokens_end_unreachable",
         "UPDATE latchkey.token t SET member_id = $3, deactivated_at = $4, deactivate_reason = 4,"
         " deactivate_note = 'handed over, and no address was in both its list and its owner''s'"
         " FROM latchkey.member m WHERE " OWNER " AND m.allowed_ips <> '{}'"
         " AND " SHARED " IS NULL AND " ACCESS},
    [MOVE_ACCESS] = {"member_tokens_move_access",
                     "UPDATE latchkey.token t SET member_id = $3, allowed_ips ="
                     " CASE WHEN m.allowed_ips = '{}' THEN t.allowed_ips ELSE " SHARED " END"
                     " FROM latchkey.member m WHERE " OWNER " AND " ACCESS},
    [END_LOGINS] = {"member_tokens_end_logins", "UPDATE latchkey.token t SET " ENDED " WHERE " LOGINS},
};

static void init_params(struct db_params *params, const struct app_call *call, struct uuid member_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid(params, member_id);
}

static struct db_command make_command(int statement, const struct db_params *params) {
    return (struct db_command){&statements[statement], params, NULL};
}

struct db_command member_tokens_look_locking(const struct app_call *call, struct uuid member_id,
                                             struct db_params *params) {
    init_params(params, call, member_id);
    return make_command(LOCK, params);
}

struct db_command member_tokens_look(const struct app_call *call, struct uuid member_id,
                                     struct db_params *params) {
    init_params(params, call, member_id);
    db_params_add_time_ms(params, call->now_ms);
    return make_command(FIND, params);
}

enum status member_tokens_read(struct app_call *call, const struct db_command *look,
                               struct member_tokens *ret_tokens) {
    const struct db_result *row = look->result;
    struct member_tokens tokens = {.token_count = db_result_get_int64(row, 0, 0),
                                   .login_count = db_result_get_int64(row, 0, 3)};
    if (!db_row_copy_uuids(row, 0, 1, call->arena, &tokens.token_ids, &tokens.token_id_count) ||
        !db_row_copy_texts(row, 0, 2, call->arena, &tokens.grants, &tokens.grant_count))
        return fault_set_no_memory(call->fault);
    *ret_tokens = tokens;
    return STATUS_OK;
}

struct db_command member_tokens_look_for_bound(const struct app_call *call, struct uuid member_id,
                                               struct db_params *params) {
    init_params(params, call, member_id);
    return make_command(FIND_BOUND, params);
}

void member_tokens_read_bound(const struct db_command *look, struct member_tokens *tokens) {
    tokens->narrowed_count = db_result_get_int64(look->result, 0, 0);
    tokens->unreachable_count = db_result_get_int64(look->result, 0, 1);
    tokens->too_long_count = db_result_get_int64(look->result, 0, 2);
    tokens->too_long_id = db_result_get_uuid_or_zero(look->result, 0, 3);
}

struct db_command member_tokens_end_access(const struct app_call *call, struct uuid member_id,
                                           struct db_params *params) {
    init_params(params, call, member_id);
    db_params_add_time_ms(params, call->now_ms);
    return make_command(END_ACCESS, params);
}

struct db_command member_tokens_end_unreachable(const struct app_call *call, struct uuid member_id,
                                                struct uuid heir_id, struct db_params *params) {
    init_params(params, call, member_id);
    db_params_add_uuid_or_null(params, heir_id);
    db_params_add_time_ms(params, call->now_ms);
    return make_command(END_UNREACHABLE, params);
}

struct db_command member_tokens_move_access(const struct app_call *call, struct uuid member_id,
                                            struct uuid heir_id, struct db_params *params) {
    init_params(params, call, member_id);
    db_params_add_uuid_or_null(params, heir_id);
    return make_command(MOVE_ACCESS, params);
}

struct db_command member_tokens_end_logins(const struct app_call *call, struct uuid member_id,
                                           struct db_params *params) {
    init_params(params, call, member_id);
    db_params_add_time_ms(params, call->now_ms);
    return make_command(END_LOGINS, params);
}
