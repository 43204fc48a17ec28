#include "services/token/token_store.h"

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/array.h"

enum { POLICY, INSERT_TOKEN, INSERT_SECRET, FIND, PLAN_AFRESH, LIST, DEACTIVATE };

// Columns of everything that reads tokens, in the order of the enum below. $1 = company, $2 = now.
#define TOKEN_COLUMNS                                                                                       \
    "t.token_id, t.company_id, t.member_id, t.external_id, t.label, t.description, t.channels,"             \
    " ARRAY(SELECT key FROM jsonb_each_text(t.metadata) ORDER BY key),"                                     \
    " ARRAY(SELECT value FROM jsonb_each_text(t.metadata) ORDER BY key),"                                   \
    " t.permissions, t.allowed_domains, t.allowed_ips, t.not_before, t.expires_at, t.suspended,"            \
    " t.suspended_until, t.deactivated_at, t.deactivate_reason, t.deactivate_note, t.created_at,"           \
    " t.created_by, t.version, secret.hints, secret.created, secret.ends, secret.used_at, secret.used_ips," \
    " used.last_used_at, coalesce(host(used.last_used_ip), ''), coalesce(used.last_used_by, '')"

#define TOKEN_SECRETS_AND_USE                                                                             \
    " CROSS JOIN LATERAL ("                                                                               \
    "SELECT coalesce(array_agg(s.hint ORDER BY s.created_at DESC), '{}') AS hints,"                       \
    " array_agg(s.created_at ORDER BY s.created_at DESC) AS created,"                                     \
    " array_agg(s.expires_at ORDER BY s.created_at DESC) AS ends,"                                        \
    " array_agg(u.last_used_at ORDER BY s.created_at DESC) AS used_at,"                                   \
    " array_agg(coalesce(host(u.last_used_ip), '') ORDER BY s.created_at DESC) AS used_ips"               \
    " FROM latchkey.token_secret s LEFT JOIN latchkey.token_use u ON u.digest = s.digest"                 \
    " WHERE s.token_id = t.token_id AND coalesce(s.expires_at > $2, true)) AS secret"                     \
    " LEFT JOIN LATERAL (SELECT u.last_used_at, u.last_used_ip, u.last_used_by FROM latchkey.token_use u" \
    " WHERE u.token_id = t.token_id ORDER BY u.last_used_at DESC LIMIT 1) AS used ON true"

// token_get_state() in SQL.
#define TOKEN_STATE                                                       \
    "CASE WHEN t.deactivated_at IS NOT NULL THEN 3"                       \
    " WHEN t.suspended AND coalesce(t.suspended_until > $2, true) THEN 2" \
    " WHEN t.not_before > $2 THEN 5 WHEN t.expires_at <= $2 THEN 4 ELSE 1 END"

