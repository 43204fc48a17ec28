// The secret that a call presents in its metadata: `authorization: Bearer SECRET`, or `x-access-token:
// SECRET` in its place.
#ifndef LATCHKEY_COMMON_APP_BEARER_H
#define LATCHKEY_COMMON_APP_BEARER_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/crypto/digest.h"
#include "common/grpc/call.h"

// Empty if there is none, or if authorization is of another scheme. Borrows from the call.
struct bytes bearer_find_secret(const struct grpc_call *call);

// The digest to look a caller up by. UNAUTHENTICATED, and the fault filled, if there is no secret or if it
// has not the shape of a token's: SECRET_MISSING, MALFORMED.
MUST_CHECK enum status bearer_check(struct bytes secret, const char *brand, struct fault *fault,
                                    struct digest *ret_digest);

#endif
