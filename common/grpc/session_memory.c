// Every block is preceded by its size, because nghttp2 frees without telling it. Large blocks
// (the session itself, its buffers) go to malloc.
#include "common/grpc/session_memory.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/compiler.h"

enum { STEP_BYTES = 64, CLASS_NONE = SESSION_MEMORY_CLASSES };
#define KEPT_BYTES_MAX (16u * 1024 * 1024)

struct session_block {
    size_t capacity;
    uint32_t class;
    bool is_clean; // free and wiped, as all behind it in its list are
    union {
        struct session_block *next;
        alignas(max_align_t) uint8_t data[1];
    } body;
};

#define HEADER_BYTES offsetof(struct session_block, body)

static void *hand_out(struct session_block *block) {
    return block ? (char *)block + HEADER_BYTES : NULL;
}

static struct session_block *block_of(void *memory) {
    return (struct session_block *)((char *)memory - HEADER_BYTES);
}

static size_t class_of(size_t size) {
    size_t class = size == 0 ? 0 : (size - 1) / STEP_BYTES;
    return class < SESSION_MEMORY_CLASSES ? class : CLASS_NONE;
}

static size_t capacity_of(size_t class) {
    return (class + 1) * STEP_BYTES;
}

static void *allocate(size_t size, void *user_data) {
    struct session_memory *memory = user_data;
    size_t class = class_of(size);
    struct session_block *block;
    if (class != CLASS_NONE && memory->free_lists[class]) {
        block = memory->free_lists[class];
        memory->free_lists[class] = block->body.next;
        // why: the next one has left the cache since it was in use, and is mostly asked for soon.
        __builtin_prefetch(block->body.next);
        memory->kept_bytes -= block->capacity;
        return hand_out(block);
    }
    size_t capacity = class == CLASS_NONE ? size : capacity_of(class);
    if (capacity > SIZE_MAX - HEADER_BYTES)
        return NULL;
    block = malloc(HEADER_BYTES + capacity);
    if (!block)
        return NULL;
    block->capacity = capacity;
    block->class = (uint32_t) class;
    return hand_out(block);
}

static void release(void *pointer, void *user_data) {
    struct session_memory *memory = user_data;
    if (!pointer)
        return;
    struct session_block *block = block_of(pointer);
    if (block->class == CLASS_NONE || memory->kept_bytes > KEPT_BYTES_MAX) {
        explicit_bzero(pointer, block->capacity);
        free(block);
        return;
    }
    block->is_clean = false;
    block->body.next = memory->free_lists[block->class];
    memory->free_lists[block->class] = block;
    memory->kept_bytes += block->capacity;
}

static void *allocate_zeroed(size_t count, size_t size, void *user_data) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *pointer = allocate(total, user_data);
    if (pointer)
        memset(pointer, 0, total);
    return pointer;
}

static void *resize(void *pointer, size_t size, void *user_data) {
    if (!pointer)
        return allocate(size, user_data);
    size_t capacity = block_of(pointer)->capacity;
    if (size <= capacity)
        return pointer;
    void *moved = allocate(size, user_data);
    if (!moved)
        return NULL;
    memcpy(moved, pointer, capacity);
    release(pointer, user_data);
    return moved;
}

void session_memory_init(struct session_memory *memory) {
    *memory = (struct session_memory){.functions = {memory, allocate, release, allocate_zeroed, resize}};
}

// The lists are stacks: what was freed since the last time stands in front.
void session_memory_scrub(struct session_memory *memory) {
    for (size_t i = 0; i < SESSION_MEMORY_CLASSES; i++) {
        struct session_block *block = memory->free_lists[i];
        for (; block && !block->is_clean; block = block->body.next) {
            explicit_bzero(&block->body.next + 1, block->capacity - sizeof(block->body.next));
            block->is_clean = true;
        }
    }
}

void session_memory_fini(struct session_memory *memory) {
    for (size_t i = 0; i < SESSION_MEMORY_CLASSES; i++) {
        while (memory->free_lists[i]) {
            struct session_block *block = memory->free_lists[i];
            memory->free_lists[i] = block->body.next;
            free(block);
        }
    }
}
