#include "services/whitelist/whitelist_store.h"

#include "common/base/clock.h"

enum { LOCK, READ, STANDING, UPDATE, FIND_HOLDERS, INSERT, DELETE, PLAN_AFRESH, LIST, MATCH };

// Entries that let somebody in. $2 = now.
#define IS_LIVE "NOT e.disabled AND coalesce(e.expires_at > $2, true)"

static const struct db_statement statements[] = {
    [LOCK] = {"whitelist_lock",
              "SELECT w.version FROM latchkey.whitelist w WHERE w.company_id = $1 FOR NO KEY UPDATE"},
    [READ] = {"whitelist_read",
              "SELECT w.company_id, w.enabled, w.scope, l.entry_count, w.confirm_by, w.version, now()"
              " FROM latchkey.whitelist w JOIN latchkey.whitelist_list l ON l.list_id = w.live_list_id"
              " WHERE w.company_id = $1"},
    // why the sub-select: else each row that a plan looks at has the prefixes worked out again.
    [STANDING] = {"whitelist_standing",
                  "SELECT EXISTS (SELECT FROM latchkey.whitelist_entry e WHERE e.list_id = w.live_list_id"
                  " AND e.cidr = ANY ((SELECT latchkey.containing_prefixes($3))::cidr[]) AND " IS_LIVE "),"
                  " EXISTS (SELECT FROM latchkey.whitelist_entry e WHERE e.list_id = w.live_list_id"
                  " AND " IS_LIVE ")"
                  " FROM latchkey.whitelist w WHERE w.company_id = $1"},
    [UPDATE] = {"whitelist_update",
                "UPDATE latchkey.whitelist SET enabled = $2, scope = $3 WHERE company_id = $1"},
    [FIND_HOLDERS] = {"whitelist_find_holders",
                      "SELECT entry_id, cidr FROM latchkey.whitelist_holders($1, NULL, $2)"},
    [INSERT] = {"whitelist_insert",
                "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, note,"
                " owner, disabled, expires_at, created_by)"
                " SELECT new.entry_id, w.company_id, w.live_list_id, new.address, new.cidr, new.note,"
                " new.owner, new.disabled <> 0, nullif(new.expires_at, 'infinity'), $9"
                " FROM latchkey.whitelist w CROSS JOIN unnest($2::uuid[], $3::text[], $4::cidr[], $5::text[],"
                " $6::text[], $7::bigint[], $8::timestamptz[])"
                " AS new (entry_id, address, cidr, note, owner, disabled, expires_at)"
                " WHERE w.company_id = $1"},
    [DELETE] = {"whitelist_delete",
                "DELETE FROM latchkey.whitelist_entry e USING latchkey.whitelist w"
                " WHERE w.company_id = $1 AND e.list_id = w.live_list_id AND e.entry_id = ANY ($2)"},
    // why: which index serves a list depends on which of its filters are set. Without one that picks out few
    // entries the planner, who can't know how long this company's list is, must not sort the whole for a
    // page.
    [PLAN_AFRESH] = {"whitelist_plan_afresh",
                     "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
                     " set_config('enable_sort', $1, true)"},
    // why the sub-select: with its list a constant, the primary key gives entries in the order wanted.
    [LIST] = {"whitelist_list",
              "SELECT e.entry_id, e.address, e.cidr, e.note, e.owner, e.disabled, e.expires_at,"
              " e.created_at, e.created_by, u.last_hit_at, e.version FROM latchkey.whitelist_entry e"
              " LEFT JOIN latchkey.whitelist_entry_use u ON u.entry_id = e.entry_id"
              " WHERE e.list_id = (SELECT w.live_list_id FROM latchkey.whitelist w WHERE w.company_id = $1)"
              " AND ($3::uuid IS NULL OR e.entry_id < $3)"
              " AND ($4::inet IS NULL OR e.cidr = ANY (latchkey.containing_prefixes($4)))"
              " AND ($5::cidr IS NULL OR (e.cidr >= $5 AND e.cidr <= $6))"
              " AND ($7::timestamptz IS NULL OR e.expires_at < $7)"
              " AND ($8 = '' OR position(lower($8) IN lower(e.note)) > 0)"
              " AND (NOT $9 OR u.last_hit_at IS NULL)"
              " ORDER BY e.entry_id DESC LIMIT $2"},
    [MATCH] = {"whitelist_match",
               "SELECT m.entry_id, m.address, m.cidr, m.note, m.owner, m.disabled, m.expires_at,"
               " m.created_at, m.created_by, m.last_hit_at, m.version, m.listed, m.common_bits"
               " FROM latchkey.whitelist_match($1, NULL, $2) AS m"},
};

