// The handlers of InvitationService for the company's own people, wire to domain and back.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_RPC_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status invitation_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                             ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                           ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_rpc_resend(struct app_call *call, const ProtobufCMessage *message,
                                             ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                                 ProtobufCMessage **ret_response);

#endif
