// Configuration files that are lines of words: white space stands between the words, a line that begins with
// "#" is a comment. What is wrong is told with the file's name and the line's number, "routes.conf:3: ...".
#ifndef LATCHKEY_COMMON_BASE_WORD_FILE_H
#define LATCHKEY_COMMON_BASE_WORD_FILE_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define WORD_FILE_BYTES_MAX (4 << 20)

// Where the reading is. Borrows; `ret_error` gets the sentence.
struct word_file {
    const char *name;
    size_t line;
    char *ret_error;
    size_t error_size;
};

// Writes the sentence; INVALID.
enum status word_file_fail(const struct word_file *file, const char *format, ...) PRINTF_LIKE(2, 3);

// The word before the first white space, empty at the line's end; leaves what stands behind it.
struct bytes word_file_take(struct bytes *rest);

// whole_file_read(), WORD_FILE_BYTES_MAX at most.
MUST_CHECK enum status word_file_read(const char *path, struct buffer *text, char *ret_error,
                                      size_t error_size);

#endif
