// `latchkey validate`: may this token, presented from this address, on this channel, do this?
#ifndef LATCHKEY_SERVICES_CLI_VALIDATE_COMMAND_H
#define LATCHKEY_SERVICES_CLI_VALIDATE_COMMAND_H

#include "services/cli/cli.h"

// EXIT_CODE_DONE only for DECISION_ALLOW.
enum exit_code validate_command_run(struct cli *cli);

#endif
