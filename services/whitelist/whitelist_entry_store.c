#include "services/whitelist/whitelist_entry_store.h"

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/whitelist/whitelist_row.h"

enum { NOW, FIND_HOLDERS, INSERT, DELETE, FIND, FIND_HOLDER, UPDATE, MATCH };

static const struct db_statement statements[] = {
    [NOW] = {"whitelist_now", "SELECT now()"},
    [FIND_HOLDERS] = {"whitelist_find_holders",
                      "SELECT entry_id, cidr FROM latchkey.whitelist_holders($1, $2, $3)"},
    [INSERT] = {"whitelist_insert",
                "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, note,"
                " owner, disabled, expires_at, created_by)"
                " SELECT new.entry_id, $1, target.list_id, new.address, new.cidr, new.note, new.owner,"
                " new.disabled <> 0, nullif(new.expires_at, 'infinity'), $10"
                " FROM (SELECT " WHITELIST_TARGET " AS list_id) AS target"
                " CROSS JOIN unnest($3::uuid[], $4::text[], $5::cidr[], $6::text[], $7::text[], $8::bigint[],"
                " $9::timestamptz[])"
                " AS new (entry_id, address, cidr, note, owner, disabled, expires_at)"
                " WHERE target.list_id IS NOT NULL"},
    [DELETE] = {"whitelist_delete",
                "WITH gone AS (DELETE FROM latchkey.whitelist_entry e"
                " WHERE e.list_id = " WHITELIST_TARGET
                " AND e.entry_id = ANY ($3) RETURNING e.*)" WHITELIST_FORGET_GONE
                " SELECT " WHITELIST_ENTRY_COLUMNS("NULL::timestamptz") " FROM gone AS e"},
    [FIND] = {"whitelist_find_entry",
              "SELECT " WHITELIST_ENTRY_COLUMNS(
                  "u.last_hit_at") " FROM latchkey.whitelist_entry e"
                                   " LEFT JOIN latchkey.whitelist_entry_use u ON u.entry_id = e.entry_id"
                                   " WHERE e.list_id = " WHITELIST_TARGET " AND e.entry_id = $3"},
    [FIND_HOLDER] = {"whitelist_find_holder",
                     "SELECT e.entry_id, e.cidr FROM latchkey.whitelist_entry e"
                     " WHERE e.list_id = " WHITELIST_TARGET
                     " AND e.cidr = ANY ((SELECT latchkey.containing_prefixes($4))::cidr[])"
                     " AND e.entry_id <> $3 ORDER BY masklen(e.cidr) DESC, e.entry_id LIMIT 1"},
    [UPDATE] = {"whitelist_update_entry",
                "UPDATE latchkey.whitelist_entry e SET address = $4, cidr = $5, note = $6, owner = $7,"
                " disabled = $8, expires_at = $9 WHERE e.list_id = " WHITELIST_TARGET
                " AND e.entry_id = $3 RETURNING e.version"},
    [MATCH] = {"whitelist_match",
               "SELECT m.entry_id, m.address, m.cidr, m.note, m.owner, m.disabled, m.expires_at,"
               " m.created_at, m.created_by, m.last_hit_at, m.version, m.listed, m.common_bits"
               " FROM latchkey.whitelist_match($1, $2, $3) AS m"},
};

// Behind the columns of the entry, in MATCH.
enum { LISTED = WHITELIST_ENTRY_COLUMN_COUNT, COMMON_BITS };

static bool read_entries(const struct db_result *rows, struct arena *arena,
                         struct whitelist_entry **ret_entries, size_t *ret_count) {
    size_t count = (size_t)db_result_get_row_count(rows);
    struct whitelist_entry *entries = ARENA_NEW_ARRAY(arena, struct whitelist_entry, count);
    for (size_t i = 0; entries && i < count; i++)
        if (!whitelist_row_read_entry(rows, (int)i, arena, &entries[i]))
            return false;
    *ret_entries = entries;
    *ret_count = count;
    return entries != NULL;
}

// ---- adding ----

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
    whitelist_row_init_params(params, call, addition->draft_id);
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

static struct whitelist_holder read_holder(const struct db_result *rows, int row) {
    return (struct whitelist_holder){.is_known = true,
                                     .entry_id = db_result_get_uuid(rows, row, 0),
                                     .prefix = db_result_get_prefix(rows, row, 1)};
}

