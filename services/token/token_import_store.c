// A list of lists can't be a parameter, so the lists of a token travel as PostgreSQL's text form of an array,
// every element quoted.
#include "services/token/token_import_store.h"

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "services/token/token_row.h"

enum { TERMS, FIND_SECRETS, FIND_EXTERNAL_IDS, INSERT_TOKENS, INSERT_SECRETS, RECORD_USES, READ };

static const struct db_statement statements[] = {
    [TERMS] = {"token_import_terms",
               "SELECT coalesce(c.max_token_lifetime_ms, 0), c.require_expiry,"
               " $3 - (SELECT count(*) FROM (SELECT FROM latchkey.token t WHERE t.company_id = $1"
               " AND t.kind = 'a' AND t.deactivated_at IS NULL AND coalesce(t.expires_at > $2, true)"
               " LIMIT $3) AS alive) FROM latchkey.company c WHERE c.company_id = $1"},
    [FIND_SECRETS] = {"token_import_find_secrets",
                      "SELECT known FROM latchkey.token_secrets_known($1) AS known"},
    [FIND_EXTERNAL_IDS] = {"token_import_find_external_ids",
                           "SELECT t.external_id FROM latchkey.token t WHERE t.company_id = $1"
                           " AND t.external_id = ANY ($2) AND t.external_id <> ''"
                           " AND t.deactivated_at IS NULL"},
    [INSERT_TOKENS] = {"token_import_tokens",
                       "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label,"
                       " description, external_id, metadata, permissions, allowed_domains, allowed_ips,"
                       " not_before, expires_at, created_at, created_by)"
                       " SELECT n.token_id, $1,"
                       " nullif(n.member_id, '00000000-0000-0000-0000-000000000000'), 'a', n.channels,"
                       " n.label, n.description, n.external_id,"
                       " jsonb_object(n.keys::text[], n.texts::text[]), n.permissions::text[],"
                       " n.domains::text[], n.ips::cidr[], nullif(n.not_before, '-infinity'),"
                       " nullif(n.expires_at, 'infinity'), n.created_at, $2"
                       " FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[],"
                       " $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],"
                       " $14::timestamptz[], $15::timestamptz[], $16::timestamptz[])"
                       " AS n (token_id, member_id, channels, label, description, external_id, keys, texts,"
                       " permissions, domains, ips, not_before, expires_at, created_at)"},
    [INSERT_SECRETS] = {"token_import_secrets",
                        "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint, created_at)"
                        " SELECT n.digest, n.token_id, $1, n.hint, n.created_at"
                        " FROM unnest($2::bytea[], $3::uuid[], $4::text[], $5::timestamptz[])"
                        " AS n (digest, token_id, hint, created_at)"},
    [RECORD_USES] =
        {"token_import_uses",
         "SELECT latchkey.token_use_record(array_agg(n.digest), array_agg(n.at),"
         " array_agg(NULL::inet), array_agg(''::text)) FROM unnest($1::bytea[], $2::timestamptz[])"
         " AS n (digest, at) WHERE n.at > '-infinity'"},
    [READ] = {"token_import_read", "SELECT " TOKEN_COLUMNS " FROM latchkey.token t" TOKEN_SECRETS_AND_USE
                                   " WHERE t.company_id = $1 AND t.kind = 'a' AND t.token_id = ANY ($3)"
                                   " ORDER BY t.token_id DESC"},
};

// ---- what is in use ----

static bool collect_keys(const struct token_import *imports, size_t count, struct arena *arena,
                         struct bytes **ret_digests, struct bytes **ret_external_ids, size_t *ret_count) {
    struct bytes *digests = ARENA_NEW_ARRAY(arena, struct bytes, count);
    struct bytes *external_ids = ARENA_NEW_ARRAY(arena, struct bytes, count);
    size_t good = 0;
    if (!digests || !external_ids)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (imports[i].fault.status != STATUS_OK)
            continue;
        digests[good] = bytes_of(imports[i].history.digest.bytes, DIGEST_LENGTH);
        external_ids[good++] = imports[i].draft.external_id;
    }
    *ret_digests = digests;
    *ret_external_ids = external_ids;
    *ret_count = good;
    return true;
}

static bool is_digest_in(const struct digest *digest, const struct db_result *rows) {
    for (int row = 0; row < db_result_get_row_count(rows); row++)
        if (bytes_is_equal(bytes_of(digest->bytes, DIGEST_LENGTH), db_result_get_bytes(rows, row, 0)))
            return true;
    return false;
}

static bool is_text_in(struct bytes text, const struct db_result *rows) {
    for (int row = 0; row < db_result_get_row_count(rows); row++)
        if (bytes_is_equal(text, db_result_get_text(rows, row, 0)))
            return true;
    return false;
}

static void refuse_known(struct token_import *imports, size_t count, const struct db_result *secrets,
                         const struct db_result *external_ids) {
    for (size_t i = 0; i < count; i++) {
        struct token_import *import = &imports[i];
        if (import->fault.status != STATUS_OK)
            continue;
        if (is_digest_in(&import->history.digest, secrets))
            token_refuse_secret(&import->fault);
        else if (import->draft.external_id.len > 0 && is_text_in(import->draft.external_id, external_ids))
            token_refuse_external_id(import->draft.external_id, &import->fault);
    }
}

