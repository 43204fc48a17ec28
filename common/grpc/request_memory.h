// What the requests of a server that have come whole (before, they are arriving_memory.h's) may hold in
// memory until they are answered, over all its connections. Flow control does not bound it: a message that
// has been taken opens its window again, and unpacks into up to a hundred times its size. Small requests are
// not counted, and so always let in. A sum of its own is kept of the answers that wait for clients who do not
// read.
#ifndef LATCHKEY_COMMON_GRPC_REQUEST_MEMORY_H
#define LATCHKEY_COMMON_GRPC_REQUEST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

struct request_memory {
    size_t limit_bytes;
    atomic_size_t used_bytes; // relaxed: a sum, shared by the loops
};

// A call's part of it; zeroed memory is none.
struct request_share {
    size_t bytes;
};

// The share becomes `bytes`. False, and it stays as it was, when there is no room to grow.
MUST_CHECK bool request_memory_set(struct request_memory *memory, struct request_share *share, size_t bytes);

#endif
