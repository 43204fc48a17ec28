#include "services/invitation/membership.h"

#include <assert.h>

#include "common/access/permission.h"
#include "common/db/array.h"

enum { LOCK, FIND_CALLER, HAS_OTHER_ADMINISTRATOR };

static const struct db_statement statements[] = {
    // why not FOR UPDATE: every row of the company refers to this one, and none of them need wait.
    [LOCK] = {"membership_lock", "SELECT FROM latchkey.company c WHERE c.company_id = $1 FOR NO KEY UPDATE"},
    // The grants as latchkey.caller() gives them.
    [FIND_CALLER] =
        {"membership_find_caller",
         "SELECT m.removed_at IS NULL, ARRAY("
         "SELECT unnest(r.permissions) FROM latchkey.member_role mr"
         " JOIN latchkey.role r ON r.role_id = mr.role_id WHERE mr.member_id = m.member_id"
         " UNION SELECT p.name FROM latchkey.permission p WHERE NOT p.operator_only"
         " AND EXISTS (SELECT FROM latchkey.member_role mr JOIN latchkey.role r ON r.role_id = mr.role_id"
         " WHERE mr.member_id = m.member_id AND r.builtin = 'administrator'))"
         " FROM latchkey.member m WHERE m.company_id = $1 AND m.member_id = $2"},
    [HAS_OTHER_ADMINISTRATOR] =
        {"membership_has_other_administrator",
         "SELECT EXISTS (SELECT FROM latchkey.role r JOIN latchkey.member_role mr ON mr.role_id = r.role_id"
         " JOIN latchkey.member m ON m.member_id = mr.member_id"
         " WHERE r.company_id = $1 AND r.builtin = 'administrator' AND m.removed_at IS NULL"
         " AND m.member_id <> $2)"},
};

static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

// Whether the caller's roles are what they were.
static enum status check_caller(const struct app_call *call, const struct db_result *row) {
    const struct permission_catalogue *catalogue = call->caller->catalogue;
    struct permission_set *now =
        permission_set_new_in_arena(call->arena, permission_catalogue_get_limit(catalogue));
    if (!now)
        return fault_set_no_memory(call->fault);
    if (db_result_get_row_count(row) == 0 || !db_result_get_bool(row, 0, 0))
        return STATUS_ABORTED;
    struct db_array grants = db_result_get_array(row, 0, 1, DB_TYPE_TEXT);
    struct bytes grant;
    while (db_array_next_text(&grants, &grant)) {
        bool covers_any = permission_catalogue_expand(catalogue, grant, now);
        (void)covers_any;
    }
    return permission_set_is_equal(now, call->caller->subject.owner) ? STATUS_OK : STATUS_ABORTED;
}

// An operator who acts for the company is a member of another one, and a token of the company's own has no
// member.
static bool is_member(const struct app_call *call) {
    return call->caller && !call->caller->is_acting && !uuid_is_zero(call->caller->member_id);
}

enum status membership_lock(struct app_call *call, struct db_command *looks, size_t count) {
    struct db_params lock, find;
    struct db_command commands[2 + MEMBERSHIP_LOOKS_MAX] = {{&statements[LOCK], &lock, NULL},
                                                            {&statements[FIND_CALLER], &find, NULL}};
    size_t own_count = is_member(call) ? 2 : 1;
    assert(count <= MEMBERSHIP_LOOKS_MAX);
    init_params(&lock, call);
    init_params(&find, call);
    if (own_count == 2)
        db_params_add_uuid(&find, call->caller->member_id);
    for (size_t i = 0; i < count; i++)
        commands[own_count + i] = looks[i];
    enum status status = db_query_batch(call->transaction, commands, own_count + count);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    for (size_t i = 0; i < count; i++)
        looks[i].result = commands[own_count + i].result;
    return own_count == 2 ? check_caller(call, commands[1].result) : STATUS_OK;
}

struct db_command membership_look_for_administrator(const struct app_call *call, struct uuid member_id,
                                                    struct db_params *params) {
    init_params(params, call);
    db_params_add_uuid(params, member_id);
    return (struct db_command){&statements[HAS_OTHER_ADMINISTRATOR], params, NULL};
}

enum status membership_check_administrator(const struct app_call *call, const struct db_command *look) {
    if (db_result_get_bool(look->result, 0, 0))
        return STATUS_OK;
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "LAST_ADMINISTRATOR",
                     "this would leave the company without an administrator; give the role administrator to "
                     "another member first");
}
