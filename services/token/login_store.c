#include "services/token/login_store.h"

#include "common/app/app.h"
#include "common/app/ip_rows.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/array.h"

enum {
    FIND_BY_ID,
    FIND_BY_EMAIL,
    FIND_BY_SUBJECT,
    FIND_REMOVED,
    FIND_NEAR,
    CREATE,
    ADD_REFUSAL,
    FIND,
    DEACTIVATE,
    DEACTIVATE_ALL,
    PLAN_AFRESH,
    LIST
};

// $1 = company, $2 = client address, behind them what names the member: $3 = its id; or $3 = e-mail, $4 =
// issuer, $5 = subject, '' = not said. Of the company's list only the entries that contain the address are
// read: for it they answer the same. Who is being removed is waited for here: the log-in travels with the
// commit, which nobody cancels and which asks no more who has left.
#define FIND_PERSON(member)                                                                     \
    "SELECT m.member_id, c.is_operator, c.suspended, m.removed_at IS NOT NULL,"                 \
    " coalesce(w.enabled, true), coalesce(w.scope, 1::smallint), coalesce(listed.cidrs, '{}')," \
    " coalesce(listed.ends, '{}'), m.allowed_ips, coalesce(c.login_lifetime_ms, 0)"             \
    " FROM latchkey.company c JOIN latchkey.member m ON m.company_id = c.company_id"            \
    " LEFT JOIN latchkey.whitelist w ON w.company_id = c.company_id"                            \
    " LEFT JOIN LATERAL (SELECT array_agg(e.cidr) AS cidrs, array_agg(e.expires_at) AS ends"    \
    " FROM latchkey.whitelist_entry e WHERE e.list_id = w.live_list_id"                         \
    " AND e.cidr = ANY (latchkey.containing_prefixes($2))"                                      \
    " AND latchkey.counts_now(e.disabled, e.expires_at)) AS listed ON true"                     \
    " WHERE c.company_id = $1 AND " member " FOR KEY SHARE OF m"

#define LOGIN_COLUMNS                                                                     \
    "t.token_id, t.member_id, t.channels, coalesce(host(t.client_ip), ''), t.user_agent," \
    " t.created_at, t.expires_at, t.deactivated_at,"                                      \
    " (SELECT max(u.last_used_at) FROM latchkey.token_use u WHERE u.token_id = t.token_id)"

// why COLLATE: else the parameter is folded by the database's own rules, where the Kelvin sign is a k and a
// dotted capital I an i, so that another's address would be the member's.
#define IS_EMAIL "lower(m.email) = lower($3 COLLATE \"C\")"
#define IS_IDENTITY "m.issuer = $4 AND m.subject = $5 AND $5 <> ''"

// Whether the member of an address may be whom the identity names: not where the member is somebody else at
// this issuer. Nor where a member was removed with it, unless this membership began after that (the last, of
// several) and has the address of the removed one: who has been invited again.
#define ADMITS_IDENTITY                                                                \
    "m.issuer <> $4 AND coalesce((SELECT gone.removed_at < m.created_at"               \
    " AND lower(gone.email) = lower(m.email) FROM latchkey.member gone"                \
    " WHERE gone.company_id = m.company_id AND gone.issuer = $4 AND gone.subject = $5" \
    " AND gone.removed_at IS NOT NULL ORDER BY gone.removed_at DESC LIMIT 1), true)"

