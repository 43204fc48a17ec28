// The etag of a resource: its version as text, opaque to callers. Sent back in an update it says which state
// the change was meant for.
#ifndef LATCHKEY_COMMON_GRPC_ETAG_H
#define LATCHKEY_COMMON_GRPC_ETAG_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

#define ETAG_MAX 20 // a sign and the digits of an int64_t

void etag_format(int64_t version, char ret_etag[ETAG_MAX + 1]);

// ABORTED (ETAG_STALE) unless `etag` is empty or that of `version`.
MUST_CHECK enum status etag_check(const char *etag, int64_t version, struct fault *fault);

#endif
