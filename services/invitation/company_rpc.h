// The handlers of CompanyService, wire to domain and back: in company_rpc.c, but for those that change a
// company (company_change_rpc.c).
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_RPC_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status company_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_suspend(struct app_call *call, const ProtobufCMessage *message,
                                           ProtobufCMessage **ret_response);
MUST_CHECK enum status company_rpc_resume(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);

// From here on the call is about this company; "" = the one that it is about already. Another one is the
// operator's to name: whoever is none is told NOT_FOUND (COMPANY_NOT_FOUND), as if there were none.
MUST_CHECK enum status company_rpc_enter(struct app_call *call, const char *company_id, const char *field);

#endif
