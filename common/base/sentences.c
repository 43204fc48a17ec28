#include "common/base/sentences.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sentences sentences_in(char *text, size_t size) {
    if (size > 0)
        text[0] = '\0';
    return (struct sentences){text, size};
}

void sentences_add(struct sentences sentences, const char *format, ...) {
    if (sentences.size == 0)
        return;
    size_t used = strlen(sentences.text);
    if (used > 0 && used + 1 < sentences.size)
        sentences.text[used++] = '\n';
    va_list values;
    va_start(values, format);
    vsnprintf(sentences.text + used, sentences.size - used, format, values);
    va_end(values);
}

bool sentences_is_empty(struct sentences sentences) {
    return sentences.size == 0 || sentences.text[0] == '\0';
}
