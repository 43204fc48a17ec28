// The handlers of MemberService that are about members, wire to domain and back: in member_rpc.c, but for
// UpdateMember (member_update_rpc.c) and RemoveMember (member_remove_rpc.c).
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_RPC_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

MUST_CHECK enum status member_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response);
MUST_CHECK enum status member_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response);
MUST_CHECK enum status member_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);
MUST_CHECK enum status member_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);
MUST_CHECK enum status member_rpc_remove(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);

// Names `field` in the call's fault unless the text is a member's id.
struct uuid member_rpc_read_id(const char *text, const char *field, struct app_call *call);

#endif
