// The handlers of AuditService, wire to domain and back.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_RPC_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status audit_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);
MUST_CHECK enum status audit_rpc_verify(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);

#endif
