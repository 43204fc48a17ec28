// The handlers of TokenService, wire to domain and back: access tokens in token_rpc.c, the caller and what
// there is to be granted in caller_rpc.c.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_RPC_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/token/token_rules.h"

MUST_CHECK enum status token_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                     ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                            ProtobufCMessage **ret_response);

MUST_CHECK enum status caller_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);
MUST_CHECK enum status caller_rpc_list_permissions(struct app_call *call, const ProtobufCMessage *message,
                                                   ProtobufCMessage **ret_response);

// The settings of the service: filled before the first call, then const.
extern struct token_limits token_limits;

#endif
