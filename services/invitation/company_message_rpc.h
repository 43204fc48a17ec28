// Companies as the contract's messages.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_MESSAGE_RPC_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/company.pb-c.h"
#include "services/invitation/company.h"

// Borrows from the company; in the arena. NULL when out of memory.
MUST_CHECK Latchkey__V1__Company *company_message_new(const struct company *company, struct arena *arena);

#endif
