// The console's pages, as this binary carries them: what console/build.mjs makes of console/src, written into
// a table by the build (cmake/write_console_table.cmake). Empty where the build had no npm.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_FILES_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_FILES_H

#include <stddef.h>
#include <stdint.h>

struct console_file {
    const char *path; // "/index.html"
    const uint8_t *data;
    size_t len;
};

extern const struct console_file console_files[];
extern const size_t console_file_count;

#endif