static bool read_holders(const struct db_result *rows, struct arena *arena, struct whitelist_added *added) {
    added->holder_count = (size_t)db_result_get_row_count(rows);
    added->holders = ARENA_NEW_ARRAY(arena, struct whitelist_holder, added->holder_count);
    for (size_t i = 0; added->holders && i < added->holder_count; i++)
        added->holders[i] = read_holder(rows, (int)i);
    return added->holders != NULL;
}

enum status whitelist_store_add(struct app_call *call, const struct whitelist_addition *addition,
                                struct whitelist_added *ret_added) {
    struct whitelist_list_query query;
    struct db_params holders, insert, again;
    whitelist_store_init_query(&query, call, addition->draft_id, NULL, 0);
    whitelist_row_init_params(&holders, call, addition->draft_id);
    db_params_add_prefix_array(&holders, addition->prefixes, addition->count);
    if (!init_insert(&insert, call, addition))
        return fault_set_no_memory(call->fault);
    enum { AGAIN = 1, READ, AT, HOLDERS, COUNT = 6 };
    struct db_command commands[COUNT] = {whitelist_store_lock_command(&query, addition->draft_id),
                                         [AGAIN] = caller_look_again(call->caller, &again, call->arena),
                                         [READ] = whitelist_store_read_command(&query),
                                         [AT] = {&statements[NOW], NULL, NULL},
                                         [HOLDERS] = {&statements[FIND_HOLDERS], &holders, NULL},
                                         {&statements[INSERT], &insert, NULL}};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    status = caller_check_again(call->caller, &commands[AGAIN], call->arena, call->fault);
    if (status == STATUS_OK)
        status = whitelist_row_read(call, commands[READ].result, addition->draft_id, &ret_added->before);
    if (status != STATUS_OK)
        return status;
    ret_added->created_at_ms = db_result_get_time_ms(commands[AT].result, 0, 0);
    return read_holders(commands[HOLDERS].result, call->arena, ret_added) ? STATUS_OK
                                                                          : fault_set_no_memory(call->fault);
}

// ---- removing ----

