// The handlers of CompanyService, wire to domain and back.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_RPC_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status company_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);

#endif