static const struct db_statement statements[] = {
    [FIND_BY_ID] = {"login_find_by_id", FIND_PERSON("m.member_id = $3")},
    [FIND_BY_EMAIL] = {"login_find_by_email", FIND_PERSON(IS_EMAIL " AND m.removed_at IS NULL AND ($5 = ''"
                                                                   " OR " ADMITS_IDENTITY ")")},
    [FIND_BY_SUBJECT] = {"login_find_by_subject", FIND_PERSON(IS_IDENTITY " AND m.removed_at IS NULL")},
    // Whose identity it was, before whose address. Reads all members of the company, for the few who try
    // after they have left.
    [FIND_REMOVED] = {"login_find_removed",
                      FIND_PERSON("m.removed_at IS NOT NULL"
                                  " AND (" IS_IDENTITY " OR ($3 <> '' AND " IS_EMAIL "))"
                                  " ORDER BY (" IS_IDENTITY ") DESC, m.member_id DESC LIMIT 1")},
    [FIND_NEAR] = {"login_find_near", "SELECT cidr, cidr >>= latchkey.unmapped($2), common_bits"
                                      " FROM latchkey.whitelist_match($1, NULL, $2) WHERE NOT listed"},
    [CREATE] =
        {"login_create",
         "WITH made AS (INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels,"
         " client_ip, user_agent, created_at, expires_at, created_by)"
         " VALUES ($3, $1, $4, 'l', $5, $6, $7, $2, $8, $9))"
         " INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, created_at, expires_at)"
         " VALUES ($10, $3, $1, $11, $2, $8)"},
    [ADD_REFUSAL] = {"login_add_refusal",
                     "WITH minute AS (SELECT r.client_ip FROM latchkey.login_refusal r"
                     " WHERE r.company_id = $1 AND r.member_id = $4 AND r.minute = date_trunc('minute', $2)),"
                     " place AS (SELECT CASE WHEN $5 IN (SELECT client_ip FROM minute)"
                     " OR (SELECT count(*) FROM minute) < $8 THEN $5 ELSE '' END AS client_ip)"
                     " INSERT INTO latchkey.login_refusal AS present (refusal_id, company_id, member_id,"
                     " minute, client_ip, reason, user_agent, refused_at)"
                     " SELECT $3, $1, $4, date_trunc('minute', $2), place.client_ip, $6, $7, $2 FROM place"
                     " ON CONFLICT (company_id, member_id, minute, client_ip, reason)"
                     " DO UPDATE SET count = present.count + 1"},
    [FIND] = {"login_find", "SELECT " LOGIN_COLUMNS " FROM latchkey.token t"
                            " WHERE t.company_id = $1 AND t.kind = 'l' AND t.token_id = $2"},
    [DEACTIVATE] = {"login_deactivate",
                    "UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = 5"
                    " WHERE t.company_id = $1 AND t.kind = 'l' AND t.token_id = $3"
                    " AND t.deactivated_at IS NULL AND t.expires_at > $2"},
    [DEACTIVATE_ALL] =
        {"login_deactivate_all",
         "WITH ended AS (UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = 5"
         " WHERE t.company_id = $1 AND t.kind = 'l' AND t.member_id = $3"
         " AND t.deactivated_at IS NULL AND t.expires_at > $2 RETURNING 1)"
         " SELECT (SELECT count(*) FROM ended) FROM latchkey.member m"
         " WHERE m.company_id = $1 AND m.member_id = $3"},
    // why: which index serves the list depends on whether a member is named.
    [PLAN_AFRESH] = {"login_plan_afresh", "SET LOCAL plan_cache_mode = force_custom_plan"},
    [LIST] = {"login_list",
              "SELECT * FROM ((SELECT " LOGIN_COLUMNS ", 1::smallint AS reason, 1::bigint AS count"
              " FROM latchkey.token t WHERE t.company_id = $1 AND t.kind = 'l'"
              " AND ($2::uuid IS NULL OR t.member_id = $2) AND ($3::uuid IS NULL OR t.token_id < $3)"
              " ORDER BY t.token_id DESC LIMIT $4) UNION ALL"
              " (SELECT r.refusal_id, r.member_id, 0::smallint, r.client_ip, r.user_agent,"
              " r.refused_at, NULL, NULL, NULL, r.reason, r.count"
              " FROM latchkey.login_refusal r WHERE r.company_id = $1"
              " AND ($2::uuid IS NULL OR r.member_id = $2) AND ($3::uuid IS NULL OR r.refusal_id < $3)"
              " ORDER BY r.refusal_id DESC LIMIT $4)) AS both_kinds ORDER BY token_id DESC LIMIT $4"},
};

// Columns of LOGIN_COLUMNS, and of LIST two more.
enum {
    TOKEN_ID,
    MEMBER_ID,
    CHANNELS,
    CLIENT_IP,
    USER_AGENT,
    CREATED_AT,
    EXPIRES_AT,
    DEACTIVATED_AT,
    LAST_USED_AT,
    REASON,
    COUNT
};

// $1 and $2 of most statements.
static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_time_ms(params, call->now_ms);
}

// ---- the person ----

