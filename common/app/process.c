#include "common/app/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

// No kind of mapping is dumped. Before the process stops being dumpable: its files in /proc are root's from
// then on.
static void empty_core_dumps(void) {
    int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "0", 1);
    close(fd);
}

static void raise_file_limit(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

// why: requests and answers of some hundred KiB come and go all the time. By itself glibc gives each one's
// memory back to the system, and takes it again page by page.
static void keep_freed_memory(void) {
    enum { OF_ITS_OWN_BYTES = 512 * 1024, KEPT_BYTES = 16 * 1024 * 1024 };
    (void)mallopt(M_MMAP_THRESHOLD, OF_ITS_OWN_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

void process_set_up(void) {
    empty_core_dumps();
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_DUMPABLE, 0);
    raise_file_limit();
    keep_freed_memory();
}
