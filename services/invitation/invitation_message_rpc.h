// An invitation as a message of the contract. Everything lives in the arena; NULL when that ran out.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_MESSAGE_RPC_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "services/invitation/invitation.h"

MUST_CHECK Latchkey__V1__Invitation *invitation_message_new(const struct invitation *invitation,
                                                            struct arena *arena);

#endif
