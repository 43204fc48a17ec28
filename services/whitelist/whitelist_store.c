#include "services/whitelist/whitelist_store.h"

#include "common/base/clock.h"
#include "services/whitelist/whitelist_row.h"

enum { PLAN, LOCK_LIVE, LOCK_DRAFT, READ, STANDING, UPDATE, UPDATE_ON_TRIAL };

static const struct db_statement statements[] = {
    [PLAN] = {"whitelist_plan", "SELECT " WHITELIST_PLAN_AFRESH},
    [LOCK_LIVE] = {"whitelist_lock", "SELECT w.version, " WHITELIST_PLAN_AFRESH " FROM latchkey.whitelist w"
                                     " WHERE w.company_id = $1 AND $2::uuid IS NULL FOR NO KEY UPDATE"},
    [LOCK_DRAFT] = {"whitelist_lock_draft",
                    "SELECT l.list_id, " WHITELIST_PLAN_AFRESH " FROM latchkey.whitelist_list l"
                    " WHERE l.company_id = $1 AND l.list_id = $2 AND l.state = 'draft' FOR NO KEY UPDATE"},
    [READ] = {"whitelist_read",
              "SELECT " WHITELIST_COLUMNS " FROM latchkey.whitelist w JOIN latchkey.whitelist_list l"
              " ON l.company_id = w.company_id AND l.list_id = " WHITELIST_TARGET " WHERE w.company_id = $1"},
    // $4 = the caller's address, $5 = entries as if removed. why the order of the second: the index that
    // gives it finds the first live entry at once, however much of the table belongs to others.
    [STANDING] = {"whitelist_standing",
                  "SELECT (SELECT max(coalesce(e.expires_at, 'infinity')) FROM latchkey.whitelist_entry e"
                  " WHERE e.list_id = " WHITELIST_TARGET
                  " AND e.cidr = ANY ((SELECT latchkey.containing_prefixes($4))::cidr[])"
                  " AND " WHITELIST_IS_LIVE " AND e.entry_id <> ALL ($5)),"
                  " EXISTS (SELECT FROM (SELECT FROM latchkey.whitelist_entry e"
                  " WHERE e.list_id = " WHITELIST_TARGET " AND " WHITELIST_IS_LIVE
                  " AND e.entry_id <> ALL ($5) ORDER BY e.list_id, e.cidr LIMIT 1) AS live)"},
    [UPDATE] = {"whitelist_update",
                "UPDATE latchkey.whitelist SET enabled = $2, scope = $3 WHERE company_id = $1"},
    [UPDATE_ON_TRIAL] =
        {"whitelist_update_on_trial",
         "UPDATE latchkey.whitelist SET enabled = $2, scope = $3, confirm_by = $4, previous_enabled = enabled,"
         " previous_scope = scope, previous_list_id = live_list_id WHERE company_id = $1"},
};

// ---- parts of other round trips ----

void whitelist_store_init_query(struct whitelist_list_query *query, struct app_call *call,
                                struct uuid draft_id, const struct uuid *removed, size_t removed_count) {
    whitelist_row_init_params(&query->target, call, draft_id);
    whitelist_row_init_params(&query->standing, call, draft_id);
    db_params_add_time_ms(&query->standing, call->now_ms);
    db_params_add_address(&query->standing, &call->address);
    db_params_add_uuid_array(&query->standing, removed, removed_count);
}

struct db_command whitelist_store_lock_command(const struct whitelist_list_query *query,
                                               struct uuid draft_id) {
    return (struct db_command){&statements[uuid_is_zero(draft_id) ? LOCK_LIVE : LOCK_DRAFT], &query->target,
                               NULL};
}

struct db_command whitelist_store_plan_command(void) {
    return (struct db_command){&statements[PLAN], NULL, NULL};
}

struct db_command whitelist_store_read_command(const struct whitelist_list_query *query) {
    return (struct db_command){&statements[READ], &query->target, NULL};
}

struct db_command whitelist_store_standing_command(const struct whitelist_list_query *query) {
    return (struct db_command){&statements[STANDING], &query->standing, NULL};
}

enum status whitelist_store_read_standing(struct app_call *call, struct uuid draft_id,
                                          const struct db_command *read, const struct db_command *standing,
                                          struct whitelist_standing *ret_standing) {
    struct whitelist whitelist;
    enum status status = whitelist_row_read(call, read->result, draft_id, &whitelist);
    if (status != STATUS_OK)
        return status;
    ret_standing->whitelist = whitelist;
    ret_standing->outcome = (struct whitelist_outcome){
        .is_enabled = whitelist.is_enabled,
        .scope = whitelist.scope,
        .caller_until_ms = db_result_get_time_ms_or(standing->result, 0, 0, CLOCK_ALWAYS_MS),
        .lists_anybody = db_result_get_bool(standing->result, 0, 1)};
    return STATUS_OK;
}

// ---- settings ----

static const struct uuid live = {{0}};

enum status whitelist_store_lock(struct app_call *call, struct whitelist_standing *ret_standing) {
    struct whitelist_list_query query;
    struct db_params again;
    whitelist_store_init_query(&query, call, live, NULL, 0);
    // why several statements: what waits for the lock reads afterwards what the one before it has left.
    struct db_command commands[] = {
        whitelist_store_lock_command(&query, live), caller_look_again(call->caller, &again, call->arena),
        whitelist_store_read_command(&query), whitelist_store_standing_command(&query)};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if ((status = caller_check_again(call->caller, &commands[1], call->arena, call->fault)) != STATUS_OK)
        return status;
    return whitelist_store_read_standing(call, live, &commands[2], &commands[3], ret_standing);
}

enum status whitelist_store_update(struct app_call *call, const struct whitelist_settings *settings,
                                   struct whitelist *ret_whitelist) {
    bool is_on_trial = settings->confirm_by_ms != CLOCK_NEVER_MS;
    struct db_params target, update;
    whitelist_row_init_params(&target, call, live);
    db_params_init(&update, call->arena);
    db_params_add_uuid(&update, call->company_id);
    db_params_add_bool(&update, settings->is_enabled);
    db_params_add_int16(&update, (int16_t)settings->scope);
    if (is_on_trial)
        db_params_add_time_ms(&update, settings->confirm_by_ms);
    struct db_command commands[] = {{&statements[is_on_trial ? UPDATE_ON_TRIAL : UPDATE], &update, NULL},
                                    {&statements[READ], &target, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return whitelist_row_read(call, commands[1].result, live, ret_whitelist);
}
