// What requests hold that have not come whole, over all connections of a server. No connection has more of it
// than it leaves for others, as switches share their buffers between ports: whoever begins much and ends
// nothing is stopped early, and however many do so, who comes then gets about what each of them has. A
// connection's first bytes are always let in, so that small requests are.
#ifndef LATCHKEY_COMMON_GRPC_ARRIVING_MEMORY_H
#define LATCHKEY_COMMON_GRPC_ARRIVING_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

struct arriving_memory {
    size_t limit_bytes;       // one connection alone gets half of it
    atomic_size_t used_bytes; // relaxed: a sum, shared by the loops
};

// What of it a connection has, or one of its calls; zeroed memory is none. One thread.
struct arriving_share {
    size_t bytes;
};

// The call's share becomes `bytes`, and its connection's changes with it. False, and both stay as they were,
// when there is no room to grow.
MUST_CHECK bool arriving_memory_set(struct arriving_memory *memory, struct arriving_share *connection,
                                    struct arriving_share *call, size_t bytes);

#endif
