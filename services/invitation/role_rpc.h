// The handlers of MemberService that are about roles, wire to domain and back.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status role_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                     ProtobufCMessage **ret_response);
MUST_CHECK enum status role_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);
MUST_CHECK enum status role_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);
MUST_CHECK enum status role_rpc_delete(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);

#endif
