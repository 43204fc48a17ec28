#include "services/cli/recover_store.h"

#include <string.h>

#include "common/app/audit.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"

// ---- what a lost change is called, and what can be done about it ----

#define NOTE "done again by latchkey recover"

// Of the company $1 and the kind $2, what is in the reports $3 and has not been done again.
//
// why those reports only: they are complete. Of one that comes in meanwhile a change could be marked as done
// again that came after the statement that would have done it.
#define LOST                                                                            \
    "(SELECT l.object_id, min(l.until) AS earliest,"                                    \
    " nullif(max(coalesce(l.until, 'infinity')), 'infinity') AS latest"                 \
    " FROM latchkey.lost_change l WHERE l.report_id = ANY ($3) AND l.redone_at IS NULL" \
    " AND l.company_id = $1 AND l.what = $2 GROUP BY l.object_id) AS lost"
#define OF_TOKEN " WHERE t.company_id = $1 AND t.token_id = lost.object_id AND t.deactivated_at IS NULL"

struct kind {
    const char *what;
    const char *prefix; // of the object's id
    enum lost_remedy remedy;
    struct db_statement redo; // returns the ids of those that were changed
};

// why an expiry that lies before the token's not-before is moved behind it: it is over all the same.
// 5 = OTHER of latchkey.v1.DeactivateReason.
static const struct kind kinds[] = {
    {"member.removed",
     TYPEID_MEMBER,
     LOST_REDO,
     {"recover_members",
      "UPDATE latchkey.member m SET removed_at = now() FROM " LOST " WHERE m.company_id = $1"
      " AND m.member_id = lost.object_id AND m.removed_at IS NULL RETURNING m.member_id"}},
    {"token.deactivated",
     TYPEID_TOKEN,
     LOST_REDO,
     {"recover_tokens", "UPDATE latchkey.token t SET deactivated_at = now(), deactivate_reason = 5,"
                        " deactivate_note = '" NOTE "' FROM " LOST OF_TOKEN " RETURNING t.token_id"}},
    {"token.rotated",
     TYPEID_TOKEN,
     LOST_REDO,
     {"recover_secrets",
      "WITH ended AS (UPDATE latchkey.token_secret s SET rotated_at = coalesce(s.rotated_at, now()),"
      " expires_at = '-infinity' FROM " LOST " WHERE s.company_id = $1 AND s.token_id = lost.object_id"
      " AND (s.expires_at IS NULL OR s.expires_at > now()) RETURNING s.token_id)"
      " SELECT DISTINCT token_id FROM ended"}},
    {"token.suspended",
     TYPEID_TOKEN,
     LOST_REDO,
     {"recover_suspensions",
      "UPDATE latchkey.token t SET suspended = true, suspended_until = lost.latest FROM " LOST OF_TOKEN
      " AND NOT (t.suspended"
      " AND coalesce(t.suspended_until, 'infinity') >= coalesce(lost.latest, 'infinity'))"
      " RETURNING t.token_id"}},
    {"token.expiry_shortened",
     TYPEID_TOKEN,
     LOST_REDO,
     {"recover_expiries",
      "UPDATE latchkey.token t SET expires_at = greatest(lost.earliest, t.not_before + interval '1 ms')"
      " FROM " LOST OF_TOKEN " AND (t.expires_at IS NULL OR t.expires_at > lost.earliest)"
      " RETURNING t.token_id"}},
    {"company.suspended",
     TYPEID_COMPANY,
     LOST_REDO,
     {"recover_companies", "UPDATE latchkey.company c SET suspended = true FROM " LOST
                           " WHERE c.company_id = $1 AND c.company_id = lost.object_id AND NOT c.suspended"
                           " RETURNING c.company_id"}},
    {.what = "token.updated", .prefix = TYPEID_TOKEN, .remedy = LOST_JUDGE},
    {.what = "token.unknown", .prefix = TYPEID_TOKEN, .remedy = LOST_JUDGE},
    {.what = "token.created", .prefix = TYPEID_TOKEN, .remedy = LOST_MISSING},
    {.what = "member.updated", .prefix = TYPEID_MEMBER, .remedy = LOST_JUDGE},
    {.what = "member.unknown", .prefix = TYPEID_MEMBER, .remedy = LOST_JUDGE},
    {.what = "member.created", .prefix = TYPEID_MEMBER, .remedy = LOST_MISSING},
    {.what = "role.updated", .prefix = TYPEID_ROLE, .remedy = LOST_JUDGE},
    {.what = "role.unknown", .prefix = TYPEID_ROLE, .remedy = LOST_JUDGE},
    {.what = "role.created", .prefix = TYPEID_ROLE, .remedy = LOST_MISSING},
    {.what = "company.unknown", .prefix = TYPEID_COMPANY, .remedy = LOST_JUDGE},
    {.what = "company.created", .prefix = TYPEID_COMPANY, .remedy = LOST_MISSING},
    {.what = "whitelist.updated", .prefix = TYPEID_COMPANY, .remedy = LOST_JUDGE},
    {.what = "permissions.set", .prefix = NULL, .remedy = LOST_JUDGE},
};

