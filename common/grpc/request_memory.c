#include "common/grpc/request_memory.h"

enum { SMALL_BYTES = 16 * 1024 };

static bool grow(struct request_memory *memory, size_t bytes) {
    size_t before = atomic_fetch_add_explicit(&memory->used_bytes, bytes, memory_order_relaxed);
    if (bytes <= memory->limit_bytes && before <= memory->limit_bytes - bytes)
        return true;
    atomic_fetch_sub_explicit(&memory->used_bytes, bytes, memory_order_relaxed);
    return false;
}

bool request_memory_set(struct request_memory *memory, struct request_share *share, size_t bytes) {
    if (bytes <= SMALL_BYTES)
        bytes = 0;
    if (bytes > share->bytes && !grow(memory, bytes - share->bytes))
        return false;
    if (bytes < share->bytes)
        atomic_fetch_sub_explicit(&memory->used_bytes, share->bytes - bytes, memory_order_relaxed);
    share->bytes = bytes;
    return true;
}
