// Options of a command as rows of a const table, and reading a command line against several such tables.
// Options and arguments may stand in any order; "--" ends the options; "-" is an argument.
#ifndef LATCHKEY_SERVICES_CLI_OPTION_H
#define LATCHKEY_SERVICES_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"

enum option_type {
    OPTION_FLAG,     // no value
    OPTION_TEXT,     // once, as all that follow but lists
    OPTION_WORD,     // a text that is not empty: what is looked for, a name, a file
    OPTION_LIST,     // may be given again and again; the values also separated by commas, none of them empty
    OPTION_PAIRS,    // a list of KEY=VALUE, each key once
    OPTION_DURATION, // "500ms", "30s", "12h", "30d"; milliseconds, above 0, at most a hundred years
    OPTION_TIME,     // RFC 3339, or a date; milliseconds since 1970
    OPTION_INTEGER,  // 0..`max`
    OPTION_CHOICE,   // one of `choices`
};

struct option {
    const char *name; // without the leading dashes
    enum option_type type;
    const char *value_name;     // in help; NULL for a flag
    const char *help;           // one or two sentences
    const char *const *choices; // NULL-terminated; of a choice, or of each item of a list
    const char *none;           // the word that stands for no value, such as "never"; NULL = there is none
    const char *rival;          // the option that says the same in another way: not both; NULL = none
    int64_t max;
};

struct option_table {
    const struct option *options;
    size_t count;
};

#define OPTION_TABLES_MAX 2

struct option_value {
    struct option_value *next;
    const struct option *option;
    const char *text;
    int64_t number; // of a duration, time or integer; 0 for the option's word for none
};

// What was typed. Borrows argv and the tables.
struct options {
    struct option_table tables[OPTION_TABLES_MAX];
    size_t table_count;
    struct option_value *first, **end;
    const char **arguments;
    size_t argument_count;
};

// False with a sentence in `ret_error` that says what is wrong and what to type instead. `count` strings from
// `words`.
MUST_CHECK bool options_read(const struct option_table *tables, size_t table_count, char *const *words,
                             size_t count, struct arena *arena, struct options *ret_options, char *ret_error,
                             size_t error_size);

// An option of that name in one of the tables, NULL if there is none.
const struct option *option_find(const struct option_table *tables, size_t table_count, const char *name);

// By name; asking for one that no table has is a programmer's mistake.
bool options_has(const struct options *options, const char *name);
const char *options_find_text(const struct options *options, const char *name); // NULL = not given
int64_t options_get_number(const struct options *options, const char *name, int64_t default_value);

// Whether it was given as its word for none.
bool options_is_none(const struct options *options, const char *name);

// All values of a list in the order typed, in `arena`; its word for none alone is an empty list. NULL when
// out of memory.
MUST_CHECK const char **options_get_list(const struct options *options, const char *name, struct arena *arena,
                                         size_t *ret_count);

#endif
