// A JSON text as a tree, by the JSON library, in bounded memory and without losing a digit.
//
// The library keeps a number as long long or double and so has no uint64 and no exact exponent forms. Numbers
// therefore go through it as strings that begin with a NUL, which no string of the tree does otherwise: one
// that is to hold a NUL is refused, as protobuf-c could not hold it either.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TEXT_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TEXT_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// `arena` is for passing things and for `*ret_text`, the sentence. MALFORMED, TOO_LARGE (PROTOJSON_..._MAX),
// NO_MEMORY. The tree is the caller's, to be given to json_decref(); it holds no json_integer or json_real.
MUST_CHECK enum status protojson_text_load(struct bytes text, struct arena *arena, json_t **ret_tree,
                                           const char **ret_text);

// The digits of a number of such a tree, NUL-terminated; NULL for what is none.
const char *protojson_text_find_number(const json_t *value);

// Strings of the tree that are none of its numbers.
bool protojson_text_is_string(const json_t *value);

#endif
