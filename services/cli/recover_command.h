// `latchkey recover`: what a database lost of changes that validators know, and what becomes of it.
#ifndef LATCHKEY_SERVICES_CLI_RECOVER_COMMAND_H
#define LATCHKEY_SERVICES_CLI_RECOVER_COMMAND_H

#include "services/cli/cli.h"

enum exit_code recover_command_run(struct cli *cli);

#endif
