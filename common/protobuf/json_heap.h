// The heap of the JSON library: a text that runs out of memory is given up at once, and what is given back is
// wiped, since texts may be secrets.
#ifndef LATCHKEY_COMMON_PROTOBUF_JSON_HEAP_H
#define LATCHKEY_COMMON_PROTOBUF_JSON_HEAP_H

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// json_loadb() with JSON_DECODE_ANY, JSON_ALLOW_NUL and `flags`. MALFORMED, with `*ret_error` filled;
// NO_MEMORY. The tree is the caller's, to be given to json_decref().
MUST_CHECK enum status json_heap_load(struct bytes text, size_t flags, json_error_t *ret_error,
                                      json_t **ret_tree);

// An object without duplicates; NULL for anything else, and where memory runs out. Owned, by json_decref(),
// which wipes it.
json_t *json_heap_load_object(struct bytes text);

// Runs what reads JSON by itself, such as another library. NO_MEMORY: the JSON library's memory ran out, and
// what it had allocated meanwhile is gone; `run` was left where it was, so what else it had allocated is
// lost.
MUST_CHECK enum status json_heap_run(void (*run)(void *context), void *context);

// For what json_dumps() has returned, in place of free(). Takes NULL.
void json_heap_free(char *text);

#endif
