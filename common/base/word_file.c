#include "common/base/word_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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

static bool read_text(FILE *from, struct buffer *text) {
    uint8_t *to = buffer_reserve(text, WORD_FILE_BYTES_MAX);
    size_t len = to ? fread(to, 1, WORD_FILE_BYTES_MAX, from) : 0;
    buffer_advance(text, len);
    return to && !ferror(from) && len < WORD_FILE_BYTES_MAX;
}

enum status word_file_read(const char *path, struct buffer *text, char *ret_error, size_t error_size) {
    FILE *from = fopen(path, "re");
    bool is_read = from && read_text(from, text);
    if (!is_read)
        snprintf(ret_error, error_size, "%s %s", path,
                 from || errno != ENOENT ? "can't be read, or is larger than 4 MiB" : "is not there");
    if (from)
        fclose(from);
    return is_read ? STATUS_OK : STATUS_INVALID;
}
