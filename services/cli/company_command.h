// `latchkey company ...`.
#ifndef LATCHKEY_SERVICES_CLI_COMPANY_COMMAND_H
#define LATCHKEY_SERVICES_CLI_COMPANY_COMMAND_H

#include "services/cli/cli.h"

enum exit_code company_command_create(struct cli *cli);
enum exit_code company_command_show(struct cli *cli);

#endif