enum status whitelist_store_remove(struct app_call *call, struct uuid draft_id, const struct uuid *entry_ids,
                                   size_t count, struct whitelist_removed *ret_removed) {
    struct whitelist_list_query query;
    struct db_params delete, again;
    whitelist_store_init_query(&query, call, draft_id, NULL, 0);
    whitelist_row_init_params(&delete, call, draft_id);
    db_params_add_uuid_array(&delete, entry_ids, count);
    enum { AGAIN = 1, READ_BEFORE, BEFORE, GONE, READ_AFTER, AFTER, COUNT };
    struct db_command commands[COUNT] = {whitelist_store_lock_command(&query, draft_id),
                                         [AGAIN] = caller_look_again(call->caller, &again, call->arena),
                                         [READ_BEFORE] = whitelist_store_read_command(&query),
                                         [BEFORE] = whitelist_store_standing_command(&query),
                                         [GONE] = {&statements[DELETE], &delete, NULL},
                                         [READ_AFTER] = whitelist_store_read_command(&query),
                                         [AFTER] = whitelist_store_standing_command(&query)};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    status = caller_check_again(call->caller, &commands[AGAIN], call->arena, call->fault);
    if (status == STATUS_OK)
        status = whitelist_store_read_standing(call, draft_id, &commands[READ_BEFORE], &commands[BEFORE],
                                               &ret_removed->before);
    if (status == STATUS_OK)
        status = whitelist_store_read_standing(call, draft_id, &commands[READ_AFTER], &commands[AFTER],
                                               &ret_removed->after);
    if (status != STATUS_OK)
        return status;
    bool is_read =
        read_entries(commands[GONE].result, call->arena, &ret_removed->entries, &ret_removed->count);
    return is_read ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- changing one ----

static void init_entry(struct db_params *params, const struct app_call *call, struct uuid draft_id,
                       struct uuid entry_id) {
    whitelist_row_init_params(params, call, draft_id);
    db_params_add_uuid(params, entry_id);
}

enum status whitelist_store_lock_entry(struct app_call *call, struct uuid draft_id, struct uuid entry_id,
                                       struct whitelist_standing *ret_standing,
                                       struct whitelist_entry *ret_entry) {
    struct whitelist_list_query query;
    struct db_params find, again;
    whitelist_store_init_query(&query, call, draft_id, NULL, 0);
    init_entry(&find, call, draft_id, entry_id);
    enum { AGAIN = 1, READ, STANDING, FOUND, COUNT };
    struct db_command commands[COUNT] = {
        whitelist_store_lock_command(&query, draft_id),
        [AGAIN] = caller_look_again(call->caller, &again, call->arena),
        [READ] = whitelist_store_read_command(&query), [STANDING] = whitelist_store_standing_command(&query),
        [FOUND] = {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    status = caller_check_again(call->caller, &commands[AGAIN], call->arena, call->fault);
    if (status == STATUS_OK)
        status =
            whitelist_store_read_standing(call, draft_id, &commands[READ], &commands[STANDING], ret_standing);
    if (status != STATUS_OK)
        return status;
    if (db_result_get_row_count(commands[FOUND].result) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "ENTRY_NOT_FOUND", "the list has no entry %s",
                         typeid_of(TYPEID_ENTRY, entry_id).text);
    return whitelist_row_read_entry(commands[FOUND].result, 0, call->arena, ret_entry)
               ? STATUS_OK
               : fault_set_no_memory(call->fault);
}

static void init_update(struct db_params *params, const struct app_call *call, struct uuid draft_id,
                        const struct whitelist_entry *entry) {
    init_entry(params, call, draft_id, entry->entry_id);
    db_params_add_text(params, bytes_of_text(entry->address));
    db_params_add_prefix(params, &entry->prefix);
    db_params_add_text(params, bytes_of_text(entry->note));
    db_params_add_text(params, bytes_of_text(entry->owner));
    db_params_add_bool(params, entry->is_disabled);
    db_params_add_time_ms_or_null(params, entry->expires_at_ms);
}

enum status whitelist_store_update_entry(struct app_call *call, struct uuid draft_id,
                                         struct whitelist_entry *entry,
                                         struct whitelist_standing *ret_standing,
                                         struct whitelist_holder *ret_holder) {
    struct whitelist_list_query query;
    struct db_params holder, update;
    whitelist_store_init_query(&query, call, draft_id, NULL, 0);
    init_entry(&holder, call, draft_id, entry->entry_id);
    db_params_add_prefix(&holder, &entry->prefix);
    init_update(&update, call, draft_id, entry);
    enum { HOLDER, UPDATED, READ, STANDING, COUNT };
    struct db_command commands[COUNT] = {[HOLDER] = {&statements[FIND_HOLDER], &holder, NULL},
                                         [UPDATED] = {&statements[UPDATE], &update, NULL},
                                         [READ] = whitelist_store_read_command(&query),
                                         [STANDING] = whitelist_store_standing_command(&query)};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    entry->version = db_result_get_int64(commands[UPDATED].result, 0, 0);
    const struct db_result *found = commands[HOLDER].result;
    *ret_holder = db_result_get_row_count(found) > 0 ? read_holder(found, 0) : (struct whitelist_holder){0};
    return whitelist_store_read_standing(call, draft_id, &commands[READ], &commands[STANDING], ret_standing);
}

// ---- looking an address up ----

enum status whitelist_store_match(struct app_call *call, struct uuid draft_id,
                                  const struct ip_address *address, struct whitelist_match *ret_match) {
    struct whitelist_list_query query;
    struct db_params match;
    whitelist_store_init_query(&query, call, draft_id, NULL, 0);
    whitelist_row_init_params(&match, call, draft_id);
    db_params_add_address(&match, address);
    struct db_command commands[] = {whitelist_store_read_command(&query), {&statements[MATCH], &match, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    struct whitelist whitelist;
    const struct db_result *row = commands[1].result;
    status = whitelist_row_read(call, commands[0].result, draft_id, &whitelist);
    if (status != STATUS_OK)
        return status;
    *ret_match = (struct whitelist_match){.is_enabled = whitelist.is_enabled,
                                          .has_entry = db_result_get_row_count(row) > 0};
    if (!ret_match->has_entry)
        return STATUS_OK;
    ret_match->is_listed = db_result_get_bool(row, 0, LISTED);
    ret_match->common_bits = (uint32_t)db_result_get_int16(row, 0, COMMON_BITS);
    return whitelist_row_read_entry(row, 0, call->arena, &ret_match->entry)
               ? STATUS_OK
               : fault_set_no_memory(call->fault);
}