// What a validator of another release has told is for people to judge.
static const struct kind *find_kind(struct bytes what) {
    static const struct kind other = {.remedy = LOST_JUDGE};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (bytes_is_equal(what, bytes_of_text(kinds[i].what)))
            return &kinds[i];
    return &other;
}

// ---- statements ----

enum { TIMELINE, REPORTS, LANES, CHANGES, COMPANY, MARK_REDONE, SETTLE, ACCEPT, DESCRIBE };

// $1: the kinds of a remedy.
static const struct db_statement statements[] = {
    [TIMELINE] = {"recover_timeline", "SELECT latchkey.timeline_current(), latchkey.timeline_is_accepted()"},
    [REPORTS] = {"recover_reports",
                 "SELECT report_id, validator, reported_at, compared_at IS NOT NULL, failure"
                 " FROM latchkey.loss_report WHERE settled_at IS NULL ORDER BY reported_at, report_id"},
    [LANES] = {"recover_lanes", "SELECT lane::bigint, max(r.positions[lane + 1]), min(r.heads[lane + 1])"
                                " FROM latchkey.loss_report r, unnest(r.lanes) AS lane"
                                " WHERE r.settled_at IS NULL GROUP BY lane ORDER BY lane"},
    [CHANGES] = {"recover_changes",
                 "SELECT l.what, l.company_id, l.object_id, min(l.until)"
                 " FROM latchkey.lost_change l JOIN latchkey.loss_report r USING (report_id)"
                 " WHERE r.settled_at IS NULL AND l.redone_at IS NULL"
                 " GROUP BY l.what, l.company_id, l.object_id ORDER BY l.company_id, l.what, l.object_id"},
    // $2: a company; $3: the reports that were shown.
    [COMPANY] = {"recover_company",
                 "SELECT l.company_id FROM latchkey.lost_change l WHERE l.report_id = ANY ($3)"
                 " AND l.redone_at IS NULL AND l.what = ANY ($1) AND l.company_id > $2"
                 " ORDER BY l.company_id LIMIT 1"},
    [MARK_REDONE] = {"recover_mark_redone",
                     "UPDATE latchkey.lost_change l SET redone_at = now() WHERE l.report_id = ANY ($3)"
                     " AND l.redone_at IS NULL AND l.company_id = $2 AND l.what = ANY ($1)"},
    // $2: the reports that were shown; $3: with what is left of them.
    [SETTLE] = {"recover_settle",
                "UPDATE latchkey.loss_report r SET settled_at = now(), settled_by = session_user"
                " WHERE r.settled_at IS NULL AND r.report_id = ANY ($2) AND ($3 OR (r.compared_at IS NOT NULL"
                " AND NOT EXISTS (SELECT FROM latchkey.lost_change l WHERE l.report_id = r.report_id"
                " AND l.redone_at IS NULL AND l.what <> ALL ($1)))) RETURNING r.report_id"},
    [ACCEPT] = {"recover_accept",
                "SELECT latchkey.timeline_accept('latchkey recover by ' || session_user)"
                " WHERE NOT latchkey.timeline_is_accepted()"
                " AND NOT EXISTS (SELECT FROM latchkey.loss_report r WHERE r.settled_at IS NULL)"},
    [DESCRIBE] = {"recover_describe",
                  "SELECT (SELECT company_id FROM latchkey.company WHERE is_operator), json_build_object("
                  "'by', session_user, 'note', $1, 'timeline', latchkey.timeline_current(),"
                  " 'reports', $2, 'redone', $3, 'left', (SELECT count(*) FROM latchkey.lost_change l"
                  " WHERE l.report_id = ANY ($4) AND l.redone_at IS NULL))::text"},
};

// ---- reading ----

