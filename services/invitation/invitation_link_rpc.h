// The handlers of InvitationService for whoever holds a link: no caller, and one answer for every link that
// is good for nothing. A link is looked up in the same way whatever it is, also where it can't be one, so
// that neither the answer nor the time that it takes tells why it fails.
//
// Two limits stand against guessing and floods, both by the caller's address. What fails is counted where it
// has failed: who has a good link gets in, however many others behind the same address try bad ones. And all
// tries, good ones and others, are counted on the loop before anybody looks, so that a flood takes neither
// workers nor connections from others.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_LINK_RPC_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_LINK_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Before the first call, and after the last.
MUST_CHECK enum status invitation_link_start(void);
void invitation_link_stop(void);

// RESOURCE_EXHAUSTED (TOO_MANY_TRIES) for an address that has tried too often, whatever the links are.
MUST_CHECK enum status invitation_link_rpc_screen(struct app_call *call);

MUST_CHECK enum status invitation_link_rpc_lookup(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);
MUST_CHECK enum status invitation_link_rpc_accept(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);

#endif
