// The handlers of TokenService, wire to domain and back: access tokens made and listed in token_rpc.c,
// changes of one in token_change_rpc.c and token_rotate_rpc.c, of many in token_bulk_rpc.c and
// token_import_rpc.c, leak reports in leak_rpc.c, what there is to be granted in permission_rpc.c, the caller
// in caller_rpc.c.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_RPC_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/token_change_store.h"
#include "services/token/token_rules.h"

MUST_CHECK enum status token_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_import(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                     ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                            ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_deactivate_many(struct app_call *call, const ProtobufCMessage *message,
                                                 ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_suspend(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_resume(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);
MUST_CHECK enum status token_rpc_rotate(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response);

MUST_CHECK enum status caller_rpc_list_permissions(struct app_call *call, const ProtobufCMessage *message,
                                                   ProtobufCMessage **ret_response);
MUST_CHECK enum status permission_rpc_set(struct app_call *call, const ProtobufCMessage *message,
                                          ProtobufCMessage **ret_response);
MUST_CHECK enum status caller_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);

// What a change of one token leaves to do: notes it for the audit log and makes the message of the answer.
MUST_CHECK enum status token_rpc_tell_change(struct app_call *call, const char *action,
                                             const struct token_change *change,
                                             Latchkey__V1__AccessToken **ret_message);

// The settings of the service: filled before the first call, then const.
extern struct token_limits token_limits;

#endif
