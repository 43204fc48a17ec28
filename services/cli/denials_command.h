// `latchkey denials`: what a validator has refused lately.
#ifndef LATCHKEY_SERVICES_CLI_DENIALS_COMMAND_H
#define LATCHKEY_SERVICES_CLI_DENIALS_COMMAND_H

#include "services/cli/cli.h"

enum exit_code denials_command_run(struct cli *cli);

#endif
