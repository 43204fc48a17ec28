#include "services/token/token_store.h"

#include "services/token/token_row.h"

enum { POLICY, INSERT_TOKEN, LIST, FIND_SCAN_END };

// The column of LIST behind those of a token.
#define FOUND TOKEN_COLUMN_COUNT

// Tokens that are looked at for one page, where a filter wants that: a page costs the same in a company of
// any size, and ends early, maybe empty, where there is more to be looked at.
#define SCANNED_MAX 50000
#define SCANNED \
    "t.company_id = $1 AND t.kind = 'a' AND ($4::uuid IS NULL OR t.token_id < $4) AND " TOKEN_FILTER_INDEXED

static const struct db_statement statements[] = {
    // Counting all is quick from an index and enough for nearly every company; only one that has reached the
    // limit has those that are alive counted. Two creations at once may both take the last place: the limit
    // guards memory, not money.
    [POLICY] = {"token_policy",
                "SELECT coalesce(c.max_token_lifetime_ms, 0), c.require_expiry, CASE WHEN $4 THEN"
                " (SELECT CASE WHEN all_made.count < $3 THEN $3 - all_made.count ELSE $3 - (SELECT count(*)"
                " FROM (SELECT FROM latchkey.token t WHERE t.company_id = $1 AND t.kind = 'a'"
                " AND t.deactivated_at IS NULL AND coalesce(t.expires_at > $2, true) LIMIT $3) AS alive) END"
                " FROM (SELECT count(*) AS count FROM (SELECT FROM latchkey.token t WHERE t.company_id = $1"
                " AND t.kind = 'a' LIMIT $3) AS made) AS all_made) END"
                " FROM latchkey.company c WHERE c.company_id = $1"},
    [INSERT_TOKEN] = {"token_insert",
                      "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label,"
                      " description, external_id, metadata, permissions, allowed_domains, allowed_ips,"
                      " not_before, expires_at, created_by)"
                      " VALUES ($1, $2, $3, 'a', $4, $5, $6, $7, jsonb_object($8, $9), $10, $11, $12, $13,"
                      " $14, $15)"},
    // A page ends early where its tokens' own lists are long: 20 000 names and addresses, and one more token.
    [LIST] = {"token_list",
              "SELECT " TOKEN_COLUMNS ", t.found FROM ("
              "SELECT t.*, count(*) OVER () AS found, cardinality(t.allowed_ips)"
              " + cardinality(t.permissions) + cardinality(t.allowed_domains) AS items,"
              " sum(cardinality(t.allowed_ips) + cardinality(t.permissions)"
              " + cardinality(t.allowed_domains)) OVER (ORDER BY t.token_id DESC) AS items_so_far FROM ("
              "SELECT t.* FROM (SELECT t.* FROM latchkey.token t WHERE " SCANNED
              " ORDER BY t.token_id DESC LIMIT $12) AS t WHERE " TOKEN_FILTER_LOOKED_AT
              " ORDER BY t.token_id DESC LIMIT $3) AS t) AS t" TOKEN_SECRETS_AND_USE
              " WHERE t.items_so_far - t.items <= 20000 ORDER BY t.token_id DESC"},
    // The last token that was looked at, if there are so many; what it does not need must have a type.
    [FIND_SCAN_END] = {"token_find_scan_end",
                       "SELECT t.token_id FROM latchkey.token t WHERE " SCANNED
                       " AND $3::bigint IS NOT NULL AND $6::text IS NOT NULL AND $7::text[] IS NOT NULL"
                       " AND ($8::timestamptz IS NULL OR $9::timestamptz IS NULL) IS NOT NULL"
                       " ORDER BY t.token_id DESC OFFSET $12 - 1 LIMIT 1"},
};

// ---- parameters ----

static bool init_insert_token(struct db_params *params, const struct app_call *call,
                              const struct token_draft *draft, const struct token_birth *birth) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, birth->token_id);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid_or_null(params, birth->member_id);
    db_params_add_int16(params, draft->channels);
    db_params_add_text(params, draft->label);
    db_params_add_text(params, draft->description);
    db_params_add_text(params, draft->external_id);
    if (!token_params_add_metadata(params, draft, call->arena))
        return false;
    db_params_add_text_array(params, draft->permissions, draft->permission_count);
    db_params_add_text_array(params, draft->domains, draft->domain_count);
    db_params_add_prefix_array(params, draft->ips, draft->ip_count);
    db_params_add_time_ms_or_null(params, draft->not_before_ms);
    db_params_add_time_ms_or_null(params, draft->expires_at_ms);
    db_params_add_text(params, bytes_of_text(birth->created_by));
    return true;
}

