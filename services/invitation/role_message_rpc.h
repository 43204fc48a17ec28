// Roles as the contract's messages.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_MESSAGE_RPC_H

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/member.pb-c.h"
#include "services/invitation/role.h"

// Borrows from the role; in the arena. NULL when out of memory.
MUST_CHECK Latchkey__V1__Role *role_message_new(const struct role *role,
                                                const struct permission_catalogue *catalogue,
                                                struct arena *arena);

#endif
