// Whether a file is another one than it was, without reading it: also when a symbolic link on the way to it
// was changed, as kubelet does it to replace all files of a volume at once.
#ifndef LATCHKEY_COMMON_BASE_FILE_STAMP_H
#define LATCHKEY_COMMON_BASE_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

// Zeroed memory is that of a file that is not there.
struct file_stamp {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

struct file_stamp file_stamp_of(const char *path);

bool file_stamp_is_equal(const struct file_stamp *a, const struct file_stamp *b);

#endif
