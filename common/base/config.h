// Settings as one const table: name, type, default, range, unit and help in one row, from which come the
// command line (`--name value` or `--name=value`), the environment (`LATCHKEY_NAME`), files (`name = value`),
// `--help`, and every error sentence. The command line beats the environment beats files beat the default; an
// empty variable, or line of a file, counts as not set. Several tables are read together: a server gives its
// own and those of the layers below.
#ifndef LATCHKEY_COMMON_BASE_CONFIG_H
#define LATCHKEY_COMMON_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

enum setting_type {
    SETTING_TEXT,     // const char *, borrows from argv, the environment or the table
    SETTING_BOOLEAN,  // bool; --name and --no-name, or --name=true/false/yes/no/on/off/1/0; no default: false
    SETTING_INTEGER,  // int64_t, within min..max
    SETTING_DURATION, // int64_t milliseconds; typed as 500ms, 30s, 10m, 72h, 7d, 0; within min..max ms
    SETTING_SIZE,     // int64_t bytes; typed as 65536, 64KiB, 1MiB, 2GiB; within min..max bytes
    SETTING_CHOICE,   // int: index into `choices`
    // struct config_file *: a file of further settings, which texts from it borrow; free it by
    // config_files_free() after their last use. May be given again: the later file wins.
    SETTING_FILES,
};

struct config_file;                                // owns those that were read before it
void config_files_free(struct config_file *files); // takes NULL

struct setting {
    const char *name; // lower-case-with-dashes, without the leading dashes
    enum setting_type type;
    size_t offset;              // of the value in the struct that `base` of config_table points to
    const char *default_value;  // as typed; NULL = none (text: NULL)
    int64_t min, max;           // of the number types; max 0 = no upper bound
    const char *const *choices; // NULL-terminated, for SETTING_CHOICE
    // Of a text: may refuse it, and then says in *ret_reason what to type (static storage). NULL = any text.
    bool (*accept)(const char *text, const char **ret_reason);
    bool takes_empty;    // an empty variable is a text to be accepted or not, where others are as if not set
    bool passes_unknown; // of SETTING_FILES: names that no table has are another program's
    const char *value_name; // in --help, e.g. "ADDRESS:PORT"; NULL = from the type
    const char *help; // one or two sentences; says what a secret's value must not be: on the command line
};

struct config_table {
    const char *title; // heading in --help
    const struct setting *settings;
    size_t count;
    void *base; // the struct that the offsets point into
};

// Fills every table with defaults, then files, then `environment` (NULL-terminated NAME=value, as environ),
// then `argv[1..]`. Arguments that are no setting are left in `argv` in order, and `*argc` tells how many
// remain ("--" ends settings); so are --help, --version and --check-config. On INVALID a sentence for each
// mistake is in `ret_error`, one a line, that names the setting and says what is allowed (for unknown names,
// the nearest known one). UNAVAILABLE and NO_MEMORY: nothing is wrong but that a file can't be read now.
MUST_CHECK enum status config_read(const struct config_table *tables, size_t table_count, int *argc,
                                   char **argv, char *const *environment, char *ret_error, size_t error_size);

// "max-staleness" is LATCHKEY_MAX_STALENESS in the environment.
#define CONFIG_ENVIRONMENT_NAME_SIZE 80
void config_format_environment_name(const char *name, char ret_text[CONFIG_ENVIRONMENT_NAME_SIZE]);

// --help: every table under its title, with default, range and environment name.
void config_print_help(const struct config_table *tables, size_t table_count, FILE *to);

// The same in mdoc(7), for a section of a manual page.
void config_print_manual(const struct config_table *tables, size_t table_count, FILE *to);

#endif
