// why: jansson 2.14 drops the bytes of a token for which its buffer cannot grow, reads on, and then writes
// past the end of what it makes of the token. So a failure does not reach it: json_heap_run() takes back all
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

static bool run_to_its_end(struct heap_load *load, void (*run)(void *context), void *context) {
    if (setjmp(load->out_of_memory) != 0)
        return false;
    run(context);
    return true;
}

enum status json_heap_run(void (*run)(void *context), void *context) {
    struct heap_load load = {0};
    current_load = &load;
    bool has_ended = run_to_its_end(&load, run, context);
    current_load = NULL;
    void (*let_go)(struct heap_block *) = has_ended ? unlink_block : free_block;
    while (load.blocks)
        let_go(load.blocks);
    return has_ended ? STATUS_OK : STATUS_NO_MEMORY;
}

struct text_load {
    struct bytes text;
    size_t flags;
    json_error_t *error;
    json_t *tree;
};

static void load_text(void *context) {
    struct text_load *load = context;
    load->tree = json_loadb((const char *)load->text.data, load->text.len,
                            JSON_DECODE_ANY | JSON_ALLOW_NUL | load->flags, load->error);
}

enum status json_heap_load(struct bytes text, size_t flags, json_error_t *ret_error, json_t **ret_tree) {
    struct text_load load = {text, flags, ret_error, NULL};
    if (json_heap_run(load_text, &load) != STATUS_OK ||
        (!load.tree && json_error_code(ret_error) == json_error_out_of_memory))
        return STATUS_NO_MEMORY;
    if (!load.tree)
        return STATUS_MALFORMED;
    *ret_tree = load.tree;
    return STATUS_OK;
}

json_t *json_heap_load_object(struct bytes text) {
    json_error_t ignored;
    json_t *json;
    if (json_heap_load(text, JSON_REJECT_DUPLICATES, &ignored, &json) != STATUS_OK)
        return NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}
