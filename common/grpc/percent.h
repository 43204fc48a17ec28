// grpc-message: UTF-8 with everything outside of 0x20..0x7E, and '%' itself, as %XX.
#ifndef LATCHKEY_COMMON_GRPC_PERCENT_H
#define LATCHKEY_COMMON_GRPC_PERCENT_H

#include "common/base/arena.h"
#include "common/base/bytes.h"

// In `arena`, or `from` itself where nothing needs it; data NULL when out of memory.
struct bytes percent_encode(struct arena *arena, struct bytes from);

// Never fails on what a peer sends: what is no %XX stays as it is. Data NULL when out of memory.
struct bytes percent_decode(struct arena *arena, struct bytes from);

#endif