static enum status read_reports(const struct db_result *rows, struct arena *arena, struct loss *loss) {
    size_t count = (size_t)db_result_get_row_count(rows);
    loss->reports = ARENA_NEW_ARRAY(arena, struct loss_report, count);
    if (!loss->reports)
        return STATUS_NO_MEMORY;
    for (int row = 0; row < (int)count; row++) {
        struct loss_report *report = &loss->reports[loss->report_count++];
        *report = (struct loss_report){.report_id = db_result_get_uuid(rows, row, 0),
                                       .validator = db_result_copy_text(rows, row, 1, arena),
                                       .reported_at_ms = db_result_get_time_ms(rows, row, 2),
                                       .is_compared = db_result_get_bool(rows, row, 3),
                                       .failure = db_result_copy_text(rows, row, 4, arena)};
        if (!report->validator || !report->failure)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum status read_lanes(const struct db_result *rows, struct arena *arena, struct loss *loss) {
    size_t count = (size_t)db_result_get_row_count(rows);
    loss->lanes = ARENA_NEW_ARRAY(arena, struct lost_lane, count);
    if (!loss->lanes)
        return STATUS_NO_MEMORY;
    for (int row = 0; row < (int)count; row++)
        loss->lanes[loss->lane_count++] =
            (struct lost_lane){db_result_get_int64(rows, row, 0), db_result_get_int64(rows, row, 1),
                               db_result_get_int64(rows, row, 2)};
    return STATUS_OK;
}

static const char *copy_object_id(const struct kind *kind, struct uuid object_id, struct arena *arena) {
    char text[UUID_TEXT_LENGTH + 1];
    if (uuid_is_zero(object_id))
        return "";
    uuid_format(object_id, text);
    return arena_copy_text(arena, kind->prefix ? typeid_of(kind->prefix, object_id).text : text);
}

static enum status read_changes(const struct db_result *rows, struct arena *arena, struct loss *loss) {
    size_t count = (size_t)db_result_get_row_count(rows);
    loss->changes = ARENA_NEW_ARRAY(arena, struct lost_change, count);
    if (!loss->changes)
        return STATUS_NO_MEMORY;
    for (int row = 0; row < (int)count; row++) {
        const struct kind *kind = find_kind(db_result_get_text(rows, row, 0));
        struct lost_change *change = &loss->changes[loss->change_count++];
        *change =
            (struct lost_change){.what = db_result_copy_text(rows, row, 0, arena),
                                 .remedy = kind->remedy,
                                 .company_id = db_result_get_uuid(rows, row, 1),
                                 .object_id = copy_object_id(kind, db_result_get_uuid(rows, row, 2), arena),
                                 .until_ms = db_result_get_time_ms_or(rows, row, 3, CLOCK_NEVER_MS)};
        if (!change->what || !change->object_id)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status recover_store_read(struct db_transaction *transaction, struct arena *arena,
                               struct loss *ret_loss) {
    struct db_command commands[] = {{&statements[TIMELINE], NULL, NULL},
                                    {&statements[REPORTS], NULL, NULL},
                                    {&statements[LANES], NULL, NULL},
                                    {&statements[CHANGES], NULL, NULL}};
    enum status status = db_query_batch(transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return status;
    struct loss loss = {.timeline = db_result_get_int64(commands[0].result, 0, 0),
                        .is_timeline_accepted = db_result_get_bool(commands[0].result, 0, 1)};
    status = read_reports(commands[1].result, arena, &loss);
    if (status == STATUS_OK)
        status = read_lanes(commands[2].result, arena, &loss);
    if (status == STATUS_OK)
        status = read_changes(commands[3].result, arena, &loss);
    *ret_loss = loss;
    return status;
}

// ---- doing again ----

static void init_params(struct db_params *params, struct arena *arena, enum lost_remedy remedy) {
    struct bytes whats[ARRAY_LENGTH(kinds)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].remedy == remedy)
            whats[count++] = bytes_of_text(kinds[i].what);
    db_params_init(params, arena);
    db_params_add_text_array(params, whats, count);
}

// False when out of memory.
static bool add_reports(struct db_params *params, const struct loss *loss, struct arena *arena) {
    struct uuid *ids = ARENA_NEW_ARRAY(arena, struct uuid, loss->report_count);
    for (size_t i = 0; ids && i < loss->report_count; i++)
        ids[i] = loss->reports[i].report_id;
    if (ids)
        db_params_add_uuid_array(params, ids, loss->report_count);
    return ids != NULL;
}

enum status recover_store_find_company(struct db_transaction *transaction, struct arena *arena,
                                       const struct loss *loss, struct uuid *company_id) {
    struct db_params params;
    const struct db_result *row;
    init_params(&params, arena, LOST_REDO);
    db_params_add_uuid(&params, *company_id);
    if (!add_reports(&params, loss, arena))
        return STATUS_NO_MEMORY;
    enum status status = db_query(transaction, &statements[COMPANY], &params, &row);
    if (status == STATUS_OK)
        *company_id = db_result_get_row_count(row) > 0 ? db_result_get_uuid(row, 0, 0) : (struct uuid){{0}};
    return status;
}

static enum status redo_kind(struct app_call *call, const struct kind *kind, const struct loss *loss,
                             int64_t *count) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_text(&params, bytes_of_text(kind->what));
    if (!add_reports(&params, loss, call->arena))
        return STATUS_NO_MEMORY;
    enum status status = db_query(call->transaction, &kind->redo, &params, &rows);
    for (int row = 0; status == STATUS_OK && row < db_result_get_row_count(rows); row++, ++*count)
        status =
            audit_note_text(call, kind->what, typeid_of(kind->prefix, db_result_get_uuid(rows, row, 0)).text,
                            "", "{\"note\":\"" NOTE "\"}");
    return status;
}

enum status recover_store_redo(struct db_transaction *transaction, struct fault *fault, struct arena *arena,
                               const struct loss *loss, struct uuid company_id, int64_t *count) {
    struct app_call call = {.arena = arena,
                            .fault = fault,
                            .transaction = transaction,
                            .company_id = company_id,
                            .system = "recover"};
    struct db_params params;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds) && status == STATUS_OK; i++)
        if (kinds[i].remedy == LOST_REDO)
            status = redo_kind(&call, &kinds[i], loss, count);
    init_params(&params, arena, LOST_REDO);
    db_params_add_uuid(&params, company_id);
    if (status == STATUS_OK && !add_reports(&params, loss, arena))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = db_query(transaction, &statements[MARK_REDONE], &params, NULL);
    return status == STATUS_OK ? audit_flush(&call) : status;
}

// ---- settling ----

// In the operator's log, who is not there before the bootstrap.
static enum status note(struct db_transaction *transaction, struct fault *fault, struct arena *arena,
                        const struct loss_settlement *settlement, int64_t settled) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, arena);
    db_params_add_text(&params, bytes_of_text(settlement->note));
    db_params_add_int64(&params, settled);
    db_params_add_int64(&params, settlement->redone_count);
    if (!add_reports(&params, settlement->loss, arena))
        return STATUS_NO_MEMORY;
    enum status status = db_query(transaction, &statements[DESCRIBE], &params, &row);
    if (status != STATUS_OK || db_result_is_null(row, 0, 0))
        return status;
    struct app_call call = {.arena = arena,
                            .fault = fault,
                            .transaction = transaction,
                            .company_id = db_result_get_uuid(row, 0, 0),
                            .system = "recover"};
    const char *after = db_result_copy_text(row, 0, 1, arena);
    if (!after)
        return STATUS_NO_MEMORY;
    status = audit_note_text(&call, settlement->accepts_loss ? "history.loss_accepted" : "history.recovered",
                             typeid_of(TYPEID_COMPANY, call.company_id).text, "", after);
    return status == STATUS_OK ? audit_flush(&call) : status;
}

enum status recover_store_settle(struct db_transaction *transaction, struct fault *fault, struct arena *arena,
                                 const struct loss_settlement *settlement) {
    struct db_params params;
    const struct db_result *settled, *accepted;
    init_params(&params, arena, LOST_MISSING);
    if (!add_reports(&params, settlement->loss, arena))
        return STATUS_NO_MEMORY;
    db_params_add_bool(&params, settlement->accepts_loss);
    enum status status = db_query(transaction, &statements[SETTLE], &params, &settled);
    int64_t count = status == STATUS_OK ? db_result_get_row_count(settled) : 0;
    if (status != STATUS_OK || (count == 0 && !settlement->accepts_loss))
        return status;
    status = db_query(transaction, &statements[ACCEPT], NULL, &accepted);
    if (status != STATUS_OK || (count == 0 && db_result_get_row_count(accepted) == 0))
        return status;
    return note(transaction, fault, arena, settlement, count);
}
