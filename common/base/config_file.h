// A file of settings: a line is `name = value`, the value everything up to the line's end without the white
// space around it; empty lines and lines that begin with "#" are passed over. Internal to config_*.c.
#ifndef LATCHKEY_COMMON_BASE_CONFIG_FILE_H
#define LATCHKEY_COMMON_BASE_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/config.h"
#include "common/base/status.h"

// One line, where it stands, and what it says; `mistake` if it says nothing, else NULL. Borrows the file.
struct config_line {
    size_t number;
    struct bytes name;
    const char *value;
    const char *mistake;
};

// Reads the file at `path`, in front of `*files`, which owns it. INVALID or UNAVAILABLE (whole_file.h) and
// a sentence, or NO_MEMORY, which may leave `ret_error` as it is.
MUST_CHECK enum status config_file_read(const char *path, struct config_file **files, char *ret_error,
                                        size_t error_size);

// The next line that says something, from the file's first. False at its end.
MUST_CHECK bool config_file_next(struct config_file *file, struct config_line *ret_line);

#endif
