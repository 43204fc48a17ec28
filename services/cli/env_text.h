// NAME='value' lines that a shell sources.
#ifndef LATCHKEY_SERVICES_CLI_ENV_TEXT_H
#define LATCHKEY_SERVICES_CLI_ENV_TEXT_H

#include "common/base/arena.h"
#include "common/base/compiler.h"

struct env_variable {
    const char *name;
    const char *value; // NULL leaves the line out
};

// One line for each, every value quoted so that a shell takes it as it is; no newline behind the last one.
// NULL when out of memory.
MUST_CHECK char *env_text_format(struct arena *arena, const struct env_variable *variables, size_t count);

#endif
