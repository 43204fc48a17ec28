// A file as a whole, as it is at one moment.
#ifndef LATCHKEY_COMMON_BASE_WHOLE_FILE_H
#define LATCHKEY_COMMON_BASE_WHOLE_FILE_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Reads the file at `path` into `text`, which is empty, `max` bytes at most. INVALID: it is not there, may
// not be read or is larger, which only a change of it mends. UNAVAILABLE: it could not be read now, and the
// next time it may (too many open files, an I/O error). NO_MEMORY. After all but OK a sentence that begins
// with the path says why.
MUST_CHECK enum status whole_file_read(const char *path, struct buffer *text, size_t max, char *ret_error,
                                       size_t error_size);

#endif
