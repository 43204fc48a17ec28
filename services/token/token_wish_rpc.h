// From the messages of requests to what the rules and the store understand, for every handler of access
// tokens. What can't be read is named in the fault and counts as unset.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_WISH_RPC_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_WISH_RPC_H

#include <stdbool.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/token_filter.h"
#include "services/token/token_grant.h"
#include "services/token/token_rules.h"

#define TOKEN_TIME_WANTED "type a time from the year 1 to 9999"

// `field` is named when `text` is no token's id.
struct uuid token_read_id(const char *text, const char *field, struct fault *fault);

// Texts are borrowed from the messages. False when out of memory.
MUST_CHECK bool token_read_created(const Latchkey__V1__CreateAccessTokenRequest *request,
                                   struct app_call *call, struct token_wish *ret_wish);
MUST_CHECK bool token_read_imported(const Latchkey__V1__ImportedAccessToken *token, struct arena *arena,
                                    struct fault *fault, struct token_wish *ret_wish);
MUST_CHECK bool token_read_updated(const Latchkey__V1__AccessToken *token, struct app_call *call,
                                   struct token_wish *ret_wish);

// OTHER for none.
int token_read_reason(Latchkey__V1__DeactivateReason reason, struct fault *fault);

// The filters of ListAccessTokens and DeactivateAccessTokens, which have the same names. The fault's status.
MUST_CHECK enum status token_read_filter(const ProtobufCMessage *request, struct app_call *call,
                                         struct token_filter *ret_filter);

// Who makes or changes tokens, as the grant's check wants to know it. False when out of memory.
MUST_CHECK bool token_describe_caller(const struct app_call *call, struct token_maker *ret_maker);

// A member's token dies with the member; only who is one can make one. Names `company_owned` in the fault.
struct uuid token_choose_owner(const struct caller *caller, bool is_company_owned, struct fault *fault);

// PERMISSION_DENIED unless the caller has `permission`, or the token is the calling one.
MUST_CHECK enum status token_require_unless_itself(const struct app_call *call, struct uuid token_id,
                                                   const char *permission);

#endif