static bool read_person(const struct db_result *row, struct arena *arena, struct login_person *ret_person) {
    *ret_person = (struct login_person){
        .member_id = db_result_get_uuid(row, 0, 0),
        .is_of_operator = db_result_get_bool(row, 0, 1),
        .is_company_suspended = db_result_get_bool(row, 0, 2),
        .is_removed = db_result_get_bool(row, 0, 3),
        .is_whitelist_enabled = db_result_get_bool(row, 0, 4),
        .whitelist_scope = (uint8_t)db_result_get_int16(row, 0, 5),
        .lifetime_ms = db_result_get_int64(row, 0, 9),
    };
    return ip_rows_read_matched(row, 0, 6, arena, &ret_person->company_ips) &&
           ip_rows_read_list(row, 0, 8, arena, &ret_person->member_ips);
}

static enum status find_by(struct app_call *call, const struct login_draft *draft, int statement,
                           const struct db_result **ret_row) {
    struct db_params params;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_address(&params, &draft->address);
    if (statement == FIND_BY_ID) {
        db_params_add_uuid(&params, draft->member_id);
    } else {
        db_params_add_text(&params, draft->email);
        db_params_add_text(&params, draft->issuer);
        db_params_add_text(&params, draft->subject);
    }
    return db_query(call->transaction, &statements[statement], &params, ret_row);
}

// Who is there, or else who has been. No row: neither. why the identity comes first: it is the person's for
// good, an address may have become another's.
static enum status find_by_name(struct app_call *call, const struct login_draft *draft,
                                const struct db_result **ret_row) {
    static const int in_order[] = {FIND_BY_SUBJECT, FIND_BY_EMAIL, FIND_REMOVED};
    enum status status = STATUS_OK;
    const struct db_result *row = NULL;
    for (size_t i = draft->key == LOGIN_BY_SUBJECT ? 0 : 1; i < ARRAY_LENGTH(in_order); i++) {
        status = find_by(call, draft, in_order[i], &row);
        if (status != STATUS_OK || db_result_get_row_count(row) > 0)
            break;
    }
    *ret_row = row;
    return status;
}

enum status login_store_find_person(struct app_call *call, const struct login_draft *draft,
                                    struct login_person *ret_person) {
    const struct db_result *row;
    enum status status =
        draft->key == LOGIN_BY_ID ? find_by(call, draft, FIND_BY_ID, &row) : find_by_name(call, draft, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_row_count(row) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "MEMBER_NOT_FOUND", "the company has no such member");
    return read_person(row, call->arena, ret_person) ? STATUS_OK : fault_set_no_memory(call->fault);
}

enum status login_store_find_near(struct app_call *call, const struct ip_address *address,
                                  struct login_near *ret_near) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_address(&params, address);
    enum status status = db_query(call->transaction, &statements[FIND_NEAR], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_near = (struct login_near){0};
    if (db_result_get_row_count(row) == 0)
        return STATUS_OK;
    *ret_near = (struct login_near){.is_there = true,
                                    .prefix = db_result_get_prefix(row, 0, 0),
                                    .holds_address = db_result_get_bool(row, 0, 1),
                                    .common_bits = (unsigned)db_result_get_int16(row, 0, 2)};
    return STATUS_OK;
}

// ---- the token, or the refusal ----

enum status login_store_create(struct app_call *call, const struct login *login,
                               const struct token_minted *minted) {
    struct ip_address address = {0};
    const char *author = app_call_get_author(call);
    struct db_params *params = ARENA_NEW(call->arena, struct db_params);
    if (!author || !params)
        return fault_set_no_memory(call->fault);
    if (ip_address_parse(bytes_of_text(login->client_ip), &address) != IP_PARSE_OK)
        address.family = IP_FAMILY_NONE;
    init_params(params, call);
    db_params_add_uuid(params, login->token_id);
    db_params_add_uuid(params, login->member_id);
    db_params_add_int16(params, (int16_t)CHANNEL_BIT(login->channel));
    db_params_add_address(params, &address);
    db_params_add_text(params, bytes_of_text(login->user_agent));
    db_params_add_time_ms(params, login->expires_at_ms);
    db_params_add_text(params, bytes_of_text(author));
    db_params_add_bytes(params, bytes_of(minted->digest.bytes, DIGEST_LENGTH));
    db_params_add_text(params, bytes_of_text(minted->hint));
    db_add_last(call->transaction, &statements[CREATE], params);
    return STATUS_OK;
}

enum status login_store_add_refusal(struct app_call *call, struct uuid member_id,
                                    const struct login_draft *draft, enum reason reason) {
    struct db_params params;
    init_params(&params, call);
    db_params_add_uuid(&params, uuid_new(app_get_clock(call->app)));
    db_params_add_uuid(&params, member_id);
    db_params_add_text(&params, bytes_of_text(draft->client_ip));
    db_params_add_int16(&params, (int16_t)reason);
    db_params_add_text(&params, draft->user_agent);
    db_params_add_int64(&params, LOGIN_REFUSED_ADDRESSES_MAX);
    return db_fault(call->fault, db_query(call->transaction, &statements[ADD_REFUSAL], &params, NULL));
}

