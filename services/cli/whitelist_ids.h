// Entries as people name them: by id, or by an exact range.
#ifndef LATCHKEY_SERVICES_CLI_WHITELIST_IDS_H
#define LATCHKEY_SERVICES_CLI_WHITELIST_IDS_H

#include <stddef.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

// Grown by doubling in the arena.
struct whitelist_ids {
    struct cli *cli;
    const char **texts;
    size_t count, capacity;
    const char *cidr; // what is looked for, while it is
};

// Of all arguments, in the list of --draft, which the command's options have, or in the live one. A range
// that no entry is exactly is refused. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code whitelist_ids_find(struct cli *cli, struct whitelist_ids *ret_ids);

#endif
