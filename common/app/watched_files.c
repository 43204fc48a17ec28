// A set that is replaced file by file may be found half-way, a key without its certificate: then what was
// read before stays until the rest has come. A file that is written in place may be found half-way, too, and
// the half may be valid: routes without the line that denies. So it is left alone until it has stayed the
// same for a tick.
//
// why a tick, too, is the pause after a failure: it is as long as the longest one of backoff.h.
#include "common/app/watched_files.h"

#include <stdatomic.h>

#include "common/base/log.h"

enum { ERROR_MAX = 1024 };

// NULL where there is none.
static const char *get_path(const struct watched_files *files, size_t index) {
    const char *path = files->paths[index] ? *files->paths[index] : NULL;
    return path && *path ? path : NULL;
}

bool watched_files_look(struct watched_files *files) {
    bool has_changed = false;
    for (size_t i = 0; i < WATCHED_FILES_MAX; i++) {
        const char *path = get_path(files, i);
        if (!path)
            continue;
        struct file_stamp now = file_stamp_of(path);
        has_changed |= !file_stamp_is_equal(&now, &files->stamps[i]);
        files->stamps[i] = now;
    }
    return has_changed;
}

static void read_again(struct watched_files *files) {
    char error[ERROR_MAX];
    bool was_unread = files->is_unread;
    enum status status = files->read(error, sizeof(error));
    files->is_unread = status != STATUS_OK && status != STATUS_INVALID;
    if (status == STATUS_OK) {
        atomic_fetch_add_explicit(&files->reloads, 1, memory_order_relaxed);
        log_event(LOG_LEVEL_INFO, files->read_again, LOG_TEXT("file", get_path(files, 0)));
        return;
    }
    atomic_fetch_add_explicit(&files->failures, 1, memory_order_relaxed);
    if (!was_unread || !files->is_unread)
        log_event(LOG_LEVEL_ERROR, files->unusable, LOG_TEXT("reason", error));
}

void watched_files_tick(struct watched_files *files) {
    bool was_changing = files->is_changing;
    files->is_changing = watched_files_look(files);
    if (!files->is_changing && (was_changing || files->is_unread))
        read_again(files);
}

void watched_files_reload(struct watched_files *files) {
    (void)watched_files_look(files);
    files->is_changing = false;
    if (get_path(files, 0))
        read_again(files);
}

void watched_files_write_metrics(struct metrics_writer *writer, const char *name, const char *help,
                                 const struct watched_files *sets, size_t count) {
    uint64_t reloads = 0, failures = 0;
    for (size_t i = 0; i < count; i++) {
        reloads += atomic_load_explicit(&sets[i].reloads, memory_order_relaxed);
        failures += atomic_load_explicit(&sets[i].failures, memory_order_relaxed);
    }
    metrics_write_counter(writer, name, help, "result=\"ok\"", reloads);
    metrics_write_counter(writer, name, help, "result=\"failed\"", failures);
}
