// A decision against a caller, in words: the status, the reason by its name, and one sentence that says what
// to do. UNAUTHENTICATED for a secret that is no secret of ours, unknown or dead; PERMISSION_DENIED for the
// rest.
#ifndef LATCHKEY_COMMON_APP_REFUSAL_H
#define LATCHKEY_COMMON_APP_REFUSAL_H

#include "common/access/decision.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/address.h"

// `reason` is not REASON_OK. `address` is the caller's, as it was compared; `permission` the one that was
// asked for (NULL = none). Returns the fault's status.
enum status refusal_set(struct fault *fault, enum reason reason, const struct ip_address *address,
                        const char *permission);

#endif