static const struct db_statement statements[] = {
    // Counting all is quick from an index and enough for nearly every company; only one that has reached the
    // limit has those that are alive counted. Two creations at once may both take the last place: the limit
    // guards memory, not money.
    [POLICY] = {"token_policy",
                "SELECT coalesce(c.max_token_lifetime_ms, 0), c.require_expiry,"
                " (SELECT count(*) FROM (SELECT FROM latchkey.token t WHERE t.company_id = $1"
                " AND t.kind = 'a' LIMIT $3) AS made) < $3"
                " OR (SELECT count(*) FROM (SELECT FROM latchkey.token t WHERE t.company_id = $1"
                " AND t.kind = 'a' AND t.deactivated_at IS NULL AND coalesce(t.expires_at > $2, true)"
                " LIMIT $3) AS alive) < $3"
                " FROM latchkey.company c WHERE c.company_id = $1"},
    [INSERT_TOKEN] = {"token_insert",
                      "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label,"
                      " description, external_id, metadata, permissions, allowed_domains, allowed_ips,"
                      " not_before, expires_at, created_by)"
                      " VALUES ($1, $2, $3, 'a', $4, $5, $6, $7, jsonb_object($8, $9), $10, $11, $12, $13,"
                      " $14, $15)"},
    [INSERT_SECRET] = {"token_insert_secret",
                       "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                       " VALUES ($1, $2, $3, $4)"},
    [FIND] = {"token_find", "SELECT " TOKEN_COLUMNS " FROM latchkey.token t" TOKEN_SECRETS_AND_USE
                            " WHERE t.company_id = $1 AND t.kind = 'a' AND t.token_id = $3"},
    // why: which index serves a list depends on which of its filters are set, so a plan made for all of
    // them at once would be made for none.
    [PLAN_AFRESH] = {"token_plan_afresh", "SET LOCAL plan_cache_mode = force_custom_plan"},
    // A page ends early where its tokens' own lists are long: 20 000 names and addresses, and one more token.
    [LIST] = {"token_list",
              "SELECT " TOKEN_COLUMNS ", t.found FROM ("
              "SELECT t.*, count(*) OVER () AS found, cardinality(t.allowed_ips)"
              " + cardinality(t.permissions) + cardinality(t.allowed_domains) AS items,"
              " sum(cardinality(t.allowed_ips) + cardinality(t.permissions)"
              " + cardinality(t.allowed_domains)) OVER (ORDER BY t.token_id DESC) AS items_so_far FROM ("
              "SELECT t.* FROM latchkey.token t WHERE t.company_id = $1 AND t.kind = 'a'"
              " AND ($4::uuid IS NULL OR t.token_id < $4)"
              " AND ($5::uuid IS NULL OR t.member_id = $5)"
              " AND ($6 = '' OR position(lower($6) IN lower(t.label)) > 0)"
              " AND ($7::text[] = '{}' OR t.permissions && $7)"
              " AND ($8::timestamptz IS NULL OR t.expires_at < $8)"
              " AND ($9::timestamptz IS NULL OR (t.created_at < $9 AND NOT EXISTS ("
              "SELECT FROM latchkey.token_use u WHERE u.token_id = t.token_id AND u.last_used_at >= $9)))"
              " AND ($10 = '' OR t.external_id = $10)"
              " AND ($11::smallint = 0 OR $11 = " TOKEN_STATE ")"
              " ORDER BY t.token_id DESC LIMIT $3) AS t) AS t" TOKEN_SECRETS_AND_USE
              " WHERE t.items_so_far - t.items <= 20000 ORDER BY t.token_id DESC"},
    [DEACTIVATE] = {"token_deactivate",
                    "UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = $4,"
                    " deactivate_note = $5 WHERE t.company_id = $1 AND t.kind = 'a' AND t.token_id = $3"
                    " AND t.deactivated_at IS NULL"},
};

// Columns of TOKEN_COLUMNS, and of LIST one more.
enum {
    TOKEN_ID,
    COMPANY_ID,
    MEMBER_ID,
    EXTERNAL_ID,
    LABEL,
    DESCRIPTION,
    CHANNELS,
    METADATA_KEYS,
    METADATA_VALUES,
    PERMISSIONS,
    ALLOWED_DOMAINS,
    ALLOWED_IPS,
    NOT_BEFORE,
    EXPIRES_AT,
    SUSPENDED,
    SUSPENDED_UNTIL,
    DEACTIVATED_AT,
    DEACTIVATE_REASON,
    DEACTIVATE_NOTE,
    CREATED_AT,
    CREATED_BY,
    VERSION,
    SECRET_HINTS,
    SECRET_CREATED,
    SECRET_ENDS,
    SECRET_USED_AT,
    SECRET_USED_IPS,
    LAST_USED_AT,
    LAST_USED_IP,
    LAST_USED_BY,
    FOUND,
};

// ---- from a row to a token ----

// Copies a text[]; every element is NUL-terminated.
static bool read_texts(const struct db_result *rows, int row, int column, struct arena *arena,
                       struct bytes **ret_texts, size_t *ret_count) {
    struct db_array array = db_result_get_array(rows, row, column, DB_TYPE_TEXT);
    struct bytes *texts = ARENA_NEW_ARRAY(arena, struct bytes, array.count), text;
    size_t count = 0;
    if (!texts)
        return false;
    while (db_array_next_text(&array, &text)) {
        const char *copy = arena_copy_bytes(arena, text);
        if (!copy)
            return false;
        texts[count++] = bytes_of(copy, text.len);
    }
    *ret_texts = texts;
    *ret_count = count;
    return true;
}

static bool read_metadata(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    struct bytes *keys, *values;
    size_t count;
    if (!read_texts(rows, row, METADATA_KEYS, arena, &keys, &count) ||
        !read_texts(rows, row, METADATA_VALUES, arena, &values, &count))
        return false;
    token->metadata = ARENA_NEW_ARRAY(arena, struct token_pair, count);
    for (size_t i = 0; token->metadata && i < count; i++)
        token->metadata[i] = (struct token_pair){keys[i], values[i]};
    token->metadata_count = count;
    return token->metadata != NULL;
}

static bool read_ips(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    struct db_array array = db_result_get_array(rows, row, ALLOWED_IPS, DB_TYPE_CIDR);
    token->allowed_ips = ARENA_NEW_ARRAY(arena, struct ip_prefix, array.count);
    while (token->allowed_ips && db_array_next_prefix(&array, &token->allowed_ips[token->allowed_ip_count]))
        token->allowed_ip_count++;
    return token->allowed_ips != NULL;
}

static void read_secret_times(const struct db_result *rows, int row, struct token *token) {
    struct db_array created = db_result_get_array(rows, row, SECRET_CREATED, DB_TYPE_TIMESTAMPTZ);
    struct db_array ends = db_result_get_array(rows, row, SECRET_ENDS, DB_TYPE_TIMESTAMPTZ);
    struct db_array used = db_result_get_array(rows, row, SECRET_USED_AT, DB_TYPE_TIMESTAMPTZ);
    struct token_secret *secret = token->secrets;
    while (db_array_next_time_ms(&created, CLOCK_ALWAYS_MS, &secret->created_at_ms) &&
           db_array_next_time_ms(&ends, CLOCK_NEVER_MS, &secret->expires_at_ms) &&
           db_array_next_time_ms(&used, CLOCK_ALWAYS_MS, &secret->last_used_at_ms))
        secret++;
}

static bool read_secrets(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    struct bytes *hints, *ips;
    size_t count, ip_count;
    if (!read_texts(rows, row, SECRET_HINTS, arena, &hints, &count) ||
        !read_texts(rows, row, SECRET_USED_IPS, arena, &ips, &ip_count))
        return false;
    // One more than needed: the walk over the times ends at the place after the last.
    token->secrets = ARENA_NEW_ARRAY(arena, struct token_secret, count + 1);
    if (!token->secrets)
        return false;
    for (size_t i = 0; i < count; i++) {
        token->secrets[i].hint = (const char *)hints[i].data;
        token->secrets[i].last_used_ip = (const char *)ips[i].data;
    }
    token->secret_count = count;
    read_secret_times(rows, row, token);
    return true;
}

static bool read_lists(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    return read_metadata(rows, row, arena, token) &&
           read_texts(rows, row, PERMISSIONS, arena, &token->permissions, &token->permission_count) &&
           read_texts(rows, row, ALLOWED_DOMAINS, arena, &token->allowed_domains,
                      &token->allowed_domain_count) &&
           read_ips(rows, row, arena, token) && read_secrets(rows, row, arena, token);
}

static bool read_single_texts(const struct db_result *rows, int row, struct arena *arena,
                              struct token *token) {
    token->external_id = db_result_copy_text(rows, row, EXTERNAL_ID, arena);
    token->label = db_result_copy_text(rows, row, LABEL, arena);
    token->description = db_result_copy_text(rows, row, DESCRIPTION, arena);
    token->deactivate_note = db_result_copy_text(rows, row, DEACTIVATE_NOTE, arena);
    token->created_by = db_result_copy_text(rows, row, CREATED_BY, arena);
    token->last_used_ip = db_result_copy_text(rows, row, LAST_USED_IP, arena);
    token->last_used_by = db_result_copy_text(rows, row, LAST_USED_BY, arena);
    return token->external_id && token->label && token->description && token->deactivate_note &&
           token->created_by && token->last_used_ip && token->last_used_by;
}

static bool read_token(const struct db_result *rows, int row, struct arena *arena, struct token *ret_token) {
    *ret_token = (struct token){
        .token_id = db_result_get_uuid(rows, row, TOKEN_ID),
        .company_id = db_result_get_uuid(rows, row, COMPANY_ID),
        .member_id = db_result_get_uuid_or_zero(rows, row, MEMBER_ID),
        .channels = (uint8_t)db_result_get_int16(rows, row, CHANNELS),
        .not_before_ms = db_result_get_time_ms_or(rows, row, NOT_BEFORE, CLOCK_ALWAYS_MS),
        .expires_at_ms = db_result_get_time_ms_or(rows, row, EXPIRES_AT, CLOCK_NEVER_MS),
        .is_suspended = db_result_get_bool(rows, row, SUSPENDED),
        .suspended_until_ms = db_result_get_time_ms_or(rows, row, SUSPENDED_UNTIL, CLOCK_NEVER_MS),
        .deactivated_at_ms = db_result_get_time_ms_or(rows, row, DEACTIVATED_AT, CLOCK_NEVER_MS),
        .deactivate_reason = db_result_get_int16(rows, row, DEACTIVATE_REASON),
        .last_used_at_ms = db_result_get_time_ms_or(rows, row, LAST_USED_AT, CLOCK_ALWAYS_MS),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    return read_single_texts(rows, row, arena, ret_token) && read_lists(rows, row, arena, ret_token);
}

// The row of FIND.
static enum status read_found(struct app_call *call, const struct db_result *rows, struct uuid token_id,
                              struct token **ret_token) {
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "TOKEN_NOT_FOUND", "there is no access token %s",
                         typeid_of(TYPEID_TOKEN, token_id).text);
    struct token *token = ARENA_NEW(call->arena, struct token);
    if (!token || !read_token(rows, 0, call->arena, token))
        return fault_set_no_memory(call->fault);
    *ret_token = token;
    return STATUS_OK;
}

// ---- parameters ----

// $1 and $2 of most statements.
static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_time_ms(params, call->now_ms);
}

