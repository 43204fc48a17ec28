// The commands of `latchkey` as one const table: from it come dispatch, help, the suggestions after a typing
// error and the completion of shells.
#ifndef LATCHKEY_SERVICES_CLI_COMMAND_H
#define LATCHKEY_SERVICES_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "services/cli/exit_code.h"
#include "services/cli/option.h"

struct cli;

#define ARGUMENTS_ANY SIZE_MAX

struct command {
    const char *noun;      // "token"
    const char *verb;      // "create"; NULL for a command of one word
    const char *arguments; // as usage shows them, "TOKEN-ID"; NULL = none
    size_t min_arguments, max_arguments;
    const char *summary;         // one line, without a full stop
    const char *details;         // further sentences and examples; NULL = none
    struct option_table options; // its own, beside the common ones
    enum exit_code (*run)(struct cli *cli);
};

// The commands of one noun, or of a few short ones; each list stands in a file of its own, *_commands.c.
struct command_list {
    const struct command *commands;
    size_t count;
};

// All of them, in the order of help.
size_t command_get_count(void);
const struct command *command_get(size_t index);

// Options that every command takes.
extern const struct option_table command_common_options;

// NULL if there is none. `verb` NULL finds commands of one word only.
const struct command *command_find(const char *noun, const char *verb);

// Whether commands begin with this noun and go on with a verb; it may be one alone, too.
bool command_noun_has_verbs(const char *noun);

// The nearest noun, or the nearest verb of `noun`; NULL if none is near.
const char *command_find_nearest_noun(const char *word);
const char *command_find_nearest_verb(const char *noun, const char *word);

#endif
