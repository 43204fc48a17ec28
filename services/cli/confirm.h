// A question before something that can't be undone.
#ifndef LATCHKEY_SERVICES_CLI_CONFIRM_H
#define LATCHKEY_SERVICES_CLI_CONFIRM_H

#include "common/base/compiler.h"
#include "services/cli/cli.h"

// Asks on a terminal, unless --yes, which the command's options have, was given; elsewhere nobody is there to
// ask, and --yes has to be said. EXIT_CODE_DONE: go on.
MUST_CHECK enum exit_code confirm_ask(struct cli *cli, const char *question);

#endif
