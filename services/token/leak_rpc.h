// ReportLeakedToken: open to everybody, throttled by address, and telling nothing.
#ifndef LATCHKEY_SERVICES_TOKEN_LEAK_RPC_H
#define LATCHKEY_SERVICES_TOKEN_LEAK_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Before the first call, and after the last one.
MUST_CHECK enum status leak_rpc_start(void);
void leak_rpc_stop(void);

// RESOURCE_EXHAUSTED (TOO_MANY_REPORTS) for an address that has reported too often.
MUST_CHECK enum status leak_rpc_screen(struct app_call *call);

MUST_CHECK enum status leak_rpc_report(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);

#endif
