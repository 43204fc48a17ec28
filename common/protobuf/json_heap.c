// why: jansson 2.14 drops the bytes of a token for which its buffer cannot grow, reads on, and then writes
// past the end of what it makes of the token. So a failure does not reach it: json_heap_load() takes back all
// that was allocated since it began, which stands in a list for that long, and never returns into the
// library.
#include "common/protobuf/json_heap.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct heap_block {
    struct heap_block *next, **link; // of a load; NULL outside of one
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

struct heap_load {
    struct heap_block *blocks;
    jmp_buf out_of_memory;
};

static _Thread_local struct heap_load *current_load;

static void link_block(struct heap_load *load, struct heap_block *block) {
    block->next = load->blocks;
    block->link = &load->blocks;
    if (block->next)
        block->next->link = &block->next;
    load->blocks = block;
}

static void unlink_block(struct heap_block *block) {
    if (!block->link)
        return;
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    block->next = NULL;
    block->link = NULL;
}

static void free_block(struct heap_block *block) {
    unlink_block(block);
    explicit_bzero(block->data, block->size);
    free(block);
}

static void *allocate(size_t size) {
    struct heap_load *load = current_load;
    struct heap_block *block = size <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + size) : NULL;
    if (!block && load)
        longjmp(load->out_of_memory, 1);
    if (!block)
        return NULL;
    *block = (struct heap_block){.size = size};
    if (load)
        link_block(load, block);
    return block->data;
}

static void release(void *memory) {
    if (memory)
        free_block((struct heap_block *)((uint8_t *)memory - offsetof(struct heap_block, data)));
}

void json_heap_free(char *text) {
    release(text);
}

// Before there are threads, which must not see the library's functions change.
__attribute__((constructor)) static void take_over_heap(void) {
    json_set_alloc_funcs(allocate, release);
}

// NULL, and nothing left behind, when memory has run out; `*ret_has_ended` is false then.
static json_t *load_text(struct heap_load *load, struct bytes text, size_t flags, json_error_t *ret_error,
                         bool *ret_has_ended) {
    *ret_has_ended = false;
    if (setjmp(load->out_of_memory) != 0)
        return NULL;
    json_t *tree =
        json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, ret_error);
    *ret_has_ended = true;
    return tree;
}

enum status json_heap_load(struct bytes text, size_t flags, json_error_t *ret_error, json_t **ret_tree) {
    struct heap_load load = {0};
    bool has_ended;
    current_load = &load;
    json_t *tree = load_text(&load, text, flags, ret_error, &has_ended);
    current_load = NULL;
    void (*let_go)(struct heap_block *) = has_ended ? unlink_block : free_block;
    while (load.blocks)
        let_go(load.blocks);
    if (!has_ended || (!tree && json_error_code(ret_error) == json_error_out_of_memory))
        return STATUS_NO_MEMORY;
    if (!tree)
        return STATUS_MALFORMED;
    *ret_tree = tree;
    return STATUS_OK;
}
