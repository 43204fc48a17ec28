// The handlers of WhitelistService, wire to domain and back: the live list as a whole in whitelist_rpc.c, its
// entries in whitelist_entry_rpc.c.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_RPC_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist_rules.h"

MUST_CHECK enum status whitelist_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                            ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_check_ip(struct app_call *call, const ProtobufCMessage *message,
                                              ProtobufCMessage **ret_response);

MUST_CHECK enum status whitelist_rpc_add_entries(struct app_call *call, const ProtobufCMessage *message,
                                                 ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_remove_entries(struct app_call *call, const ProtobufCMessage *message,
                                                    ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_list_entries(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);

// The lock-out guard (whitelist_rules.h) for whoever calls.
MUST_CHECK enum status whitelist_rpc_check_outcome(struct app_call *call,
                                                   const struct whitelist_outcome *outcome);

// The settings of the service: filled before the first call, then const.
extern struct whitelist_limits whitelist_limits;

#endif
