// Memory that lives as long as one call: allocated in order, released all at once, never piece by piece. The
// limit is what keeps a small hostile message from becoming a large structure (protobuf messages grow 16 to
// 30 times when unpacked). What a call has left is wiped, because it may have been a secret. One thread at a
// time.
#ifndef LATCHKEY_COMMON_BASE_ARENA_H
#define LATCHKEY_COMMON_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

struct arena_block;

// Embedded by its owner; use the functions. `first` is kept over a reset, so that a pooled call allocates
// nothing.
struct arena {
    struct arena_block *first;
    struct arena_block *current; // the one being filled
    size_t used_bytes;  // handed out since the last reset, over all blocks, each rounded up to the alignment
    size_t limit_bytes; // what it may hand out at most; arena_allocate() then returns NULL
};

// Allocates nothing yet. `limit_bytes` 0 means no limit.
void arena_init(struct arena *arena, size_t limit_bytes);
void arena_fini(struct arena *arena);

// Forgets everything that was handed out; keeps the first block.
void arena_reset(struct arena *arena);

// Aligned for any type, not zeroed. NULL when memory or the limit ran out. `size` 0 gives a unique address.
MUST_CHECK void *arena_allocate(struct arena *arena, size_t size);

// Zeroed array of `count` elements; NULL also when the product overflows.
MUST_CHECK void *arena_allocate_array(struct arena *arena, size_t count, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_allocate_array((arena), 1, sizeof(type)))
#define ARENA_NEW_ARRAY(arena, type, count) ((type *)arena_allocate_array((arena), (count), sizeof(type)))

// NUL-terminated copies; NULL when out of memory.
MUST_CHECK char *arena_copy_text(struct arena *arena, const char *text);
MUST_CHECK char *arena_copy_bytes(struct arena *arena, struct bytes bytes);
MUST_CHECK char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
MUST_CHECK char *arena_format_args(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);

#endif