static void init_find(struct db_params *params, const struct app_call *call, struct uuid token_id) {
    init_params(params, call);
    db_params_add_uuid(params, token_id);
}

static bool add_metadata(struct db_params *params, const struct token_draft *draft, struct arena *arena) {
    struct bytes *keys = ARENA_NEW_ARRAY(arena, struct bytes, draft->metadata_count);
    struct bytes *values = ARENA_NEW_ARRAY(arena, struct bytes, draft->metadata_count);
    if (!keys || !values)
        return false;
    for (size_t i = 0; i < draft->metadata_count; i++) {
        keys[i] = draft->metadata[i].key;
        values[i] = draft->metadata[i].value;
    }
    db_params_add_text_array(params, keys, draft->metadata_count);
    db_params_add_text_array(params, values, draft->metadata_count);
    return true;
}

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
    if (!add_metadata(params, draft, call->arena))
        return false;
    db_params_add_text_array(params, draft->permissions, draft->permission_count);
    db_params_add_text_array(params, draft->domains, draft->domain_count);
    db_params_add_prefix_array(params, draft->ips, draft->ip_count);
    db_params_add_time_ms_or_null(params, draft->not_before_ms);
    db_params_add_time_ms_or_null(params, draft->expires_at_ms);
    db_params_add_text(params, bytes_of_text(birth->created_by));
    return true;
}