enum status token_store_check_imports(struct app_call *call, struct token_import *imports, size_t count,
                                      int64_t company_tokens_max, struct token_policy *ret_policy) {
    struct bytes *digests, *external_ids;
    size_t good;
    struct db_params terms, secrets, ids;
    if (!collect_keys(imports, count, call->arena, &digests, &external_ids, &good))
        return fault_set_no_memory(call->fault);
    token_params_init(&terms, call);
    db_params_add_int64(&terms, company_tokens_max);
    db_params_init(&secrets, call->arena);
    db_params_add_bytes_array(&secrets, digests, good);
    db_params_init(&ids, call->arena);
    db_params_add_uuid(&ids, call->company_id);
    db_params_add_text_array(&ids, external_ids, good);
    struct db_command commands[] = {{&statements[TERMS], &terms, NULL},
                                    {&statements[FIND_SECRETS], &secrets, NULL},
                                    {&statements[FIND_EXTERNAL_IDS], &ids, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    const struct db_result *row = commands[0].result;
    *ret_policy = (struct token_policy){.max_lifetime_ms = db_result_get_int64(row, 0, 0),
                                        .requires_expiry = db_result_get_bool(row, 0, 1),
                                        .room = db_result_get_int64(row, 0, 2)};
    refuse_known(imports, count, commands[1].result, commands[2].result);
    return STATUS_OK;
}

// ---- the columns ----

enum { KEYS, TEXTS, PERMISSIONS, DOMAINS, IPS, LIST_COUNT };

struct columns {
    size_t count;
    struct uuid *token_ids, *member_ids;
    int64_t *channels, *not_before_ms, *expires_at_ms, *created_at_ms, *last_used_at_ms;
    struct bytes *labels, *descriptions, *external_ids, *hints, *digests;
    struct bytes *lists[LIST_COUNT]; // arrays in text form
};

static bool make_columns(struct columns *columns, size_t count, struct arena *arena) {
    struct uuid **uuids[] = {&columns->token_ids, &columns->member_ids};
    int64_t **numbers[] = {&columns->channels, &columns->not_before_ms, &columns->expires_at_ms,
                           &columns->created_at_ms, &columns->last_used_at_ms};
    struct bytes **texts[] = {&columns->labels,         &columns->descriptions,
                              &columns->external_ids,   &columns->hints,
                              &columns->digests,        &columns->lists[KEYS],
                              &columns->lists[TEXTS],   &columns->lists[PERMISSIONS],
                              &columns->lists[DOMAINS], &columns->lists[IPS]};
    bool is_made = true;
    for (size_t i = 0; i < ARRAY_LENGTH(uuids); i++)
        is_made = (*uuids[i] = ARENA_NEW_ARRAY(arena, struct uuid, count)) && is_made;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        is_made = (*numbers[i] = ARENA_NEW_ARRAY(arena, int64_t, count)) && is_made;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        is_made = (*texts[i] = ARENA_NEW_ARRAY(arena, struct bytes, count)) && is_made;
    return is_made;
}

static void append_quoted(struct buffer *to, struct bytes element) {
    buffer_append_text(to, to->len > 1 ? ",\"" : "\"");
    for (size_t i = 0; i < element.len; i++) {
        if (element.data[i] == '"' || element.data[i] == '\\')
            buffer_append_byte(to, '\\');
        buffer_append_byte(to, element.data[i]);
    }
    buffer_append_byte(to, '"');
}

// `{"a","b"}` of what has been gathered in `list`, which is then empty again.
static bool end_list(struct buffer *list, struct arena *arena, struct bytes *ret_text) {
    buffer_append_byte(list, '}');
    struct bytes whole = buffer_get_bytes(list);
    char *copy = list->failed ? NULL : arena_copy_bytes(arena, whole);
    *ret_text = bytes_of(copy, whole.len);
    buffer_reset(list);
    return copy != NULL;
}

static bool write_texts(const struct bytes *texts, size_t count, struct buffer *list, struct arena *arena,
                        struct bytes *ret_text) {
    buffer_append_byte(list, '{');
    for (size_t i = 0; i < count; i++)
        append_quoted(list, texts[i]);
    return end_list(list, arena, ret_text);
}

static bool write_ips(const struct ip_prefix *ips, size_t count, struct buffer *list, struct arena *arena,
                      struct bytes *ret_text) {
    buffer_append_byte(list, '{');
    for (size_t i = 0; i < count; i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&ips[i], text);
        append_quoted(list, bytes_of_text(text));
    }
    return end_list(list, arena, ret_text);
}

static bool write_metadata(const struct token_draft *draft, bool keys, struct buffer *list,
                           struct arena *arena, struct bytes *ret_text) {
    buffer_append_byte(list, '{');
    for (size_t i = 0; i < draft->metadata_count; i++)
        append_quoted(list, keys ? draft->metadata[i].key : draft->metadata[i].value);
    return end_list(list, arena, ret_text);
}

static bool write_lists(const struct token_draft *draft, struct columns *columns, size_t row,
                        struct buffer *list, struct arena *arena) {
    return write_metadata(draft, true, list, arena, &columns->lists[KEYS][row]) &&
           write_metadata(draft, false, list, arena, &columns->lists[TEXTS][row]) &&
           write_texts(draft->permissions, draft->permission_count, list, arena,
                       &columns->lists[PERMISSIONS][row]) &&
           write_texts(draft->domains, draft->domain_count, list, arena, &columns->lists[DOMAINS][row]) &&
           write_ips(draft->ips, draft->ip_count, list, arena, &columns->lists[IPS][row]);
}

static void fill_row(struct columns *columns, size_t row, const struct token_import *import) {
    columns->token_ids[row] = import->token_id;
    columns->member_ids[row] = import->member_id;
    columns->channels[row] = import->draft.channels;
    columns->labels[row] = import->draft.label;
    columns->descriptions[row] = import->draft.description;
    columns->external_ids[row] = import->draft.external_id;
    columns->not_before_ms[row] = import->draft.not_before_ms;
    columns->expires_at_ms[row] = import->draft.expires_at_ms;
    columns->created_at_ms[row] = import->history.created_at_ms;
    columns->last_used_at_ms[row] = import->history.last_used_at_ms;
    columns->hints[row] = bytes_of_text(import->history.hint);
    columns->digests[row] = bytes_of(import->history.digest.bytes, DIGEST_LENGTH);
}

static bool fill_columns(struct columns *columns, const struct token_import *imports, size_t count,
                         struct arena *arena) {
    struct buffer list = {0};
    *columns = (struct columns){0};
    bool is_filled = make_columns(columns, count, arena);
    for (size_t i = 0; is_filled && i < count; i++) {
        if (imports[i].fault.status != STATUS_OK)
            continue;
        fill_row(columns, columns->count, &imports[i]);
        is_filled = write_lists(&imports[i].draft, columns, columns->count++, &list, arena);
    }
    buffer_fini(&list);
    return is_filled;
}

// ---- public ----

static void init_tokens(struct db_params *params, const struct app_call *call, const struct columns *columns,
                        const char *created_by) {
    size_t count = columns->count;
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text(params, bytes_of_text(created_by));
    db_params_add_uuid_array(params, columns->token_ids, count);
    db_params_add_uuid_array(params, columns->member_ids, count);
    db_params_add_int64_array(params, columns->channels, count);
    db_params_add_text_array(params, columns->labels, count);
    db_params_add_text_array(params, columns->descriptions, count);
    db_params_add_text_array(params, columns->external_ids, count);
    for (int i = 0; i < LIST_COUNT; i++)
        db_params_add_text_array(params, columns->lists[i], count);
    db_params_add_time_ms_array(params, columns->not_before_ms, count);
    db_params_add_time_ms_array(params, columns->expires_at_ms, count);
    db_params_add_time_ms_array(params, columns->created_at_ms, count);
}

static void init_secrets(struct db_params *params, const struct app_call *call,
                         const struct columns *columns) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_bytes_array(params, columns->digests, columns->count);
    db_params_add_uuid_array(params, columns->token_ids, columns->count);
    db_params_add_text_array(params, columns->hints, columns->count);
    db_params_add_time_ms_array(params, columns->created_at_ms, columns->count);
}

