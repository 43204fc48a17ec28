// Members as the contract's messages.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_MESSAGE_RPC_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/member.pb-c.h"
#include "services/invitation/member.h"

// Borrows from the member; in the arena. NULL when out of memory.
MUST_CHECK Latchkey__V1__Member *member_message_new(const struct member *member, struct arena *arena);

#endif
