// Who may do what in a company changes one change at a time: roles, whose they are, who is a member. That is
// what makes "never the last administrator" and "never more than the caller" hold also when two of these
// changes meet.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBERSHIP_H
#define LATCHKEY_SERVICES_INVITATION_MEMBERSHIP_H

#include <stddef.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define MEMBERSHIP_LOOKS_MAX 8

// Before anything is looked at on which the change depends; held until the transaction ends. `looks` are what
// is looked at then, in the same round trip. ABORTED without a fault where the caller is not what it was
// before it waited for the lock (caller_check_again()).
MUST_CHECK enum status membership_lock(struct app_call *call, struct db_command *looks, size_t count);

// Whether somebody but this member is an active administrator, as a look; then FAILED_PRECONDITION
// (LAST_ADMINISTRATOR) if nobody is.
struct db_command membership_look_for_administrator(const struct app_call *call, struct uuid member_id,
                                                    struct db_params *params);
MUST_CHECK enum status membership_check_administrator(const struct app_call *call,
                                                      const struct db_command *look);

#endif