enum status token_store_import(struct app_call *call, const struct token_import *imports, size_t count,
                               const char *created_by, struct token_list *ret_list) {
    struct columns columns;
    struct db_params tokens, secrets, uses, read, again;
    if (!fill_columns(&columns, imports, count, call->arena))
        return fault_set_no_memory(call->fault);
    init_tokens(&tokens, call, &columns, created_by);
    init_secrets(&secrets, call, &columns);
    db_params_init(&uses, call->arena);
    db_params_add_bytes_array(&uses, columns.digests, columns.count);
    db_params_add_time_ms_array(&uses, columns.last_used_at_ms, columns.count);
    token_params_init(&read, call);
    db_params_add_uuid_array(&read, columns.token_ids, columns.count);
    struct db_command commands[] = {{&statements[INSERT_TOKENS], &tokens, NULL},
                                    {&statements[INSERT_SECRETS], &secrets, NULL},
                                    {&statements[RECORD_USES], &uses, NULL},
                                    {&statements[READ], &read, NULL},
                                    caller_look_again(call->caller, &again, call->arena)};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status == STATUS_ALREADY_EXISTS) // since it was checked
        return STATUS_ABORTED;
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if ((status = caller_check_again(call->caller, &commands[4], call->arena, call->fault)) != STATUS_OK)
        return status;
    struct token_list list = {.count = (size_t)db_result_get_row_count(commands[3].result)};
    status = token_row_read_list(call, commands[3].result, list.count, &list.tokens);
    if (status == STATUS_OK)
        *ret_list = list;
    return status;
}
