#include "services/audit/head_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int file, struct bytes rest) {
    while (rest.len > 0) {
        ssize_t written = write(file, rest.data, rest.len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            rest = bytes_of(rest.data + written, rest.len - (size_t)written);
    }
    return true;
}

// Under the file's lock, so that what is cut off after a failure is our own.
static bool append(int file, struct bytes lines) {
    struct stat before;
    if (flock(file, LOCK_EX) != 0 || fstat(file, &before) != 0)
        return false;
    if (write_all(file, lines) && fsync(file) == 0)
        return true;
    int why = errno;
    if (ftruncate(file, before.st_size) != 0)
        errno = why; // why: half a line stays; readers pass over it
    errno = why;
    return false;
}

enum status head_file_append(const char *path, struct bytes lines) {
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0)
        return STATUS_UNAVAILABLE;
    enum status status = append(file, lines) ? STATUS_OK : STATUS_UNAVAILABLE;
    int why = errno;
    close(file);
    errno = why;
    return status;
}
