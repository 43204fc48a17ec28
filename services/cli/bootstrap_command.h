// `latchkey bootstrap`: the operator's company and token, with --demo also the demo company's, and where the
// secrets go.
#ifndef LATCHKEY_SERVICES_CLI_BOOTSTRAP_COMMAND_H
#define LATCHKEY_SERVICES_CLI_BOOTSTRAP_COMMAND_H

#include "services/cli/cli.h"

enum exit_code bootstrap_command_run(struct cli *cli);

#endif
