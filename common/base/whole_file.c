#include "common/base/whole_file.h"

#include <errno.h>
#include <stdio.h>

enum { STEP_BYTES = 64 * 1024 };

// What has gone wrong, as what stands behind the path.
static enum status explain(int error, const char **ret_why) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: *ret_why = "is not there"; return STATUS_INVALID;
    case EACCES:
    case EPERM:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG: *ret_why = "can't be read"; return STATUS_INVALID;
    case EFBIG: *ret_why = "is larger than"; return STATUS_INVALID;
    case ENOMEM: *ret_why = "takes more memory than there is"; return STATUS_NO_MEMORY;
    default: *ret_why = "can't be read now"; return STATUS_UNAVAILABLE;
    }
}

// 0, or an errno. One byte more than there may be tells that it is too large.
static int read_all(FILE *from, struct buffer *text, size_t max) {
    while (text->len <= max) {
        size_t step = max - text->len < STEP_BYTES ? max - text->len + 1 : STEP_BYTES;
        uint8_t *to = buffer_reserve(text, step);
        if (!to)
            return ENOMEM;
        size_t len = fread(to, 1, step, from);
        buffer_advance(text, len);
        if (ferror(from))
            return errno;
        if (len == 0)
            return 0;
    }
    return EFBIG;
}

static int open_and_read(const char *path, struct buffer *text, size_t max) {
    FILE *from = fopen(path, "re");
    if (!from)
        return errno;
    // why: it may hold a key, of which no copy is to stay behind.
    setvbuf(from, NULL, _IONBF, 0);
    int error = read_all(from, text, max);
    fclose(from);
    return error;
}

enum status whole_file_read(const char *path, struct buffer *text, size_t max, char *ret_error,
                            size_t error_size) {
    const char *why;
    int error = open_and_read(path, text, max);
    if (error == 0)
        return STATUS_OK;
    enum status status = explain(error, &why);
    if (error == EFBIG)
        snprintf(ret_error, error_size, "%s %s %zu bytes", path, why, max);
    else
        snprintf(ret_error, error_size, "%s %s", path, why);
    return status;
}
