// `latchkey doctor`: looks at all that a deployment rests on, and says what is amiss and what to do.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_COMMAND_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_COMMAND_H

#include "services/cli/cli.h"

enum exit_code doctor_command_run(struct cli *cli);

#endif
