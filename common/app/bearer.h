// Who a call says it is, by its metadata: the secret of `authorization: Bearer SECRET`, or `x-access-token:
// SECRET` in its place, what that must look like to be looked up at all, and the company to act for.
#ifndef LATCHKEY_COMMON_APP_BEARER_H
#define LATCHKEY_COMMON_APP_BEARER_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/crypto/digest.h"
#include "common/grpc/call.h"

// Longest secret of another system's making, in bytes.
#define BEARER_FOREIGN_MAX 4096

struct bearer_shape {
    const char *brand;
    bool accepts_foreign; // also secrets that other systems made, which say nothing of themselves
};

// Where x-access-token is there, authorization is somebody else's. Empty if there is none, if authorization
// is of another scheme, and if the one that counts is there more than once. Borrows from the call, or from
// the header fields.
struct bytes bearer_find_secret(const struct grpc_call *call);
struct bytes bearer_find_secret_in(const struct metadata *fields);

// `latchkey-company`, as sent; empty = the caller's own. INVALID, and the fault filled, if it is there and
// empty, or more than once: who meant another company must not act at home. Borrows from the call.
MUST_CHECK enum status bearer_find_company(const struct grpc_call *call, struct fault *fault,
                                           struct bytes *ret_company);

// Whether it may be the secret of an access or login token. `*ret_lane` is the lane that it names; that of
// the deployment where it names none. What begins like one of ours and is not whole was mistyped, and is
// nobody else's.
MUST_CHECK bool bearer_has_shape(struct bytes secret, const struct bearer_shape *shape, unsigned *ret_lane);

// The digest to look a caller up by, and the lane that it says it is of (bearer_has_shape()), which nobody
// has checked. UNAUTHENTICATED, and the fault filled, if there is no secret or if it has not the shape of a
// token's: SECRET_MISSING, MALFORMED.
MUST_CHECK enum status bearer_check(struct bytes secret, const struct bearer_shape *shape,
                                    struct fault *fault, struct digest *ret_digest, unsigned *ret_lane);

#endif
