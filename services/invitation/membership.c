#include "services/invitation/membership.h"

#include <assert.h>

enum { LOCK, HAS_OTHER_ADMINISTRATOR };

static const struct db_statement statements[] = {
    // why not FOR UPDATE: every row of the company refers to this one, and none of them need wait.
    [LOCK] = {"membership_lock", "SELECT FROM latchkey.company c WHERE c.company_id = $1 FOR NO KEY UPDATE"},
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

enum status membership_lock(struct app_call *call, struct db_command *looks, size_t count) {
    struct db_params lock, again;
    struct db_command commands[2 + MEMBERSHIP_LOOKS_MAX];
    size_t own_count = 0;
    assert(count <= MEMBERSHIP_LOOKS_MAX);
    init_params(&lock, call);
    commands[own_count++] = (struct db_command){&statements[LOCK], &lock, NULL};
    if (call->caller)
        commands[own_count++] = caller_look_again(call->caller, &again, call->arena);
    for (size_t i = 0; i < count; i++)
        commands[own_count + i] = looks[i];
    enum status status = db_query_batch(call->transaction, commands, own_count + count);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    for (size_t i = 0; i < count; i++)
        looks[i].result = commands[own_count + i].result;
    return call->caller ? caller_check_again(call->caller, &commands[1], call->arena, call->fault)
                        : STATUS_OK;
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