// Columns of READ.
enum { COMPANY_ID, ENABLED, SCOPE, ENTRY_COUNT, CONFIRM_BY, WHITELIST_VERSION, NOW };

// Columns of LIST, and of MATCH with two more.
enum {
    ENTRY_ID,
    ADDRESS,
    CIDR,
    NOTE,
    OWNER,
    DISABLED,
    EXPIRES_AT,
    CREATED_AT,
    CREATED_BY,
    LAST_HIT_AT,
    VERSION,
    LISTED,
    COMMON_BITS,
};

// ---- from rows ----

static enum status read_whitelist(struct app_call *call, const struct db_result *rows,
                                  struct whitelist *ret_whitelist) {
    // Every company is made with one.
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_INTERNAL, "WHITELIST_MISSING", "the company has no whitelist");
    *ret_whitelist = (struct whitelist){
        .company_id = db_result_get_uuid(rows, 0, COMPANY_ID),
        .is_enabled = db_result_get_bool(rows, 0, ENABLED),
        .scope = (enum whitelist_scope)db_result_get_int16(rows, 0, SCOPE),
        .entry_count = db_result_get_int64(rows, 0, ENTRY_COUNT),
        .confirm_by_ms = db_result_get_time_ms_or(rows, 0, CONFIRM_BY, CLOCK_NEVER_MS),
        .version = db_result_get_int64(rows, 0, WHITELIST_VERSION),
    };
    return STATUS_OK;
}

static enum status read_standing(struct app_call *call, const struct db_result *whitelist,
                                 const struct db_result *standing, struct whitelist_standing *ret_standing) {
    enum status status = read_whitelist(call, whitelist, &ret_standing->whitelist);
    if (status != STATUS_OK)
        return status;
    ret_standing->lists_caller = db_result_get_bool(standing, 0, 0);
    ret_standing->lists_anybody = db_result_get_bool(standing, 0, 1);
    return STATUS_OK;
}

static bool read_entry(const struct db_result *rows, int row, struct arena *arena,
                       struct whitelist_entry *ret_entry) {
    *ret_entry = (struct whitelist_entry){
        .entry_id = db_result_get_uuid(rows, row, ENTRY_ID),
        .address = db_result_copy_text(rows, row, ADDRESS, arena),
        .prefix = db_result_get_prefix(rows, row, CIDR),
        .note = db_result_copy_text(rows, row, NOTE, arena),
        .owner = db_result_copy_text(rows, row, OWNER, arena),
        .is_disabled = db_result_get_bool(rows, row, DISABLED),
        .expires_at_ms = db_result_get_time_ms_or(rows, row, EXPIRES_AT, CLOCK_NEVER_MS),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .created_by = db_result_copy_text(rows, row, CREATED_BY, arena),
        .last_hit_at_ms = db_result_get_time_ms_or(rows, row, LAST_HIT_AT, CLOCK_ALWAYS_MS),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    return ret_entry->address && ret_entry->note && ret_entry->owner && ret_entry->created_by;
}

// ---- parameters ----

static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

static void init_standing(struct db_params *params, const struct app_call *call) {
    init_params(params, call);
    db_params_add_time_ms(params, call->now_ms);
    db_params_add_address(params, &call->caller->address);
}

// The columns of the new entries, one array each.
static bool init_insert(struct db_params *params, const struct app_call *call,
                        const struct whitelist_addition *addition) {
    size_t count = addition->count;
    struct bytes *addresses = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct bytes *notes = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct bytes *owners = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    int64_t *disabled = ARENA_NEW_ARRAY(call->arena, int64_t, count);
    int64_t *ends = ARENA_NEW_ARRAY(call->arena, int64_t, count);
    if (!addresses || !notes || !owners || !disabled || !ends)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct whitelist_wish *wish = &addition->wishes[i];
        addresses[i] = bytes_of_text(wish->address);
        notes[i] = bytes_of_text(wish->note);
        owners[i] = bytes_of_text(wish->owner);
        disabled[i] = wish->is_disabled;
        ends[i] = wish->expires_at_ms;
    }
    init_params(params, call);
    db_params_add_uuid_array(params, addition->entry_ids, count);
    db_params_add_text_array(params, addresses, count);
    db_params_add_prefix_array(params, addition->prefixes, count);
    db_params_add_text_array(params, notes, count);
    db_params_add_text_array(params, owners, count);
    db_params_add_int64_array(params, disabled, count);
    db_params_add_time_ms_array(params, ends, count);
    db_params_add_text(params, bytes_of_text(addition->created_by));
    return true;
}

