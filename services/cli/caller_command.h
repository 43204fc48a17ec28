// `latchkey caller`: who am I, and what is there to be granted.
#ifndef LATCHKEY_SERVICES_CLI_CALLER_COMMAND_H
#define LATCHKEY_SERVICES_CLI_CALLER_COMMAND_H

#include "services/cli/cli.h"

enum exit_code caller_command_show(struct cli *cli);

#endif
