// The variables of the environment that `latchkey` reads, for help and the manual page.
#ifndef LATCHKEY_SERVICES_CLI_VARIABLE_H
#define LATCHKEY_SERVICES_CLI_VARIABLE_H

#include <stddef.h>

struct variable {
    const char *names; // separated by ", "
    const char *help;  // no full stop
};

extern const struct variable variables[];
extern const size_t variable_count;

#endif
