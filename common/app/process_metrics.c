#include "common/app/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PROC_TEXT_MAX = 256 };

#define NS_PER_US 1000ull
#define NS_PER_S 1000000000ull

static bool read_proc(const char *path, char ret_text[PROC_TEXT_MAX]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, ret_text, PROC_TEXT_MAX - 1);
    close(fd);
    ret_text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

static void write_cpu(struct metrics_writer *writer) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    uint64_t seconds = (uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec;
    uint64_t microseconds = (uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec;
    metrics_write_seconds_total(writer, "process_cpu_seconds_total", "User and system CPU time spent.", NULL,
                                seconds * NS_PER_S + microseconds * NS_PER_US);
}

static void write_memory(struct metrics_writer *writer) {
    char text[PROC_TEXT_MAX];
    uint64_t virtual_pages, resident_pages;
    if (!read_proc("/proc/self/statm", text) ||
        sscanf(text, "%" SCNu64 " %" SCNu64, &virtual_pages, &resident_pages) != 2)
        return;
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    metrics_write_gauge(writer, "process_virtual_memory_bytes", "Virtual memory size.", NULL,
                        (double)virtual_pages * page_bytes);
    metrics_write_gauge(writer, "process_resident_memory_bytes", "Resident memory size.", NULL,
                        (double)resident_pages * page_bytes);
}

static void write_descriptors(struct metrics_writer *writer) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_write_gauge(writer, "process_max_fds", "Descriptors that may be open.", NULL,
                            (double)limit.rlim_cur);
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return;
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    metrics_write_gauge(writer, "process_open_fds", "Descriptors that are open.", NULL,
                        (double)(count - 1)); // but this directory's
}

void process_metrics_write(struct metrics_writer *writer, void *context) {
    const struct process_metrics *process = context;
    char labels[128];
    snprintf(labels, sizeof(labels), "program=\"%s\",version=\"%s\"", process->program, LATCHKEY_VERSION);
    metrics_write_gauge(writer, "latchkey_build_info", "1; which program of which version this is.", labels,
                        1);
    metrics_write_gauge(writer, "process_start_time_seconds", "When it started, in seconds since 1970.", NULL,
                        (double)process->started_ms / 1e3);
    write_cpu(writer);
    write_memory(writer);
    write_descriptors(writer);
}
