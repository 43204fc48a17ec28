#include "services/whitelist/whitelist_draft_store.h"

#include "common/base/clock.h"
#include "services/whitelist/whitelist_row.h"
#include "services/whitelist/whitelist_rules.h"

enum { LOCK, READ, LIST, COUNT_UNSWEPT, BEGIN, GET, DISCARD, PUBLISH, CONFIRM, REVERT, SETTLE };

#define DRAFT_COLUMNS                                                                               \
    "SELECT l.list_id, l.entry_count, l.created_at, l.created_by,"                                  \
    " (l.base_list_id, l.base_edits) IS DISTINCT FROM (live.list_id, live.edits)"                   \
    " FROM latchkey.whitelist w JOIN latchkey.whitelist_list live ON live.list_id = w.live_list_id" \
    " JOIN latchkey.whitelist_list l ON l.company_id = w.company_id AND l.state = 'draft'"          \
    " WHERE w.company_id = $1"

#define IS_POINTED_TO "l.list_id IN (w.live_list_id, coalesce(w.previous_list_id, w.live_list_id))"

static const struct db_statement statements[] = {
    // why not wait: who has the lock may copy a million entries, and each that waits keeps a connection.
    [LOCK] = {"whitelist_lock_drafts",
              "SELECT pg_try_advisory_xact_lock("
              "hashtextextended('latchkey whitelist drafts ' || $1::uuid::text, 0))"},
    [READ] = {"whitelist_read_live",
              "SELECT " WHITELIST_COLUMNS " FROM latchkey.whitelist w"
              " JOIN latchkey.whitelist_list l ON l.list_id = w.live_list_id WHERE w.company_id = $1"},
    [LIST] = {"whitelist_list_drafts", DRAFT_COLUMNS " ORDER BY l.list_id DESC"},
    [COUNT_UNSWEPT] = {"whitelist_count_unswept", "SELECT count(*) FROM latchkey.whitelist_list"
                                                  " WHERE company_id = $1 AND state = 'replaced'"},
    // One statement, so that the copy and what it is a copy of are seen at one moment. It holds no row that
    // others write; the entries are logged as those of a list that is not live.
    [BEGIN] = {"whitelist_begin_draft",
               "WITH begun AS (INSERT INTO latchkey.whitelist_list (list_id, company_id, created_by, state,"
               " base_list_id, base_edits) SELECT $2, w.company_id, $3, 'draft', live.list_id, live.edits"
               " FROM latchkey.whitelist w JOIN latchkey.whitelist_list live ON live.list_id = w.live_list_id"
               " WHERE w.company_id = $1 RETURNING list_id, base_list_id)"
               " INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, note,"
               " owner, disabled, expires_at, created_at, created_by, version)"
               " SELECT e.entry_id, e.company_id, begun.list_id, e.address, e.cidr, e.note, e.owner,"
               " e.disabled, e.expires_at, e.created_at, e.created_by, e.version"
               " FROM begun JOIN latchkey.whitelist_entry e ON e.list_id = begun.base_list_id"
               " WHERE NOT $4"},
    [GET] = {"whitelist_get_draft", DRAFT_COLUMNS " AND l.list_id = $2"},
    [DISCARD] = {"whitelist_discard_draft",
                 "UPDATE latchkey.whitelist_list l SET state = 'replaced' WHERE l.company_id = $1"
                 " AND l.list_id = $2 AND l.state = 'draft'"},
    [PUBLISH] = {"whitelist_publish",
                 "UPDATE latchkey.whitelist w SET live_list_id = $2,"
                 " previous_list_id = CASE WHEN $3::timestamptz IS NOT NULL THEN w.live_list_id END,"
                 " confirm_by = $3 WHERE w.company_id = $1"},
    [CONFIRM] = {"whitelist_confirm",
                 "UPDATE latchkey.whitelist SET previous_list_id = NULL, confirm_by = NULL"
                 " WHERE company_id = $1"},
    // The settings before come back by triggers, which tell the two apart by the pointer: one that names it
    // reverts (0028).
    [REVERT] = {"whitelist_revert",
                "UPDATE latchkey.whitelist SET live_list_id = previous_list_id, previous_list_id = NULL,"
                " confirm_by = NULL WHERE company_id = $1 AND confirm_by <= clock_timestamp()"},
    // After the pointer has moved: what it points to is used, what was used and is not any more is replaced.
    [SETTLE] = {"whitelist_settle",
                "UPDATE latchkey.whitelist_list l SET state = CASE WHEN " IS_POINTED_TO
                " THEN 'used' ELSE 'replaced' END FROM latchkey.whitelist w"
                " WHERE w.company_id = $1 AND l.company_id = $1"
                " AND CASE WHEN " IS_POINTED_TO " THEN l.state <> 'used' ELSE l.state = 'used' END"},
};

