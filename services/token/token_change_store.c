#include "services/token/token_change_store.h"

#include <assert.h>

#include "common/base/clock.h"
#include "services/token/token_change_rules.h"
#include "services/token/token_row.h"

enum { LOCK, POLICY, DEACTIVATE, SUSPEND, RESUME, UPDATE, RETIRE, FORGET, TOUCH };

#define THIS_TOKEN " WHERE t.company_id = $1 AND t.kind = 'a' AND t.token_id = $3"

// $1 = company, $2 = now, $3 = token, as for token_find_statement.
static const struct db_statement statements[] = {
    // $2 is not needed here, but must have a type.
    [LOCK] = {"token_lock", "SELECT $2::timestamptz FROM latchkey.token t" THIS_TOKEN " FOR NO KEY UPDATE"},
    [POLICY] = {"token_change_policy", "SELECT coalesce(c.max_token_lifetime_ms, 0), c.require_expiry"
                                       " FROM latchkey.company c WHERE c.company_id = $1"},
    [DEACTIVATE] = {"token_deactivate",
                    "UPDATE latchkey.token t SET deactivated_at = $2, deactivate_reason = $4,"
                    " deactivate_note = $5" THIS_TOKEN " AND t.deactivated_at IS NULL"},
    [SUSPEND] = {"token_suspend",
                 "UPDATE latchkey.token t SET suspended = true, suspended_until = $4" THIS_TOKEN
                 " AND $2::timestamptz IS NOT NULL"
                 " AND (NOT t.suspended OR t.suspended_until IS DISTINCT FROM $4)"},
    [RESUME] = {"token_resume",
                "UPDATE latchkey.token t SET suspended = false, suspended_until = NULL" THIS_TOKEN
                " AND t.suspended AND coalesce(t.suspended_until > $2, true)"},
    [UPDATE] = {"token_update",
                "UPDATE latchkey.token t SET label = $4, description = $5, metadata = jsonb_object($6, $7),"
                " permissions = $8, allowed_domains = $9, allowed_ips = $10, expires_at = $11" THIS_TOKEN
                " AND $2::timestamptz IS NOT NULL AND (t.label, t.description, t.metadata, t.permissions,"
                " t.allowed_domains, t.allowed_ips, t.expires_at)"
                " IS DISTINCT FROM ($4, $5, jsonb_object($6, $7), $8, $9, $10, $11)"},
    [RETIRE] = {"token_retire_secrets",
                "UPDATE latchkey.token_secret s SET rotated_at = coalesce(s.rotated_at, $2),"
                " expires_at = CASE WHEN s.rotated_at IS NULL AND EXISTS (SELECT FROM latchkey.token_secret o"
                " WHERE o.token_id = $3 AND o.rotated_at IS NOT NULL AND o.expires_at > $2)"
                " THEN '-infinity' ELSE $4 END"
                " WHERE s.company_id = $1 AND s.token_id = $3"
                " AND (s.rotated_at IS NULL OR s.expires_at > $2)"},
    [FORGET] = {"token_forget_secrets",
                "DELETE FROM latchkey.token_secret s WHERE s.company_id = $1 AND s.digest IN ("
                "SELECT o.digest FROM latchkey.token_secret o WHERE o.token_id = $3"
                " AND o.rotated_at IS NOT NULL AND o.expires_at <= $2"
                " ORDER BY o.rotated_at DESC, o.created_at DESC OFFSET $4)"},
    // The trigger raises the version: the etag tells of a rotation too.
    [TOUCH] = {"token_touch", "UPDATE latchkey.token t SET version = t.version" THIS_TOKEN
                              " AND $2::timestamptz IS NOT NULL"},
};

// ---- any change ----

// Runs `own` between two readings of the token; has_changed is about the first. The caller is looked at again
// too: while it waited, the token that is to change may have been its own.
static enum status change_token(struct app_call *call, struct uuid token_id, const struct db_command *own,
                                size_t own_count, struct token_change *ret_change) {
    enum { OWN_MAX = 4, READINGS = 4 };
    assert(own_count > 0 && own_count <= OWN_MAX);
    struct db_params find, again;
    struct db_command commands[OWN_MAX + READINGS];
    size_t count = 0;
    token_params_init_find(&find, call, token_id);
    commands[count++] = (struct db_command){&statements[LOCK], &find, NULL};
    commands[count++] = (struct db_command){&token_find_statement, &find, NULL};
    if (call->caller)
        commands[count++] = caller_look_again(call->caller, &again, call->arena);
    const size_t first_own = count;
    for (size_t i = 0; i < own_count; i++)
        commands[count++] = own[i];
    commands[count++] = (struct db_command){&token_find_statement, &find, NULL};

    enum status status = db_query_batch(call->transaction, commands, count);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    ret_change->has_changed = db_result_get_affected_count(commands[first_own].result) > 0;
    if (call->caller)
        status = caller_check_again(call->caller, &commands[2], call->arena, call->fault);
    if (status == STATUS_OK)
        status = token_row_read_found(call, commands[1].result, token_id, &ret_change->before);
    if (status == STATUS_OK)
        status = token_row_read_found(call, commands[count - 1].result, token_id, &ret_change->after);
    return status;
}

