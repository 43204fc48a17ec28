// Roles in the database. Every function is one round trip within the call's transaction, and copies what it
// returns to the arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_STORE_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/invitation/role.h"
#include "services/invitation/role_grant.h"

// Those of the ids that are roles of the call's company, in no order. None of them is deleted before the
// transaction ends: for mutations only.
MUST_CHECK enum status role_store_find_many(struct app_call *call, const struct role_ids *ids,
                                            struct role_list *ret_roles);

// The roles that a member has now, in no order.
MUST_CHECK enum status role_store_list_of_member(struct app_call *call, struct uuid member_id,
                                                 struct role_list *ret_roles);

// The roles after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status role_store_list(struct app_call *call, struct uuid after, int32_t limit,
                                       struct role_list *ret_roles);

// NULL unless the call's company has it.
MUST_CHECK enum status role_store_find(struct app_call *call, struct uuid role_id, struct role **ret_role);

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

// Who keeps a role from being deleted. Nobody else gets it before the transaction ends.
struct role_use {
    int64_t member_count;
    int64_t invitation_count; // pending ones
};
MUST_CHECK enum status role_store_count_use(struct app_call *call, struct uuid role_id,
                                            struct role_use *ret_use);

MUST_CHECK enum status role_store_delete(struct app_call *call, struct uuid role_id);

#endif
