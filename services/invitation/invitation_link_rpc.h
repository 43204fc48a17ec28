// The handlers of InvitationService for whoever holds a link: no caller, and one answer for every link that
// is good for nothing. A link is looked up in the same way whatever it is, also where it can't be one, so
// that neither the answer nor the time that it takes tells why it fails.
//
// Only what fails is counted against the caller's address: who has a good link gets in, however many others
// behind the same address try bad ones.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_LINK_RPC_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_LINK_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Before the first call, and after the last.
MUST_CHECK enum status invitation_link_start(void);
void invitation_link_stop(void);

MUST_CHECK enum status invitation_link_rpc_lookup(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_link_rpc_accept(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);

#endif