enum status token_store_deactivate(struct app_call *call, struct uuid token_id, int reason, const char *note,
                                   struct token_change *ret_change) {
    struct db_params params;
    token_params_init_find(&params, call, token_id);
    db_params_add_int16(&params, (int16_t)reason);
    db_params_add_text(&params, bytes_of_text(note));
    struct db_command own = {&statements[DEACTIVATE], &params, NULL};
    return change_token(call, token_id, &own, 1, ret_change);
}

enum status token_store_suspend(struct app_call *call, struct uuid token_id, int64_t until_ms,
                                struct token_change *ret_change) {
    struct db_params params;
    token_params_init_find(&params, call, token_id);
    db_params_add_time_ms_or_null(&params, until_ms);
    struct db_command own = {&statements[SUSPEND], &params, NULL};
    return change_token(call, token_id, &own, 1, ret_change);
}

enum status token_store_resume(struct app_call *call, struct uuid token_id, struct token_change *ret_change) {
    struct db_params params;
    token_params_init_find(&params, call, token_id);
    struct db_command own = {&statements[RESUME], &params, NULL};
    return change_token(call, token_id, &own, 1, ret_change);
}

enum status token_store_rotate(struct app_call *call, struct uuid token_id, int64_t grace_ms,
                               const struct token_minted *minted, struct token_change *ret_change) {
    struct db_params retire, insert, forget, touch;
    token_params_init_find(&retire, call, token_id);
    db_params_add_time_ms(&retire, grace_ms > 0 ? call->now_ms + grace_ms : CLOCK_ALWAYS_MS);
    token_params_init_secret(&insert, call, token_id, minted);
    token_params_init_find(&forget, call, token_id);
    db_params_add_int64(&forget, TOKEN_SPENT_SECRETS_MAX);
    token_params_init_find(&touch, call, token_id);
    struct db_command own[] = {{&statements[RETIRE], &retire, NULL},
                               {&token_insert_secret_statement, &insert, NULL},
                               {&statements[FORGET], &forget, NULL},
                               {&statements[TOUCH], &touch, NULL}};
    return change_token(call, token_id, own, ARRAY_LENGTH(own), ret_change);
}

// ---- a change that depends on what the token is ----

enum status token_store_lock(struct app_call *call, struct uuid token_id,
                             struct token_standing *ret_standing) {
    struct db_params find, company, again;
    token_params_init_find(&find, call, token_id);
    db_params_init(&company, call->arena);
    db_params_add_uuid(&company, call->company_id);
    struct db_command commands[] = {{&statements[LOCK], &find, NULL},
                                    {&token_find_statement, &find, NULL},
                                    {&statements[POLICY], &company, NULL},
                                    caller_look_again(call->caller, &again, call->arena)};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if ((status = caller_check_again(call->caller, &commands[3], call->arena, call->fault)) != STATUS_OK)
        return status;
    const struct db_result *row = commands[2].result;
    ret_standing->policy = (struct token_policy){.max_lifetime_ms = db_result_get_int64(row, 0, 0),
                                                 .requires_expiry = db_result_get_bool(row, 0, 1),
                                                 .room = INT64_MAX};
    return token_row_read_found(call, commands[1].result, token_id, &ret_standing->token);
}

static bool init_update(struct db_params *params, const struct app_call *call, struct uuid token_id,
                        const struct token_draft *draft) {
    token_params_init_find(params, call, token_id);
    db_params_add_text(params, draft->label);
    db_params_add_text(params, draft->description);
    if (!token_params_add_metadata(params, draft, call->arena))
        return false;
    db_params_add_text_array(params, draft->permissions, draft->permission_count);
    db_params_add_text_array(params, draft->domains, draft->domain_count);
    db_params_add_prefix_array(params, draft->ips, draft->ip_count);
    db_params_add_time_ms_or_null(params, draft->expires_at_ms);
    return true;
}

enum status token_store_update(struct app_call *call, struct uuid token_id, const struct token_draft *draft,
                               bool *ret_has_changed, struct token **ret_token) {
    struct db_params update, find;
    if (!init_update(&update, call, token_id, draft))
        return fault_set_no_memory(call->fault);
    token_params_init_find(&find, call, token_id);
    struct db_command commands[] = {{&statements[UPDATE], &update, NULL},
                                    {&token_find_statement, &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_has_changed = db_result_get_affected_count(commands[0].result) > 0;
    return token_row_read_found(call, commands[1].result, token_id, ret_token);
}
