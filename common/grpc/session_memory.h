// Memory for nghttp2's sessions of one loop: what it frees is kept by size and handed out again, so that in
// the steady state a call allocates nothing. One thread.
#ifndef LATCHKEY_COMMON_GRPC_SESSION_MEMORY_H
#define LATCHKEY_COMMON_GRPC_SESSION_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>

// Sizes up to 1 KiB, in steps of 64 bytes.
#define SESSION_MEMORY_CLASSES 16

struct session_block;

struct session_memory {
    nghttp2_mem functions; // hand out &memory.functions; the struct must not move
    struct session_block *free_lists[SESSION_MEMORY_CLASSES];
    size_t kept_bytes;
};

void session_memory_init(struct session_memory *memory);

// Wipes what has been freed: header fields of peers, among others.
void session_memory_scrub(struct session_memory *memory);

// After the last session that used it.
void session_memory_fini(struct session_memory *memory);

#endif
