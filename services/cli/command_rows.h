// What the tables of commands and options are written with. Included by *_commands.c only.
#ifndef LATCHKEY_SERVICES_CLI_COMMAND_ROWS_H
#define LATCHKEY_SERVICES_CLI_COMMAND_ROWS_H

#include "common/base/compiler.h"
#include "services/cli/command.h"

#define TABLE(options) \
    { (options), ARRAY_LENGTH(options) }

#define FLAG(name_, help_) \
    { .name = (name_), .type = OPTION_FLAG, .help = (help_) }
#define VALUE(type_, name_, value_, help_) \
    { .name = (name_), .type = OPTION_##type_, .value_name = (value_), .help = (help_) }
// `rival_` is the option that says the same in another way.
#define RIVAL(type_, name_, value_, rival_, help_) \
    { .name = (name_), .type = OPTION_##type_, .value_name = (value_), .help = (help_), .rival = (rival_) }
#define CHOICE(name_, value_, help_, choices_) \
    { .name = (name_), .type = OPTION_CHOICE, .value_name = (value_), .help = (help_), .choices = (choices_) }
#define NUMBER(name_, value_, max_, help_) \
    { .name = (name_), .type = OPTION_INTEGER, .value_name = (value_), .help = (help_), .max = (max_) }
// In updates: `none_` is the word that clears it.
#define CLEARABLE(type_, name_, value_, none_, help_) \
    { .name = (name_), .type = OPTION_##type_, .value_name = (value_), .help = (help_), .none = (none_) }

// `count_` arguments at least and at most.
#define ARGUMENTS(names_, min_, max_) .arguments = (names_), .min_arguments = (min_), .max_arguments = (max_)

// Of every change.
#define CHANGE_OPTIONS                                                                                     \
    VALUE(DURATION, "wait", "TIME", "Waits until every validator knows it, at most so long, such as 5s."), \
        VALUE(WORD, "request-id", "UUID", "Makes a repetition harmless: the same change is made once.")

// Of every change that can't be undone.
#define ASKING_OPTION FLAG("yes", "Does not ask first.")

// Of what speaks to PostgreSQL itself.
#define DATABASE_OPTIONS                                                                              \
    VALUE(WORD, "database-url", "URL",                                                                \
          "PostgreSQL, in place of LATCHKEY_DATABASE_URL. The password belongs into PGPASSWORD or a " \
          "passfile."),                                                                               \
        VALUE(WORD, "database-direct-url", "URL",                                                     \
              "The same past a pooler, in place of LATCHKEY_DATABASE_DIRECT_URL.")

// Of every list.
#define LIMIT_OPTION NUMBER("limit", "NUMBER", INT32_MAX, "Shows no more than so many.")
#define WATCH_OPTION FLAG("watch", "Shows it again whenever it has changed, until Ctrl-C.")

#define SECRET_FILE_OPTION                                                                                 \
    VALUE(WORD, "secret-file", "FILE",                                                                     \
          "Writes the secret to this new file of mode 0600, in place of showing it on the terminal. - is " \
          "standard output, whatever that is.")

#endif
