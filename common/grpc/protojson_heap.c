#include "common/grpc/protojson_heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// why: jansson 2.14 drops the bytes of a token for which its buffer cannot grow, and reads on. The failure is
// seen here, and what was read then thrown away.
static _Thread_local bool has_failed;

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (!memory)
        has_failed = true;
    return memory;
}

static void release(void *memory) {
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

// Before there are threads, which must not see the library's functions change.
__attribute__((constructor)) static void take_over_heap(void) {
    json_set_alloc_funcs(allocate, release);
}

enum status protojson_heap_load(struct bytes text, size_t flags, json_error_t *ret_error, json_t **ret_tree) {
    has_failed = false;
    json_t *tree =
        json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, ret_error);
    if (has_failed || (!tree && json_error_code(ret_error) == json_error_out_of_memory)) {
        json_decref(tree);
        return STATUS_NO_MEMORY;
    }
    if (!tree)
        return STATUS_MALFORMED;
    *ret_tree = tree;
    return STATUS_OK;
}