// ---- rows ----

static bool read_login(const struct db_result *rows, int row, struct arena *arena, struct login *ret_login) {
    int channels = db_result_get_int16(rows, row, CHANNELS);
    *ret_login = (struct login){
        .token_id = db_result_get_uuid(rows, row, TOKEN_ID),
        .member_id = db_result_get_uuid(rows, row, MEMBER_ID),
        .channel = channels & CHANNEL_BIT(CHANNEL_UI) ? CHANNEL_UI : CHANNEL_API,
        .client_ip = db_result_copy_text(rows, row, CLIENT_IP, arena),
        .user_agent = db_result_copy_text(rows, row, USER_AGENT, arena),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .expires_at_ms = db_result_get_time_ms_or(rows, row, EXPIRES_AT, CLOCK_ALWAYS_MS),
        .deactivated_at_ms = db_result_get_time_ms_or(rows, row, DEACTIVATED_AT, CLOCK_NEVER_MS),
        .last_used_at_ms = db_result_get_time_ms_or(rows, row, LAST_USED_AT, CLOCK_ALWAYS_MS),
    };
    return ret_login->client_ip && ret_login->user_agent;
}

enum status login_store_find(struct app_call *call, struct uuid token_id, struct login **ret_login) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_uuid(&params, token_id);
    enum status status = db_query(call->transaction, &statements[FIND], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_login = NULL;
    if (db_result_get_row_count(row) == 0)
        return STATUS_OK;
    struct login *login = ARENA_NEW(call->arena, struct login);
    if (!login || !read_login(row, 0, call->arena, login))
        return fault_set_no_memory(call->fault);
    *ret_login = login;
    return STATUS_OK;
}

// ---- the end ----

enum status login_store_deactivate(struct app_call *call, struct uuid token_id, bool *ret_has_changed) {
    struct db_params params;
    const struct db_result *result;
    init_params(&params, call);
    db_params_add_uuid(&params, token_id);
    enum status status = db_query(call->transaction, &statements[DEACTIVATE], &params, &result);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_has_changed = db_result_get_affected_count(result) > 0;
    return STATUS_OK;
}

enum status login_store_deactivate_all(struct app_call *call, struct uuid member_id, int64_t *ret_count) {
    struct db_params params;
    const struct db_result *row;
    init_params(&params, call);
    db_params_add_uuid(&params, member_id);
    enum status status = db_query(call->transaction, &statements[DEACTIVATE_ALL], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_row_count(row) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "MEMBER_NOT_FOUND", "there is no member %s",
                         typeid_of(TYPEID_MEMBER, member_id).text);
    *ret_count = db_result_get_int64(row, 0, 0);
    return STATUS_OK;
}

// ---- the list ----

static bool read_authentication(const struct db_result *rows, int row, struct arena *arena,
                                struct authentication *ret_row) {
    bool is_read = read_login(rows, row, arena, &ret_row->login);
    ret_row->id = ret_row->login.token_id;
    ret_row->refused = (enum reason)db_result_get_int16(rows, row, REASON);
    ret_row->count = db_result_get_int64(rows, row, COUNT);
    return is_read;
}

enum status login_store_list(struct app_call *call, struct uuid member_id, struct uuid after, int32_t limit,
                             struct authentication_list *ret_list) {
    struct db_params params;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_uuid_or_null(&params, member_id);
    db_params_add_uuid_or_null(&params, after);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    struct db_command commands[] = {{&statements[PLAN_AFRESH], NULL, NULL},
                                    {&statements[LIST], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    int row_count = db_result_get_row_count(commands[1].result);
    struct authentication_list list = {.count = (size_t)(row_count < limit ? row_count : limit),
                                       .has_more = row_count > limit};
    list.rows = ARENA_NEW_ARRAY(call->arena, struct authentication, list.count);
    for (size_t i = 0; list.rows && i < list.count; i++)
        if (!read_authentication(commands[1].result, (int)i, call->arena, &list.rows[i]))
            return fault_set_no_memory(call->fault);
    *ret_list = list;
    return list.rows ? STATUS_OK : fault_set_no_memory(call->fault);
}
