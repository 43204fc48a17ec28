// The handlers of WhitelistService, wire to domain and back: the live list as a whole in whitelist_rpc.c,
// entries in whitelist_entry_rpc.c and whitelist_amend_rpc.c, drafts in whitelist_draft_rpc.c, and what a
// change would do in whitelist_preview_rpc.c.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_RPC_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_RPC_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "services/whitelist/whitelist_guard.h"

MUST_CHECK enum status whitelist_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                                            ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_check_ip(struct app_call *call, const ProtobufCMessage *message,
                                              ProtobufCMessage **ret_response);

MUST_CHECK enum status whitelist_rpc_add_entries(struct app_call *call, const ProtobufCMessage *message,
                                                 ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_update_entry(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_remove_entries(struct app_call *call, const ProtobufCMessage *message,
                                                    ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_list_entries(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);

MUST_CHECK enum status whitelist_rpc_create_draft(struct app_call *call, const ProtobufCMessage *message,
                                                  ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_get_draft(struct app_call *call, const ProtobufCMessage *message,
                                               ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_discard_draft(struct app_call *call, const ProtobufCMessage *message,
                                                   ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_publish_draft(struct app_call *call, const ProtobufCMessage *message,
                                                   ProtobufCMessage **ret_response);
MUST_CHECK enum status whitelist_rpc_confirm(struct app_call *call, const ProtobufCMessage *message,
                                             ProtobufCMessage **ret_response);

MUST_CHECK enum status whitelist_rpc_preview(struct app_call *call, const ProtobufCMessage *message,
                                             ProtobufCMessage **ret_response);

// ---- what they share ----

// The list that a request means: zero = the live one. Names a bad one.
struct uuid whitelist_rpc_read_draft_id(const char *draft_id, struct fault *fault);

// The same where a draft is required.
struct uuid whitelist_rpc_read_draft(const char *draft_id, struct fault *fault);

// Entries to remove, as if or in truth. Names the bad ones; NULL when out of memory, which the fault then
// says.
MUST_CHECK struct uuid *whitelist_rpc_read_entry_ids(char *const *texts, size_t count, const char *field,
                                                     struct app_call *call);

// Checking bits as the rules want them; `is_set` is whether the oneof has them.
uint32_t whitelist_rpc_read_bits(bool is_set, uint32_t bits);

// Until when what a request changes is to be confirmed; CLOCK_NEVER_MS = not at all. Names a bad duration.
int64_t whitelist_rpc_read_confirm_by_ms(const Google__Protobuf__Duration *within, struct app_call *call);

// What a wish of the contract asks as the scope: cleared, what a company begins with. Names a bad one.
enum whitelist_scope whitelist_rpc_read_scope(const Latchkey__V1__Whitelist *wish, struct fault *fault);

// Who calls, for the guard (whitelist_guard.h).
struct whitelist_asker whitelist_rpc_get_asker(const struct app_call *call);

#endif
