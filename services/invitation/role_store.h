// Roles in the database. Every function is one round trip within the call's transaction, and copies what it
// returns to the arena. A failure of the database itself leaves the fault filled.
//
// A look is a statement for somebody else's batch (membership_lock()); what it gave is read afterwards.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_STORE_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "services/invitation/role.h"
#include "services/invitation/role_grant.h"

// Looks at those of the ids, or of an invitation's, that are roles of the call's company, in no order: none
// of them is deleted before the transaction ends, so for mutations only. And at the roles that a member has
// now.
struct db_command role_store_look_for_many(const struct app_call *call, const struct role_ids *ids,
                                           struct db_params *params);
struct db_command role_store_look_of_invitation(const struct app_call *call, struct uuid invitation_id,
                                                struct db_params *params);
struct db_command role_store_look_of_member(const struct app_call *call, struct uuid member_id,
                                            struct db_params *params);
MUST_CHECK enum status role_store_read_list(struct app_call *call, const struct db_command *look,
                                            struct role_list *ret_roles);

// The roles after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status role_store_list(struct app_call *call, struct uuid after, int32_t limit,
                                       struct role_list *ret_roles);

// One role, NULL unless the call's company has it.
struct db_command role_store_look_for(const struct app_call *call, struct uuid role_id,
                                      struct db_params *params);
MUST_CHECK enum status role_store_read(struct app_call *call, const struct db_command *look,
                                       struct role **ret_role);

// What makes it a new one, or takes the place of what it was.
struct role_draft {
    struct bytes name;
    const struct bytes *grants;
    size_t grant_count;
};

// ALREADY_EXISTS (ROLE_NAME_IN_USE).
MUST_CHECK enum status role_store_create(struct app_call *call, struct uuid role_id,
                                         const struct role_draft *draft, struct role **ret_role);
MUST_CHECK enum status role_store_update(struct app_call *call, struct uuid role_id,
                                         const struct role_draft *draft, struct role **ret_role);

// A look that keeps everybody else from getting the role before the transaction ends.
struct db_command role_store_look_locking(const struct app_call *call, struct uuid role_id,
                                          struct db_params *params);

// Who keeps a role from being deleted, as a look behind that one.
struct role_use {
    int64_t member_count;
    int64_t invitation_count; // pending ones
};
struct db_command role_store_look_for_use(const struct app_call *call, struct uuid role_id,
                                          struct db_params *params);
struct role_use role_store_read_use(const struct db_command *look);

MUST_CHECK enum status role_store_delete(struct app_call *call, struct uuid role_id);

#endif
