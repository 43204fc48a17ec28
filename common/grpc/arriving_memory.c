#include "common/grpc/arriving_memory.h"

enum { ALWAYS_LET_IN_BYTES = 16 * 1024 };

static bool fits(const struct arriving_memory *memory, size_t used_bytes, size_t connection_bytes) {
    if (connection_bytes <= ALWAYS_LET_IN_BYTES)
        return true;
    return used_bytes <= memory->limit_bytes && connection_bytes <= memory->limit_bytes - used_bytes;
}

static bool grow(struct arriving_memory *memory, const struct arriving_share *connection, size_t bytes) {
    size_t before = atomic_fetch_add_explicit(&memory->used_bytes, bytes, memory_order_relaxed);
    if (fits(memory, before + bytes, connection->bytes + bytes))
        return true;
    atomic_fetch_sub_explicit(&memory->used_bytes, bytes, memory_order_relaxed);
    return false;
}

bool arriving_memory_set(struct arriving_memory *memory, struct arriving_share *connection,
                         struct arriving_share *call, size_t bytes) {
    if (bytes > call->bytes && !grow(memory, connection, bytes - call->bytes))
        return false;
    if (bytes < call->bytes)
        atomic_fetch_sub_explicit(&memory->used_bytes, call->bytes - bytes, memory_order_relaxed);
    connection->bytes = connection->bytes - call->bytes + bytes;
    call->bytes = bytes;
    return true;
}
