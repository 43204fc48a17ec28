#include "services/token/leak_store.h"

#include "common/base/clock.h"
#include "common/db/array.h"

enum { FIND, LOCK, READ, TELL, SUSPEND, DEACTIVATE, END_INVITATION, FORGET_LINKS, READ_LETTER };

#define THIS_TOKEN " WHERE t.company_id = $1 AND t.token_id = $3"

// $1 = company, $2 = now, $3 = token or invitation.
static const struct db_statement statements[] = {
    [FIND] = {"leak_find", "SELECT company_id, token_id, invitation_id FROM latchkey.leak_find($1)"},
    [LOCK] = {"leak_lock", "SELECT $2::timestamptz FROM latchkey.token t" THIS_TOKEN " FOR NO KEY UPDATE"},
    [READ] = {"leak_read",
              "SELECT t.kind, t.deactivated_at IS NOT NULL OR coalesce(t.expires_at <= $2, false),"
              " t.suspended AND t.suspended_until IS NULL, coalesce(s.expires_at <= $2, false),"
              " t.leak_reported_at, c.leak_action, s.hint,"
              " ARRAY(SELECT m.email FROM latchkey.member m WHERE m.company_id = $1 AND m.removed_at IS NULL"
              " AND CASE WHEN t.member_id IS NOT NULL THEN m.member_id = t.member_id"
              " ELSE EXISTS (SELECT FROM latchkey.member_role mr"
              " JOIN latchkey.role r ON r.role_id = mr.role_id AND r.builtin = 'administrator'"
              " WHERE mr.member_id = m.member_id) END ORDER BY m.member_id LIMIT 10)"
              " FROM latchkey.token t JOIN latchkey.company c ON c.company_id = t.company_id"
              " JOIN latchkey.token_secret s ON s.token_id = t.token_id AND s.digest = $4" THIS_TOKEN},
    [TELL] = {"leak_tell", "UPDATE latchkey.token t SET leak_reported_at = $2" THIS_TOKEN},
    [SUSPEND] = {"leak_suspend", "UPDATE latchkey.token t SET leak_reported_at = $2, suspended = true,"
                                 " suspended_until = NULL" THIS_TOKEN},
    [DEACTIVATE] = {"leak_deactivate",
                    "UPDATE latchkey.token t SET leak_reported_at = $2, deactivated_at = $2,"
                    " deactivate_reason = 1, deactivate_note = 'reported as leaked'" THIS_TOKEN},
    // As services/invitation ends one.
    [END_INVITATION] = {"leak_end_invitation",
                        "UPDATE latchkey.invitation i SET state = 'd', holds_email = false"
                        " WHERE i.company_id = $1 AND i.invitation_id = $2 AND i.state = 'p'"},
    [FORGET_LINKS] = {"leak_forget_links", "DELETE FROM latchkey.invitation_secret s"
                                           " WHERE s.company_id = $1 AND s.invitation_id = $2"},
    [READ_LETTER] = {"leak_read_letter", "SELECT c.name, t.label FROM latchkey.token t"
                                         " JOIN latchkey.company c ON c.company_id = t.company_id"
                                         " WHERE t.company_id = $1 AND t.token_id = $2"},
};

enum status leak_store_find(struct app_call *call, const struct digest *digest,
                            struct leak_owner *ret_owner) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_bytes(&params, bytes_of(digest->bytes, DIGEST_LENGTH));
    enum status status = db_query(call->transaction, &statements[FIND], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_owner = (struct leak_owner){0};
    if (db_result_get_row_count(rows) > 0)
        *ret_owner = (struct leak_owner){.company_id = db_result_get_uuid(rows, 0, 0),
                                         .token_id = db_result_get_uuid_or_zero(rows, 0, 1),
                                         .invitation_id = db_result_get_uuid_or_zero(rows, 0, 2)};
    return STATUS_OK;
}

// ---- tokens ----

static void init_token(struct db_params *params, const struct app_call *call, struct uuid token_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_time_ms(params, call->now_ms);
    db_params_add_uuid(params, token_id);
}

static bool read_emails(const struct db_result *row, struct arena *arena, struct leak *leak) {
    struct db_array array = db_result_get_array(row, 0, 7, DB_TYPE_TEXT);
    struct bytes email;
    leak->emails = ARENA_NEW_ARRAY(arena, const char *, array.count);
    while (leak->emails && db_array_next_text(&array, &email)) {
        leak->emails[leak->email_count] = arena_copy_bytes(arena, email);
        if (!leak->emails[leak->email_count++])
            return false;
    }
    return leak->emails != NULL;
}

enum status leak_store_lock(struct app_call *call, struct uuid token_id, const struct digest *digest,
                            struct leak *ret_leak) {
    struct db_params lock, read;
    init_token(&lock, call, token_id);
    init_token(&read, call, token_id);
    db_params_add_bytes(&read, bytes_of(digest->bytes, DIGEST_LENGTH));
    struct db_command commands[] = {{&statements[LOCK], &lock, NULL}, {&statements[READ], &read, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    const struct db_result *row = commands[1].result;
    *ret_leak = (struct leak){.token.is_ended = true};
    if (db_result_get_row_count(row) == 0) // forgotten a moment ago
        return STATUS_OK;
    ret_leak->token = (struct leaked_token){
        .kind = db_result_get_char(row, 0, 0) == 'l' ? TOKEN_KIND_LOGIN : TOKEN_KIND_ACCESS,
        .is_ended = db_result_get_bool(row, 0, 1),
        .is_suspended = db_result_get_bool(row, 0, 2),
        .is_secret_spent = db_result_get_bool(row, 0, 3),
        .reported_at_ms = db_result_get_time_ms_or(row, 0, 4, CLOCK_ALWAYS_MS),
        .action = (enum leak_action)db_result_get_int16(row, 0, 5)};
    ret_leak->hint = db_result_copy_text(row, 0, 6, call->arena);
    bool is_read = ret_leak->hint && read_emails(row, call->arena, ret_leak);
    return is_read ? STATUS_OK : fault_set_no_memory(call->fault);
}

enum status leak_store_apply(struct app_call *call, struct uuid token_id, enum leak_outcome outcome) {
    struct db_params params;
    init_token(&params, call, token_id);
    int statement = outcome == LEAK_DEACTIVATED ? DEACTIVATE : outcome == LEAK_SUSPENDED ? SUSPEND : TELL;
    return db_fault(call->fault, db_query(call->transaction, &statements[statement], &params, NULL));
}

enum status leak_store_read_letter(struct app_call *call, struct uuid token_id, bool *ret_is_there,
                                   struct leak_letter *ret_letter) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_uuid(&params, token_id);
    enum status status = db_query(call->transaction, &statements[READ_LETTER], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_is_there = db_result_get_row_count(rows) > 0;
    if (!*ret_is_there)
        return STATUS_OK;
    ret_letter->company = db_result_copy_text(rows, 0, 0, call->arena);
    ret_letter->label = db_result_copy_text(rows, 0, 1, call->arena);
    return ret_letter->company && ret_letter->label ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- invitations ----

enum status leak_store_end_invitation(struct app_call *call, struct uuid invitation_id,
                                      bool *ret_has_changed) {
    struct db_params params;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_uuid(&params, invitation_id);
    struct db_command commands[] = {{&statements[END_INVITATION], &params, NULL},
                                    {&statements[FORGET_LINKS], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_has_changed = db_result_get_affected_count(commands[0].result) > 0;
    return STATUS_OK;
}
