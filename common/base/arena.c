// Blocks in a list: the first is small and stays, each further one is twice the one before up to a cap, and
// whatever is too large for a block of its turn gets one to itself, so that the room left in the current
// block is not lost.
#include "common/base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    FIRST_BLOCK_BYTES = 4 * 1024,
    BLOCK_BYTES_MAX = 64 * 1024,
};

// What has not been handed out is poisoned under AddressSanitizer, so that a use after arena_reset() is seen.
struct arena_block {
    struct arena_block *next;
    size_t capacity, used;
    alignas(max_align_t) uint8_t data[];
};

static struct arena_block *new_block(size_t capacity) {
    if (capacity > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *block = malloc(sizeof(*block) + capacity);
    if (!block)
        return NULL;
    block->next = NULL;
    block->capacity = capacity;
    block->used = 0;
    ASAN_POISON_MEMORY_REGION(block->data, capacity);
    return block;
}

// The memory is poisoned again by its user.
static void wipe_block(struct arena_block *block) {
    ASAN_UNPOISON_MEMORY_REGION(block->data, block->capacity);
    explicit_bzero(block->data, block->used);
    block->used = 0;
}

static void free_block(struct arena_block *block) {
    wipe_block(block);
    free(block);
}

static void free_list(struct arena_block *block) {
    while (block) {
        struct arena_block *next = block->next;
        free_block(block);
        block = next;
    }
}

static void link_after(struct arena_block *block, struct arena_block *added) {
    added->next = block->next;
    block->next = added;
}

// The block in which `size` bytes are free, made where needed.
static struct arena_block *find_room(struct arena *arena, size_t size) {
    if (!arena->first) {
        arena->first = arena->current = new_block(FIRST_BLOCK_BYTES);
        if (!arena->first)
            return NULL;
    }
    struct arena_block *current = arena->current;
    if (size <= current->capacity - current->used)
        return current;

    size_t next_capacity = current->capacity < BLOCK_BYTES_MAX ? current->capacity * 2 : BLOCK_BYTES_MAX;
    bool is_large = size > next_capacity / 2;
    struct arena_block *block = new_block(is_large ? size : next_capacity);
    if (!block)
        return NULL;
    link_after(current, block);
    if (!is_large)
        arena->current = block;
    return block;
}

static bool is_within_limit(const struct arena *arena, size_t size) {
    return arena->limit_bytes == 0 ||
           (size <= arena->limit_bytes && arena->used_bytes <= arena->limit_bytes - size);
}

void arena_init(struct arena *arena, size_t limit_bytes) {
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_fini(struct arena *arena) {
    free_list(arena->first);
    *arena = (struct arena){.limit_bytes = arena->limit_bytes};
}

void arena_reset(struct arena *arena) {
    arena->used_bytes = 0;
    arena->current = arena->first;
    if (!arena->first)
        return;
    free_list(arena->first->next);
    arena->first->next = NULL;
    wipe_block(arena->first);
    ASAN_POISON_MEMORY_REGION(arena->first->data, arena->first->capacity);
}

void *arena_allocate(struct arena *arena, size_t size) {
    const size_t alignment = alignof(max_align_t);
    if (size > SIZE_MAX - alignment)
        return NULL;
    size_t rounded = size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
    if (!is_within_limit(arena, rounded))
        return NULL;
    struct arena_block *block = find_room(arena, rounded);
    if (!block)
        return NULL;

    void *memory = block->data + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

void *arena_allocate_array(struct arena *arena, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *memory = arena_allocate(arena, total);
    if (memory)
        memset(memory, 0, total);
    return memory;
}

char *arena_copy_text(struct arena *arena, const char *text) {
    return arena_copy_bytes(arena, bytes_of_text(text));
}

char *arena_copy_bytes(struct arena *arena, struct bytes bytes) {
    if (bytes.len == SIZE_MAX)
        return NULL;
    char *copy = arena_allocate(arena, bytes.len + 1);
    if (!copy)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_format_args(arena, format, args);
    va_end(args);
    return text;
}

char *arena_format_args(struct arena *arena, const char *format, va_list args) {
    va_list measured;
    va_copy(measured, args);
    int len = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (len < 0)
        return NULL;
    char *text = arena_allocate(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}
