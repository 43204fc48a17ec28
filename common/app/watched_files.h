// Files that a program reads together: once at the start, by itself, and again when one of them has changed
// or when told to. A set that can't be used changes nothing: what was read before stays in use, the log says
// why, once, and it is counted. One that could not be read now (too many open files, an I/O error, no memory)
// is read again at each tick until it can be. The main thread's, unless said.
#ifndef LATCHKEY_COMMON_APP_WATCHED_FILES_H
#define LATCHKEY_COMMON_APP_WATCHED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/file_stamp.h"
#include "common/base/status.h"

#define WATCHED_FILES_MAX 4

struct watched_files {
    const char *const *paths[WATCHED_FILES_MAX]; // where the settings have them; NULL or "": none
    // All of them, and uses them from then on. INVALID: they are not as they should be; any other failure may
    // pass by itself.
    enum status (*read)(char *ret_error, size_t error_size);
    const char *read_again, *unusable; // what the log says then

    // Its own.
    struct file_stamp stamps[WATCHED_FILES_MAX];
    bool is_changing;                   // at the last tick
    bool is_unread;                     // for a reason that may pass
    _Atomic uint64_t reloads, failures; // relaxed: read by the admin port
};

// Notes how the files are now, and whether they are others than noted before. At the start that comes before
// the reading: what changes in between is seen by the next look.
bool watched_files_look(struct watched_files *files);

// Every second or so: reads again if one has changed, and none has since the tick before, or if they could
// not be read.
void watched_files_tick(struct watched_files *files);

// Reads again at once, unless there is no file.
void watched_files_reload(struct watched_files *files);

// How often so many sets have been read again, together. Any thread.
void watched_files_write_metrics(struct metrics_writer *writer, const char *name, const char *help,
                                 const struct watched_files *sets, size_t count);

#endif