enum { LIST_ID, ENTRY_COUNT, CREATED_AT, CREATED_BY, OUTDATED };

static const struct uuid live = {{0}};

static void init_company(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

static bool read_draft(const struct db_result *rows, int row, struct arena *arena,
                       struct whitelist_draft *ret_draft) {
    *ret_draft = (struct whitelist_draft){.draft_id = db_result_get_uuid(rows, row, LIST_ID),
                                          .entry_count = db_result_get_int64(rows, row, ENTRY_COUNT),
                                          .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
                                          .created_by = db_result_copy_text(rows, row, CREATED_BY, arena),
                                          .is_outdated = db_result_get_bool(rows, row, OUTDATED)};
    return ret_draft->created_by != NULL;
}

static enum status read_only_draft(struct app_call *call, const struct db_result *rows, struct uuid draft_id,
                                   struct whitelist_draft *ret_draft) {
    if (db_result_get_row_count(rows) == 0)
        return whitelist_row_refuse_draft(call, draft_id);
    return read_draft(rows, 0, call->arena, ret_draft) ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- drafts ----

// What READ and LIST found.
static enum status read_drafts(struct app_call *call, const struct db_result *whitelist,
                               const struct db_result *rows, struct whitelist_drafts *ret_drafts) {
    struct whitelist_drafts all = {.count = (size_t)db_result_get_row_count(rows)};
    all.drafts = ARENA_NEW_ARRAY(call->arena, struct whitelist_draft, all.count);
    for (size_t i = 0; all.drafts && i < all.count; i++)
        if (!read_draft(rows, (int)i, call->arena, &all.drafts[i]))
            return fault_set_no_memory(call->fault);
    if (!all.drafts)
        return fault_set_no_memory(call->fault);
    enum status status = whitelist_row_read(call, whitelist, live, &all.whitelist);
    if (status == STATUS_OK)
        *ret_drafts = all;
    return status;
}

enum status whitelist_store_list_drafts(struct app_call *call, struct whitelist_drafts *ret_drafts) {
    struct db_params company;
    init_company(&company, call);
    struct db_command commands[] = {{&statements[READ], &company, NULL}, {&statements[LIST], &company, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_drafts(call, commands[0].result, commands[1].result, ret_drafts);
}

enum status whitelist_store_lock_drafts(struct app_call *call, struct whitelist_drafts *ret_drafts,
                                        int64_t *ret_unswept) {
    struct db_params company;
    init_company(&company, call);
    struct db_command commands[] = {{&statements[LOCK], &company, NULL},
                                    {&statements[READ], &company, NULL},
                                    {&statements[LIST], &company, NULL},
                                    {&statements[COUNT_UNSWEPT], &company, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (!db_result_get_bool(commands[0].result, 0, 0))
        return whitelist_refuse_second_beginning(call->fault);
    *ret_unswept = db_result_get_int64(commands[3].result, 0, 0);
    return read_drafts(call, commands[1].result, commands[2].result, ret_drafts);
}

enum status whitelist_store_begin_draft(struct app_call *call, const struct whitelist_beginning *beginning,
                                        struct whitelist_draft *ret_draft) {
    struct db_params begin, get;
    init_company(&begin, call);
    db_params_add_uuid(&begin, beginning->draft_id);
    db_params_add_text(&begin, bytes_of_text(beginning->created_by));
    db_params_add_bool(&begin, beginning->is_empty);
    whitelist_row_init_params(&get, call, beginning->draft_id);
    struct db_command commands[] = {
        whitelist_store_plan_command(), {&statements[BEGIN], &begin, NULL}, {&statements[GET], &get, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_only_draft(call, commands[2].result, beginning->draft_id, ret_draft);
}

enum status whitelist_store_get_draft(struct app_call *call, struct uuid draft_id,
                                      struct whitelist_draft *ret_draft) {
    struct db_params params;
    const struct db_result *rows;
    whitelist_row_init_params(&params, call, draft_id);
    enum status status = db_query(call->transaction, &statements[GET], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_only_draft(call, rows, draft_id, ret_draft);
}

enum status whitelist_store_discard_draft(struct app_call *call, struct uuid draft_id, bool *ret_was_there) {
    struct db_params params, again;
    whitelist_row_init_params(&params, call, draft_id);
    struct db_command commands[2] = {{&statements[DISCARD], &params, NULL}};
    if (call->caller)
        commands[1] = caller_look_again(call->caller, &again, call->arena);
    enum status status = db_query_batch(call->transaction, commands, call->caller ? 2 : 1);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_was_there = db_result_get_affected_count(commands[0].result) > 0;
    return call->caller ? caller_check_again(call->caller, &commands[1], call->arena, call->fault)
                        : STATUS_OK;
}

// ---- the pointer ----

enum status whitelist_store_lock_draft(struct app_call *call, struct uuid draft_id,
                                       struct whitelist_candidate *ret_candidate) {
    struct whitelist_list_query of_live, of_draft;
    struct db_params again;
    whitelist_store_init_query(&of_live, call, live, NULL, 0);
    whitelist_store_init_query(&of_draft, call, draft_id, NULL, 0);
    enum { AGAIN = 2, FOUND, READ_LIVE, LIVE, READ_DRAFT, DRAFT, COUNT };
    struct db_command commands[COUNT] = {whitelist_store_lock_command(&of_live, live),
                                         whitelist_store_lock_command(&of_draft, draft_id),
                                         [AGAIN] = caller_look_again(call->caller, &again, call->arena),
                                         [FOUND] = {&statements[GET], &of_draft.target, NULL},
                                         [READ_LIVE] = whitelist_store_read_command(&of_live),
                                         [LIVE] = whitelist_store_standing_command(&of_live),
                                         [READ_DRAFT] = whitelist_store_read_command(&of_draft),
                                         [DRAFT] = whitelist_store_standing_command(&of_draft)};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    status = caller_check_again(call->caller, &commands[AGAIN], call->arena, call->fault);
    if (status == STATUS_OK)
        status = read_only_draft(call, commands[FOUND].result, draft_id, &ret_candidate->draft);
    if (status == STATUS_OK)
        status = whitelist_store_read_standing(call, live, &commands[READ_LIVE], &commands[LIVE],
                                               &ret_candidate->live);
    if (status == STATUS_OK)
        status = whitelist_store_read_standing(call, draft_id, &commands[READ_DRAFT], &commands[DRAFT],
                                               &ret_candidate->published);
    return status;
}

// The pointer moves by `move`, and the states of the lists follow.
static enum status move_pointer(struct app_call *call, const struct db_command *move,
                                struct whitelist *ret_whitelist) {
    struct db_params company;
    init_company(&company, call);
    struct db_command commands[] = {
        *move, {&statements[SETTLE], &company, NULL}, {&statements[READ], &company, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return whitelist_row_read(call, commands[2].result, live, ret_whitelist);
}

enum status whitelist_store_publish(struct app_call *call, struct uuid draft_id, int64_t confirm_by_ms,
                                    struct whitelist *ret_whitelist) {
    struct db_params params;
    whitelist_row_init_params(&params, call, draft_id);
    db_params_add_time_ms_or_null(&params, confirm_by_ms);
    struct db_command move = {&statements[PUBLISH], &params, NULL};
    return move_pointer(call, &move, ret_whitelist);
}

enum status whitelist_store_confirm(struct app_call *call, struct whitelist *ret_whitelist) {
    struct db_params company;
    init_company(&company, call);
    struct db_command move = {&statements[CONFIRM], &company, NULL};
    return move_pointer(call, &move, ret_whitelist);
}

enum status whitelist_store_revert(struct app_call *call, struct whitelist_reversal *ret_reversal) {
    struct whitelist_list_query query;
    struct db_params company;
    whitelist_store_init_query(&query, call, live, NULL, 0);
    init_company(&company, call);
    enum { BEFORE = 1, MOVED, AFTER = 4, COUNT };
    struct db_command commands[COUNT] = {whitelist_store_lock_command(&query, live),
                                         [BEFORE] = {&statements[READ], &company, NULL},
                                         [MOVED] = {&statements[REVERT], &company, NULL},
                                         {&statements[SETTLE], &company, NULL},
                                         [AFTER] = {&statements[READ], &company, NULL}};
    enum status status = db_query_batch(call->transaction, commands, COUNT);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    ret_reversal->is_done = db_result_get_affected_count(commands[MOVED].result) > 0;
    status = whitelist_row_read(call, commands[BEFORE].result, live, &ret_reversal->before);
    return status == STATUS_OK ? whitelist_row_read(call, commands[AFTER].result, live, &ret_reversal->after)
                               : status;
}
