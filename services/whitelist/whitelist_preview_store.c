#include "services/whitelist/whitelist_preview_store.h"

#include "services/whitelist/whitelist_row.h"

enum { LOGINS, TOKENS };

// $3 = now, $4 = entries as if removed, $5 = the scope as if set, which the log-ins don't ask for. Each
// address is looked up once, however many uses came from it; none at all is refused. why a sub-select with a
// limit: it stays one look-up by the index for each address, where NOT EXISTS becomes a join with the whole
// list.
#define REFUSED_OF_USES                                                                                  \
    ", refused AS MATERIALIZED ("                                                                        \
    "SELECT a.ip FROM (SELECT DISTINCT latchkey.unmapped(ip) AS ip FROM uses WHERE ip IS NOT NULL) AS a" \
    " WHERE (SELECT true FROM latchkey.whitelist_entry e WHERE e.list_id = " WHITELIST_TARGET            \
    " AND e.cidr = ANY ((SELECT latchkey.containing_prefixes(a.ip))::cidr[])"                            \
    " AND " WHITELIST_IS_LIVE " AND e.entry_id <> ALL ($4) LIMIT 1) IS NULL)"                            \
    " SELECT u.token_id, u.member_id, u.kind, u.label, u.ip, u.at, count(*) OVER () FROM uses u"         \
    " WHERE u.ip IS NULL OR latchkey.unmapped(u.ip) IN (SELECT ip FROM refused)"                         \
    " ORDER BY u.at DESC, u.token_id DESC LIMIT " WHITELIST_TEXT(WHITELIST_REFUSALS_MAX)

#define SINCE "$3::timestamptz - interval '" WHITELIST_TEXT(WHITELIST_PREVIEW_DAYS) " days'"

static const struct db_statement statements[] = {
    // Of the last days, whether the token still lives or not.
    [LOGINS] = {"whitelist_preview_logins",
                "WITH uses AS MATERIALIZED (SELECT t.token_id, t.member_id, t.kind, m.email AS label,"
                " t.client_ip AS ip, t.created_at AS at FROM latchkey.token t"
                " JOIN latchkey.member m ON m.member_id = t.member_id"
                " WHERE t.company_id = $1 AND t.kind = 'l' AND t.created_at >= " SINCE ")" REFUSED_OF_USES},
    // The latest use of each token that is active; a login token's counts in either scope.
    [TOKENS] = {"whitelist_preview_tokens",
                "WITH uses AS MATERIALIZED (SELECT t.token_id, t.member_id, t.kind,"
                " CASE t.kind WHEN 'l' THEN m.email ELSE t.label END AS label, used.ip, used.at"
                " FROM latchkey.token t CROSS JOIN LATERAL ("
                "SELECT u.last_used_ip AS ip, u.last_used_at AS at FROM latchkey.token_use u"
                " WHERE u.token_id = t.token_id ORDER BY u.last_used_at DESC LIMIT 1) AS used"
                " LEFT JOIN latchkey.member m ON m.member_id = t.member_id"
                " WHERE t.company_id = $1 AND used.at >= " SINCE " AND t.deactivated_at IS NULL"
                " AND coalesce(t.expires_at > $3, true)"
                " AND NOT (t.suspended AND coalesce(t.suspended_until > $3, true))"
                " AND (t.kind = 'l' OR coalesce($5::smallint, (SELECT w.scope FROM latchkey.whitelist w"
                " WHERE w.company_id = $1)) <> 2))" REFUSED_OF_USES},
};

enum { TOKEN_ID, MEMBER_ID, KIND, LABEL, ADDRESS, AT, TOTAL };

static enum token_kind read_kind(char letter) {
    return letter == 'l' ? TOKEN_KIND_LOGIN : TOKEN_KIND_ACCESS;
}

static enum status read_refusals(struct app_call *call, const struct db_result *rows,
                                 struct whitelist_refusals *ret_refusals) {
    int count = db_result_get_row_count(rows);
    struct whitelist_refusal *list = ARENA_NEW_ARRAY(call->arena, struct whitelist_refusal, (size_t)count);
    if (!list)
        return fault_set_no_memory(call->fault);
    for (int i = 0; i < count; i++) {
        list[i] =
            (struct whitelist_refusal){.token_id = db_result_get_uuid(rows, i, TOKEN_ID),
                                       .member_id = db_result_get_uuid_or_zero(rows, i, MEMBER_ID),
                                       .kind = read_kind(db_result_get_char(rows, i, KIND)),
                                       .label = db_result_copy_text(rows, i, LABEL, call->arena),
                                       .address = db_result_get_prefix_or_none(rows, i, ADDRESS).address,
                                       .at_ms = db_result_get_time_ms(rows, i, AT)};
        if (!list[i].label)
            return fault_set_no_memory(call->fault);
    }
    *ret_refusals = (struct whitelist_refusals){
        .list = list, .count = (size_t)count, .total = count > 0 ? db_result_get_int64(rows, 0, TOTAL) : 0};
    return STATUS_OK;
}

enum status whitelist_store_preview(struct app_call *call, const struct whitelist_trial *trial,
                                    struct whitelist_preview *ret_preview) {
    struct whitelist_list_query query;
    struct db_params params;
    whitelist_store_init_query(&query, call, trial->draft_id, trial->removed, trial->removed_count);
    whitelist_row_init_params(&params, call, trial->draft_id);
    db_params_add_time_ms(&params, call->now_ms);
    db_params_add_uuid_array(&params, trial->removed, trial->removed_count);
    if (trial->scope == WHITELIST_SCOPE_NONE)
        db_params_add_null(&params, DB_TYPE_INT16);
    else
        db_params_add_int16(&params, (int16_t)trial->scope);
    enum { PLAN, READ, STANDING, OF_LOGINS, OF_TOKENS, COUNT };
    struct db_command commands[COUNT] = {[PLAN] = whitelist_store_plan_command(),
                                         [READ] = whitelist_store_read_command(&query),
                                         [STANDING] = whitelist_store_standing_command(&query),
                                         [OF_LOGINS] = {&statements[LOGINS], &params, NULL},
                                         [OF_TOKENS] = {&statements[TOKENS], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    status = whitelist_store_read_standing(call, trial->draft_id, &commands[READ], &commands[STANDING],
                                           &ret_preview->standing);
    if (status == STATUS_OK)
        status = read_refusals(call, commands[OF_LOGINS].result, &ret_preview->logins);
    if (status == STATUS_OK)
        status = read_refusals(call, commands[OF_TOKENS].result, &ret_preview->tokens);
    return status;
}