static void init_list(struct db_params *params, const struct app_call *call,
                      const struct token_filter *filter, struct uuid after, int32_t limit) {
    token_params_init(params, call);
    db_params_add_int64(params, limit);
    db_params_add_uuid_or_null(params, after);
    token_filter_add_params(filter, params);
    // Where nothing has to be looked at every token counts.
    db_params_add_int64(params, token_filter_looks_at_each(filter) ? SCANNED_MAX : limit);
}

// ---- public ----

static enum status tell_failed_creation(struct app_call *call, const struct token_draft *draft,
                                        enum status status) {
    const struct db_error *error = db_get_error(call->transaction);
    if (status == STATUS_ALREADY_EXISTS && strcmp(error->constraint, "token_external_id_key") == 0)
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                         "another token has the external_id %.*s", BYTES_FORMAT(draft->external_id));
    return db_fault(call->fault, status);
}

enum status token_store_create(struct app_call *call, const struct token_draft *draft,
                               const struct token_birth *birth, struct token_policy *ret_policy,
                               struct token **ret_token) {
    struct db_params policy, token, secret, find, again;
    token_params_init(&policy, call);
    db_params_add_int64(&policy, birth->company_tokens_max);
    db_params_add_bool(&policy, birth->counts_tokens);
    if (!init_insert_token(&token, call, draft, birth))
        return fault_set_no_memory(call->fault);
    token_params_init_secret(&secret, call, birth->token_id, birth->minted);
    token_params_init_find(&find, call, birth->token_id);
    struct db_command commands[] = {{&statements[POLICY], &policy, NULL},
                                    {&statements[INSERT_TOKEN], &token, NULL},
                                    {&token_insert_secret_statement, &secret, NULL},
                                    {&token_find_statement, &find, NULL},
                                    caller_look_again(call->caller, &again, call->arena)};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return tell_failed_creation(call, draft, status);
    if ((status = caller_check_again(call->caller, &commands[4], call->arena, call->fault)) != STATUS_OK)
        return status;
    const struct db_result *row = commands[0].result;
    *ret_policy = (struct token_policy){.max_lifetime_ms = db_result_get_int64(row, 0, 0),
                                        .requires_expiry = db_result_get_bool(row, 0, 1),
                                        .room = db_result_get_int64_or(row, 0, 2, INT64_MAX)};
    return token_row_read_found(call, commands[3].result, birth->token_id, ret_token);
}

enum status token_store_find(struct app_call *call, struct uuid token_id, struct token **ret_token) {
    struct db_params params;
    const struct db_result *rows;
    token_params_init_find(&params, call, token_id);
    enum status status = db_query(call->transaction, &token_find_statement, &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return token_row_read_found(call, rows, token_id, ret_token);
}

// `scan_end`: where the look at each token was ended, if it was; NULL = the filter needs none.
static enum status read_page(struct app_call *call, const struct db_result *rows,
                             const struct db_result *scan_end, int32_t limit, struct token_list *ret_list) {
    int row_count = db_result_get_row_count(rows);
    struct token_list list = {.count = (size_t)(row_count < limit ? row_count : limit)};
    enum status status = token_row_read_list(call, rows, list.count, &list.tokens);
    if (status != STATUS_OK)
        return status;
    if (row_count > 0 && db_result_get_int64(rows, 0, FOUND) > (int64_t)list.count) {
        list.has_more = true;
        list.last = list.tokens[list.count - 1].token_id;
    } else if (scan_end && db_result_get_row_count(scan_end) > 0) {
        list.has_more = true;
        list.last = db_result_get_uuid(scan_end, 0, 0);
    }
    *ret_list = list;
    return STATUS_OK;
}

enum status token_store_list(struct app_call *call, const struct token_filter *filter, struct uuid after,
                             int32_t limit, struct token_list *ret_list) {
    struct db_params params;
    init_list(&params, call, filter, after, limit + 1); // one more tells whether there is another page
    struct db_command commands[] = {{&token_plan_afresh_statement, NULL, NULL},
                                    {&statements[LIST], &params, NULL},
                                    {&statements[FIND_SCAN_END], &params, NULL}};
    size_t command_count = token_filter_looks_at_each(filter) ? 3 : 2;
    enum status status = db_query_batch(call->transaction, commands, command_count);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_page(call, commands[1].result, commands[2].result, limit, ret_list);
}
