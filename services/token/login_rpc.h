// The handlers of TokenService about log-ins: made and ended in login_rpc.c, listed in login_list_rpc.c.
#ifndef LATCHKEY_SERVICES_TOKEN_LOGIN_RPC_H
#define LATCHKEY_SERVICES_TOKEN_LOGIN_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status login_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status login_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                            ProtobufCMessage **ret_response);
MUST_CHECK enum status login_rpc_deactivate_all(struct app_call *call, const ProtobufCMessage *message,
                                                ProtobufCMessage **ret_response);
MUST_CHECK enum status login_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);

// Everybody may see and end their own log-ins; to do so to others takes the permission.
bool login_rpc_is_own(const struct app_call *call, struct uuid member_id);

#endif
