// Access tokens that nobody has used for as long as the company's policy allows, in the call's transaction
// and company. Neither suspended tokens, nor those that were made, brought back or given a new secret within
// that time. Every function is one round trip; its status is the database's.
#ifndef LATCHKEY_SERVICES_TOKEN_UNUSED_STORE_H
#define LATCHKEY_SERVICES_TOKEN_UNUSED_STORE_H

#include <stddef.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

// Notes those that are unused now, forgets those that are so no more.
MUST_CHECK enum status unused_store_note(struct app_call *call);

// Deactivates some of those that were noted at least `grace_ms` ago and still are unused.
MUST_CHECK enum status unused_store_end(struct app_call *call, int64_t grace_ms, struct uuid **ret_token_ids,
                                        size_t *ret_count);

#endif