static void init_insert_secret(struct db_params *params, const struct app_call *call,
                               const struct token_birth *birth) {
    db_params_init(params, call->arena);
    db_params_add_bytes(params, bytes_of(birth->digest.bytes, DIGEST_LENGTH));
    db_params_add_uuid(params, birth->token_id);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text(params, bytes_of_text(birth->hint));
}

static void init_list(struct db_params *params, const struct app_call *call,
                      const struct token_filter *filter, struct uuid after, int32_t limit) {
    init_params(params, call);
    db_params_add_int64(params, limit);
    db_params_add_uuid_or_null(params, after);
    db_params_add_uuid_or_null(params, filter->member_id);
    db_params_add_text(params, filter->label_contains);
    db_params_add_text_array(params, filter->grants, filter->grant_count);
    db_params_add_time_ms_or_null(params, filter->expires_before_ms);
    db_params_add_time_ms_or_null(params, filter->unused_since_ms);
    db_params_add_text(params, filter->external_id);
    db_params_add_int16(params, (int16_t)filter->state);
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
    struct db_params policy, token, secret, find;
    init_params(&policy, call);
    db_params_add_int64(&policy, birth->company_tokens_max);
    if (!init_insert_token(&token, call, draft, birth))
        return fault_set_no_memory(call->fault);
    init_insert_secret(&secret, call, birth);
    init_find(&find, call, birth->token_id);
    struct db_command commands[] = {{&statements[POLICY], &policy, NULL},
                                    {&statements[INSERT_TOKEN], &token, NULL},
                                    {&statements[INSERT_SECRET], &secret, NULL},
                                    {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return tell_failed_creation(call, draft, status);
    const struct db_result *row = commands[0].result;
    *ret_policy = (struct token_policy){.max_lifetime_ms = db_result_get_int64(row, 0, 0),
                                        .requires_expiry = db_result_get_bool(row, 0, 1),
                                        .has_room = db_result_get_bool(row, 0, 2)};
    return read_found(call, commands[3].result, birth->token_id, ret_token);
}

enum status token_store_find(struct app_call *call, struct uuid token_id, struct token **ret_token) {
    struct db_params params;
    const struct db_result *rows;
    init_find(&params, call, token_id);
    enum status status = db_query(call->transaction, &statements[FIND], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_found(call, rows, token_id, ret_token);
}

enum status token_store_list(struct app_call *call, const struct token_filter *filter, struct uuid after,
                             int32_t limit, struct token_list *ret_list) {
    struct db_params params;
    init_list(&params, call, filter, after, limit + 1); // one more tells whether there is another page
    struct db_command commands[] = {{&statements[PLAN_AFRESH], NULL, NULL},
                                    {&statements[LIST], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    const struct db_result *rows = commands[1].result;
    int row_count = db_result_get_row_count(rows);
    struct token_list list = {.count = (size_t)(row_count < limit ? row_count : limit)};
    list.has_more = row_count > 0 && db_result_get_int64(rows, 0, FOUND) > (int64_t)list.count;
    list.tokens = ARENA_NEW_ARRAY(call->arena, struct token, list.count);
    if (!list.tokens)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        if (!read_token(rows, (int)i, call->arena, &list.tokens[i]))
            return fault_set_no_memory(call->fault);
    *ret_list = list;
    return STATUS_OK;
}

enum status token_store_deactivate(struct app_call *call, struct uuid token_id, int reason, const char *note,
                                   bool *ret_has_changed, struct token **ret_token) {
    struct db_params end, find;
    init_find(&end, call, token_id);
    db_params_add_int16(&end, (int16_t)reason);
    db_params_add_text(&end, bytes_of_text(note));
    init_find(&find, call, token_id);
    struct db_command commands[] = {{&statements[DEACTIVATE], &end, NULL}, {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_has_changed = db_result_get_affected_count(commands[0].result) > 0;
    return read_found(call, commands[1].result, token_id, ret_token);
}
