#include "common/base/file_stamp.h"

#include <sys/stat.h>

static int64_t ns_of(struct timespec time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct file_stamp file_stamp_of(const char *path) {
    struct stat found;
    if (stat(path, &found) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){.device = found.st_dev,
                               .inode = found.st_ino,
                               .size = (uint64_t)found.st_size,
                               .modified_ns = ns_of(found.st_mtim),
                               .changed_ns = ns_of(found.st_ctim)};
}

bool file_stamp_is_equal(const struct file_stamp *a, const struct file_stamp *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}