// The last address of a range: in PostgreSQL's order of prefixes, what lies inside the range lies between the
// two. (Its operator <<= would say the same, but row-level security keeps that from the index.)
static struct ip_prefix get_last_address(const struct ip_prefix *within) {
    struct ip_prefix last = *within;
    last.bits = (uint8_t)ip_address_get_width_bits(&within->address);
    for (unsigned bit = within->bits; bit < last.bits; bit++)
        last.address.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    return last;
}

static void add_within(struct db_params *params, const struct ip_prefix *within) {
    if (within->address.family == IP_FAMILY_NONE) {
        db_params_add_null(params, DB_TYPE_CIDR);
        db_params_add_null(params, DB_TYPE_CIDR);
        return;
    }
    struct ip_prefix last = get_last_address(within);
    db_params_add_prefix(params, within);
    db_params_add_prefix(params, &last);
}

// ---- settings ----

enum status whitelist_store_get(struct app_call *call, struct whitelist *ret_whitelist) {
    struct db_params params;
    const struct db_result *rows;
    init_params(&params, call);
    enum status status = db_query(call->transaction, &statements[READ], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_whitelist(call, rows, ret_whitelist);
}

enum status whitelist_store_lock(struct app_call *call, struct whitelist_standing *ret_standing) {
    struct db_params company, standing;
    init_params(&company, call);
    init_standing(&standing, call);
    // why two statements: what waits for the lock reads afterwards what the one before it has left.
    struct db_command commands[] = {{&statements[LOCK], &company, NULL},
                                    {&statements[READ], &company, NULL},
                                    {&statements[STANDING], &standing, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_standing(call, commands[1].result, commands[2].result, ret_standing);
}

enum status whitelist_store_update(struct app_call *call, bool is_enabled, enum whitelist_scope scope,
                                   struct whitelist *ret_whitelist) {
    struct db_params company, update;
    init_params(&company, call);
    init_params(&update, call);
    db_params_add_bool(&update, is_enabled);
    db_params_add_int16(&update, (int16_t)scope);
    struct db_command commands[] = {{&statements[UPDATE], &update, NULL},
                                    {&statements[READ], &company, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_whitelist(call, commands[1].result, ret_whitelist);
}

// ---- entries ----

static bool read_holders(const struct db_result *rows, struct arena *arena, struct whitelist_added *added) {
    added->holder_count = (size_t)db_result_get_row_count(rows);
    added->holders = ARENA_NEW_ARRAY(arena, struct whitelist_holder, added->holder_count);
    for (size_t i = 0; added->holders && i < added->holder_count; i++)
        added->holders[i] = (struct whitelist_holder){.is_known = true,
                                                      .entry_id = db_result_get_uuid(rows, (int)i, 0),
                                                      .prefix = db_result_get_prefix(rows, (int)i, 1)};
    return added->holders != NULL;
}

enum status whitelist_store_add(struct app_call *call, const struct whitelist_addition *addition,
                                struct whitelist_added *ret_added) {
    struct db_params company, holders, insert;
    init_params(&company, call);
    init_params(&holders, call);
    db_params_add_prefix_array(&holders, addition->prefixes, addition->count);
    if (!init_insert(&insert, call, addition))
        return fault_set_no_memory(call->fault);
    struct db_command commands[] = {{&statements[LOCK], &company, NULL},
                                    {&statements[READ], &company, NULL},
                                    {&statements[FIND_HOLDERS], &holders, NULL},
                                    {&statements[INSERT], &insert, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    struct whitelist before;
    status = read_whitelist(call, commands[1].result, &before);
    if (status != STATUS_OK)
        return status;
    ret_added->entry_count_before = before.entry_count;
    ret_added->created_at_ms = db_result_get_time_ms(commands[1].result, 0, NOW);
    return read_holders(commands[2].result, call->arena, ret_added) ? STATUS_OK
                                                                    : fault_set_no_memory(call->fault);
}

enum status whitelist_store_remove(struct app_call *call, const struct uuid *entry_ids, size_t count,
                                   int64_t *ret_removed, struct whitelist_standing *ret_standing) {
    struct db_params company, delete, standing;
    init_params(&company, call);
    init_params(&delete, call);
    db_params_add_uuid_array(&delete, entry_ids, count);
    init_standing(&standing, call);
    struct db_command commands[] = {{&statements[LOCK], &company, NULL},
                                    {&statements[DELETE], &delete, NULL},
                                    {&statements[READ], &company, NULL},
                                    {&statements[STANDING], &standing, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_removed = db_result_get_affected_count(commands[1].result);
    return read_standing(call, commands[2].result, commands[3].result, ret_standing);
}

static bool picks_few(const struct whitelist_filter *filter) {
    return filter->contains.family != IP_FAMILY_NONE || filter->within.address.family != IP_FAMILY_NONE ||
           filter->expires_before_ms != CLOCK_NEVER_MS;
}

enum status whitelist_store_list(struct app_call *call, const struct whitelist_filter *filter,
                                 struct uuid after, int32_t limit, struct whitelist_page *ret_page) {
    struct db_params plan, params;
    db_params_init(&plan, call->arena);
    db_params_add_text(&plan, picks_few(filter) ? BYTES_LITERAL("on") : BYTES_LITERAL("off"));
    init_params(&params, call);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    db_params_add_uuid_or_null(&params, after);
    db_params_add_address(&params, &filter->contains);
    add_within(&params, &filter->within);
    db_params_add_time_ms_or_null(&params, filter->expires_before_ms);
    db_params_add_text(&params, filter->note_contains);
    db_params_add_bool(&params, filter->is_never_hit);
    struct db_command commands[] = {{&statements[PLAN_AFRESH], &plan, NULL},
                                    {&statements[LIST], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    int row_count = db_result_get_row_count(commands[1].result);
    struct whitelist_page page = {.count = (size_t)(row_count < limit ? row_count : limit),
                                  .has_more = row_count > limit};
    page.entries = ARENA_NEW_ARRAY(call->arena, struct whitelist_entry, page.count);
    for (size_t i = 0; page.entries && i < page.count; i++)
        if (!read_entry(commands[1].result, (int)i, call->arena, &page.entries[i]))
            return fault_set_no_memory(call->fault);
    *ret_page = page;
    return page.entries ? STATUS_OK : fault_set_no_memory(call->fault);
}

enum status whitelist_store_match(struct app_call *call, const struct ip_address *address,
                                  struct whitelist_match *ret_match) {
    struct db_params company, match;
    init_params(&company, call);
    init_params(&match, call);
    db_params_add_address(&match, address);
    struct db_command commands[] = {{&statements[READ], &company, NULL}, {&statements[MATCH], &match, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    struct whitelist whitelist;
    const struct db_result *row = commands[1].result;
    status = read_whitelist(call, commands[0].result, &whitelist);
    if (status != STATUS_OK)
        return status;
    *ret_match = (struct whitelist_match){.is_enabled = whitelist.is_enabled,
                                          .has_entry = db_result_get_row_count(row) > 0};
    if (!ret_match->has_entry)
        return STATUS_OK;
    ret_match->is_listed = db_result_get_bool(row, 0, LISTED);
    ret_match->common_bits = (uint32_t)db_result_get_int16(row, 0, COMMON_BITS);
    return read_entry(row, 0, call->arena, &ret_match->entry) ? STATUS_OK : fault_set_no_memory(call->fault);
}
