#include "services/token/token_row.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/array.h"
#include "common/db/row_list.h"

const struct db_statement token_find_statement = {
    "token_find", "SELECT " TOKEN_COLUMNS " FROM latchkey.token t" TOKEN_SECRETS_AND_USE
                  " WHERE t.company_id = $1 AND t.kind = 'a' AND t.token_id = $3"};

// From the token, so that there is none where the company has no such token.
const struct db_statement token_insert_secret_statement = {
    "token_insert_secret", "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                           " SELECT $1, t.token_id, t.company_id, $4 FROM latchkey.token t"
                           " WHERE t.company_id = $3 AND t.kind = 'a' AND t.token_id = $2"};

// The columns of TOKEN_COLUMNS.
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
    COUNT,
};
static_assert(COUNT == TOKEN_COLUMN_COUNT, "each has a name");

static bool read_metadata(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    struct bytes *keys, *values;
    size_t count;
    if (!db_row_copy_texts(rows, row, METADATA_KEYS, arena, &keys, &count) ||
        !db_row_copy_texts(rows, row, METADATA_VALUES, arena, &values, &count))
        return false;
    token->metadata = ARENA_NEW_ARRAY(arena, struct token_pair, count);
    for (size_t i = 0; token->metadata && i < count; i++)
        token->metadata[i] = (struct token_pair){keys[i], values[i]};
    token->metadata_count = count;
    return token->metadata != NULL;
}

static bool read_ips(const struct db_result *rows, int row, struct arena *arena, struct token *token) {
    struct prefix_list ips;
    if (!db_row_copy_prefixes(rows, row, ALLOWED_IPS, arena, &ips))
        return false;
    token->allowed_ips = ips.prefixes;
    token->allowed_ip_count = ips.count;
    return true;
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
    if (!db_row_copy_texts(rows, row, SECRET_HINTS, arena, &hints, &count) ||
        !db_row_copy_texts(rows, row, SECRET_USED_IPS, arena, &ips, &ip_count))
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
           db_row_copy_texts(rows, row, PERMISSIONS, arena, &token->permissions, &token->permission_count) &&
           db_row_copy_texts(rows, row, ALLOWED_DOMAINS, arena, &token->allowed_domains,
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

enum status token_row_read_list(struct app_call *call, const struct db_result *rows, size_t count,
                                struct token **ret_tokens) {
    struct token *tokens = ARENA_NEW_ARRAY(call->arena, struct token, count);
    if (!tokens)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < count; i++)
        if (!read_token(rows, (int)i, call->arena, &tokens[i]))
            return fault_set_no_memory(call->fault);
    *ret_tokens = tokens;
    return STATUS_OK;
}

enum status token_row_read_found(struct app_call *call, const struct db_result *rows, struct uuid token_id,
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

void token_params_init(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_time_ms(params, call->now_ms);
}

void token_params_init_find(struct db_params *params, const struct app_call *call, struct uuid token_id) {
    token_params_init(params, call);
    db_params_add_uuid(params, token_id);
}

bool token_params_add_metadata(struct db_params *params, const struct token_draft *draft,
                               struct arena *arena) {
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

void token_params_init_secret(struct db_params *params, const struct app_call *call, struct uuid token_id,
                              const struct token_minted *minted) {
    db_params_init(params, call->arena);
    db_params_add_bytes(params, bytes_of(minted->digest.bytes, DIGEST_LENGTH));
    db_params_add_uuid(params, token_id);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text(params, bytes_of_text(minted->hint));
}
