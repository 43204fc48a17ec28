// Text that is shown to people: the nearest known word for a typing error.
#ifndef LATCHKEY_COMMON_BASE_TEXT_H
#define LATCHKEY_COMMON_BASE_TEXT_H

#include <stddef.h>

#include "common/base/bytes.h"

// The element of `known` with the smallest edit distance (insert, delete, replace, swap of neighbours) to
// `word`, or NULL if every one is farther than a third of its length (one edit for words of one or two
// bytes). Of several equally near the first. Words longer than 64 bytes have no nearest one and are none's.
const char *text_find_nearest(struct bytes word, const char *const *known, size_t count);

#endif
