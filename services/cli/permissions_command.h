// `latchkey permissions` and `permissions set`.
#ifndef LATCHKEY_SERVICES_CLI_PERMISSIONS_COMMAND_H
#define LATCHKEY_SERVICES_CLI_PERMISSIONS_COMMAND_H

#include "services/cli/cli.h"

enum exit_code permissions_command_list(struct cli *cli);
enum exit_code permissions_command_set(struct cli *cli);

#endif
