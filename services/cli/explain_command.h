// `latchkey explain`: why a token is admitted or refused, check by check.
#ifndef LATCHKEY_SERVICES_CLI_EXPLAIN_COMMAND_H
#define LATCHKEY_SERVICES_CLI_EXPLAIN_COMMAND_H

#include "services/cli/cli.h"

// EXIT_CODE_DONE only for DECISION_ALLOW, as `latchkey validate`.
enum exit_code explain_command_run(struct cli *cli);

#endif
