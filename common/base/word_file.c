#include "common/base/word_file.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/whole_file.h"

enum status word_file_fail(const struct word_file *file, const char *format, ...) {
    char sentence[256];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof(sentence), format, values);
    va_end(values);
    snprintf(file->ret_error, file->error_size, "%s:%zu: %s", file->name, file->line, sentence);
    return STATUS_INVALID;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

struct bytes word_file_take(struct bytes *rest) {
    size_t begin = 0;
    while (begin < rest->len && is_space(rest->data[begin]))
        begin++;
    size_t end = begin;
    while (end < rest->len && !is_space(rest->data[end]))
        end++;
    struct bytes word = bytes_of(rest->data + begin, end - begin);
    *rest = bytes_of(rest->data + end, rest->len - end);
    return word;
}

enum status word_file_read(const char *path, struct buffer *text, char *ret_error, size_t error_size) {
    return whole_file_read(path, text, WORD_FILE_BYTES_MAX, ret_error, error_size);
}
