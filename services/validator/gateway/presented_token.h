// The token among the header fields of somebody's request to a service that we guard: x-access-token, or
// authorization: Bearer (bearer.h), or, where there is neither, a cookie.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_PRESENTED_TOKEN_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_PRESENTED_TOKEN_H

#include <stdbool.h>

#include "common/app/bearer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/metadata.h"

// `cookie` is its name; NULL or "" = tokens are in no cookie. Empty if there is none. Borrows from the
// fields.
struct bytes presented_token_find(const struct metadata *fields, const char *cookie);

// Of the setting: refuses what can be no cookie's name, and so would never be found. "" is one.
bool presented_token_accept_cookie(const char *name, const char **ret_reason);

// Whether authorization holds what may be a token, also where x-access-token goes before it.
bool presented_token_is_in_authorization(const struct metadata *fields, const struct bearer_shape *shape);

// What is left of the field cookie without the cookie of that name, in the arena. *ret_is_there is whether it
// was there at all. NO_MEMORY.
MUST_CHECK enum status presented_token_cut_cookie(const struct metadata *fields, const char *cookie,
                                                  struct arena *arena, bool *ret_is_there,
                                                  struct bytes *ret_rest);

#endif
