// Base64 (RFC 4648, standard alphabet) as gRPC's "-bin" metadata has it: written without padding, read with
// or without.
#ifndef LATCHKEY_COMMON_GRPC_BASE64_H
#define LATCHKEY_COMMON_GRPC_BASE64_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// In `arena`; data NULL when out of memory.
struct bytes base64_encode(struct arena *arena, struct bytes from);

// INVALID for another alphabet, wrong length or padding, or bits left over; NO_MEMORY.
MUST_CHECK enum status base64_decode(struct arena *arena, struct bytes from, struct bytes *ret_bytes);

#endif
