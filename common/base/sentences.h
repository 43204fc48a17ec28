// Sentences about what is wrong, in the caller's memory, one a line: for who wants to hear of every mistake
// at once. Those that find no room are cut.
#ifndef LATCHKEY_COMMON_BASE_SENTENCES_H
#define LATCHKEY_COMMON_BASE_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

struct sentences {
    char *text;
    size_t size; // 0 = nobody listens
};

// Empty, in `text`.
struct sentences sentences_in(char *text, size_t size);

void sentences_add(struct sentences sentences, const char *format, ...) PRINTF_LIKE(2, 3);

bool sentences_is_empty(struct sentences sentences);

#endif
