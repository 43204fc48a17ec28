// Events as the contract's messages.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_MESSAGE_RPC_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/audit.pb-c.h"
#include "services/audit/audit_record.h"

// A copy, in the arena; NULL when out of memory.
MUST_CHECK Latchkey__V1__AuditEvent *audit_message_new(const struct audit_record *record,
                                                       struct arena *arena);

#endif
