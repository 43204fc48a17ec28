// For whom a call says that it is: `latchkey-caller` holds the id of the member whose token it presents, or
// of the token where a company owns that. It is no right but a claim to compare, and only ever refuses: a
// page that somebody opened does nothing in the name of whoever has signed in to the same browser since.
#ifndef LATCHKEY_COMMON_APP_CALLER_CLAIM_H
#define LATCHKEY_COMMON_APP_CALLER_CLAIM_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/call.h"

#define CALLER_CLAIM_FIELD "latchkey-caller"

// As sent; data NULL = there is none. More than one is a claim to be nobody, as is an empty one. Borrows from
// the call.
struct bytes caller_claim_find(const struct grpc_call *call);

// PERMISSION_DENIED (CALLER_MISMATCH), and the fault filled, unless the claim is that of who calls, or none.
MUST_CHECK enum status caller_claim_check(struct bytes claim, const char *caller_id, struct fault *fault);

#endif
